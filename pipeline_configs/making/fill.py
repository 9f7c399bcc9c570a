"""What a data set decides in a config: the classes, where the records are, and how they are evaluated."""

from __future__ import annotations

import json
from typing import Any

from pipeline_configs.dataset import Dataset, Split
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text import schema, text_proto
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import RecordError


def fill(config: Config, dataset: Dataset) -> ConfigPatch:
    """The edits that make `config` train and evaluate on `dataset`.

    The model keeps all but its number of classes, and takes the label map where it needs one of keypoints and has none.
    The learning rate stays, even where the batch becomes smaller because there are fewer images than it holds.

    Raises:
      ConfigError: the config has no model.
      RecordError: the data set has nothing to evaluate on.
    """
    return ConfigPatch(edits=(*_model(config, dataset), *_training(config, dataset), *_evaluation(config, dataset)))


def _model(config: Config, dataset: Dataset) -> list[Edit]:
    model = f"model.{schema.architecture(config)}"
    edits = [Edit(path=f"{model}.num_classes", value=str(dataset.num_classes))]
    centernet = config.model.center_net
    if centernet.keypoint_estimation_task and not centernet.keypoint_label_map_path:
        edits.append(Edit(path=f"{model}.keypoint_label_map_path", value=_text(dataset.label_map_path)))
    return edits


def _training(config: Config, dataset: Dataset) -> list[Edit]:
    edits = _inputs("train_input_reader", config.train_input_reader, dataset.label_map_path, dataset.train)
    if config.train_config.batch_size > dataset.train.images:
        edits.append(Edit(path="train_config.batch_size", value=str(dataset.train.images)))
    return edits


def _evaluation(config: Config, dataset: Dataset) -> list[Edit]:
    if dataset.val is None or not dataset.val.images:
        raise RecordError(
            f"{dataset.label_map_path}: the records have no val split, expected images to evaluate on that are not"
            " trained on. Run make_records again with --val_fraction=0.1."
        )
    return [
        *_one_reader(config),
        *_inputs("eval_input_reader[0]", _first_eval_reader(config), dataset.label_map_path, dataset.val),
        Edit(path="eval_input_reader[0].shuffle", value="false"),
        Edit(path="eval_input_reader[0].num_epochs", value="1"),
        Edit(path="eval_config.batch_size", value="1"),
        Edit(path="eval_config.metrics_set", value="coco_detection_metrics"),
        # Deprecated: the engine evaluates one epoch of the reader, whatever number a config has here.
        Edit(path="eval_config.num_examples", value=None),
    ]


def _one_reader(config: Config) -> list[Edit]:
    """Keeps the first of several evaluation readers, the only one that the engine evaluates in both styles."""
    if len(config.eval_input_reader) < 2:
        return []
    field = config.DESCRIPTOR.fields_by_name["eval_input_reader"]
    return [Edit(path=field.name, value=text_proto.value_to_text(config.eval_input_reader[0], field))]


def _first_eval_reader(config: Config) -> Any:
    return config.eval_input_reader[0] if config.eval_input_reader else type(config.train_input_reader)()


def _inputs(reader: str, now: Any, label_map_path: str, split: Split) -> list[Edit]:
    paths = json.dumps([split.pattern], ensure_ascii=False)
    edits = [
        Edit(path=f"{reader}.label_map_path", value=_text(label_map_path)),
        Edit(path=f"{reader}.tf_record_input_reader.input_path", value=paths),
        # One weight an input path, or the engine stops; there is one path now.
        Edit(path=f"{reader}.sample_from_datasets_weights", value=None),
    ]
    if split.most_boxes > now.max_number_of_boxes:
        # The engine leaves out all boxes of an image beyond this number, without a word.
        edits.append(Edit(path=f"{reader}.max_number_of_boxes", value=str(split.most_boxes)))
    return edits


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
