"""Fills in what the records decide: the classes, the paths of the records, and how they are evaluated."""

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

    Only the number of classes changes in the model. A CenterNet with keypoints also gets the label map, if it has none.
    The batch size becomes smaller if there are fewer images. The learning rate stays all the same.

    Raises:
      ConfigError: the config has no model.
      RecordError: the records have nothing to evaluate on.
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
            f"{dataset.label_map_path}: the records have no val split, so there are no images to evaluate on. Run"
            " make_records again with --val_fraction=0.1."
        )
    return [
        *_one_reader(config),
        *_inputs("eval_input_reader[0]", _first_eval_reader(config), dataset.label_map_path, dataset.val),
        Edit(path="eval_input_reader[0].shuffle", value="false"),
        Edit(path="eval_input_reader[0].num_epochs", value="1"),
        Edit(path="eval_config.batch_size", value="1"),
        Edit(path="eval_config.metrics_set", value="coco_detection_metrics"),
        # Deprecated and ignored: the engine evaluates one epoch of the reader.
        Edit(path="eval_config.num_examples", value=None),
    ]


def _one_reader(config: Config) -> list[Edit]:
    """Keeps only the first evaluation reader, because it is the only one that the engine evaluates in both styles."""
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
        # The engine stops unless there is one weight for each input path. There is one path now.
        Edit(path=f"{reader}.sample_from_datasets_weights", value=None),
    ]
    if split.most_boxes > now.max_number_of_boxes:
        # The engine silently drops all boxes of an image beyond this number.
        edits.append(Edit(path=f"{reader}.max_number_of_boxes", value=str(split.most_boxes)))
    return edits


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
