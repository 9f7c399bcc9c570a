"""Field paths lead to fields of the schema, or say which part is wrong."""

from __future__ import annotations

import pytest

from pipeline_configs.patches.field_path import FieldPath
from pipeline_configs.text import schema
from tfod_tools.base.errors import ConfigError

ROOT = schema.parse("").DESCRIPTOR


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("model", "TrainEvalPipelineConfig.model"),
        ("model.ssd.num_classes", "Ssd.num_classes"),
        ("eval_input_reader", "TrainEvalPipelineConfig.eval_input_reader"),
        ("eval_input_reader[3].label_map_path", "InputReader.label_map_path"),
        (
            "train_config.data_augmentation_options[0].random_horizontal_flip.keypoint_flip_permutation",
            "RandomHorizontalFlip.keypoint_flip_permutation",
        ),
        ("eval_config.super_categories", "EvalConfig.super_categories"),
    ],
)
def test_paths_that_lead_to_a_field(path: str, field: str) -> None:
    assert FieldPath.resolve(path, ROOT).last.field.full_name == f"object_detection.protos.{field}"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "'' is not the name of a field. Write words with dots, such as model.ssd."),
        ("model..ssd", "'' is not the name of a field. Write words with dots, such as model.ssd."),
        ("model.ssd.", "'' is not the name of a field. Write words with dots, such as model.ssd."),
        ("modl.ssd", "TrainEvalPipelineConfig has no field 'modl'. Did you mean model?"),
        ("model.ssd.num_clases", "Ssd has no field 'num_clases'. Did you mean num_classes?"),
        ("model.yolo", "DetectionModel has no field 'yolo'. Known: center_net, experimental_model, faster_rcnn, ssd."),
        ("model.ssd.num_classes.x", "num_classes is a value and has no fields. End the path there."),
        ("model[0].ssd", "model is not a list and has no index. Write model instead of model[0]."),
        (
            "eval_input_reader.shuffle",
            "eval_input_reader is a list. Say which item, such as eval_input_reader[0].",
        ),
        ("eval_input_reader[-1].shuffle", "'eval_input_reader[-1]' is not the name of a field"),
        (
            "eval_config.super_categories.key",
            "super_categories is a map and can only be set as a whole. End the path there.",
        ),
        ("eval_config.super_categories[0]", "super_categories is not a list and has no index."),
    ],
)
def test_paths_that_do_not(path: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        FieldPath.resolve(path, ROOT)
    assert str(caught.value).startswith(f"{path}: {expected}".strip())
