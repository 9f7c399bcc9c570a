"""A pattern stands for every place that fits, and for nothing that would have to be made."""

from __future__ import annotations

import pytest

from pipeline_configs.patches import path_pattern
from pipeline_configs.text import schema
from tfod_tools.base.errors import ConfigError

CONFIG = schema.parse(
    """
    model { ssd {
      num_classes: 2
      feature_extractor { conv_hyperparams { regularizer { l2_regularizer { weight: 1 } } } }
      box_predictor { convolutional_box_predictor {
        conv_hyperparams { regularizer { l2_regularizer { } } initializer { truncated_normal_initializer { } } }
      } }
      anchor_generator { ssd_anchor_generator { aspect_ratios: [1.0, 2.0] } }
      image_resizer { fixed_shape_resizer { } }
    } }
    train_config { optimizer { adam_optimizer { learning_rate { manual_step_learning_rate {
      schedule { step: 1 } schedule { step: 2 }
    } } } } }
    eval_input_reader { } eval_input_reader { tf_record_input_reader { } }
    """
)
EXTRACTOR = "model.ssd.feature_extractor.conv_hyperparams"
PREDICTOR = "model.ssd.box_predictor.convolutional_box_predictor.conv_hyperparams"
SCHEDULE = "train_config.optimizer.adam_optimizer.learning_rate.manual_step_learning_rate.schedule"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("model.yolo.x", ["model.yolo.x"]),
        ("model..num_classes", ["model.ssd.num_classes"]),
        ("..num_classes", ["model.ssd.num_classes"]),
        ("model.ssd..num_classes", ["model.ssd.num_classes"]),
        (
            "model..l2_regularizer.weight",
            [f"{EXTRACTOR}.regularizer.l2_regularizer.weight", f"{PREDICTOR}.regularizer.l2_regularizer.weight"],
        ),
        ("model..box_predictor..l2_regularizer..weight", [f"{PREDICTOR}.regularizer.l2_regularizer.weight"]),
        ("model..conv_hyperparams.activation", [f"{EXTRACTOR}.activation", f"{PREDICTOR}.activation"]),
        ("model..regularizer", [f"{EXTRACTOR}.regularizer", f"{PREDICTOR}.regularizer"]),
        ("model..initializer", [f"{PREDICTOR}.initializer"]),
        ("model..aspect_ratios", ["model.ssd.anchor_generator.ssd_anchor_generator.aspect_ratios"]),
        ("model..aspect_ratios[1]", ["model.ssd.anchor_generator.ssd_anchor_generator.aspect_ratios[1]"]),
        ("train_config..schedule", [SCHEDULE]),
        ("train_config..schedule[1]", [f"{SCHEDULE}[1]"]),
        ("train_config..schedule.step", [f"{SCHEDULE}[0].step", f"{SCHEDULE}[1].step"]),
        ("train_config..schedule[1].step", [f"{SCHEDULE}[1].step"]),
        ("eval_input_reader..shuffle", ["eval_input_reader[0].shuffle", "eval_input_reader[1].shuffle"]),
        ("..input_path", ["eval_input_reader[1].tf_record_input_reader.input_path"]),
    ],
)
def test_places(pattern: str, found: list[str]) -> None:
    assert list(path_pattern.places(pattern, CONFIG)) == found


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("model..", "ends with two dots"),
        ("..", "ends with two dots"),
        ("model...ssd", "'' is not the name of a field"),
        ("model..a-b", "'a-b' is not the name of a field"),
        ("model..l2_regularizer.wieght", "the config has no such field. Did you mean weight"),
        (
            "model..l1_regularizer.weight",
            "the config has no such field. To set a field in a message that is not there yet, write the whole path.",
        ),
        ("model..keep_aspect_ratio_resizer", "the config has no such field."),
        ("..adam_optimizer..step..learning_rate", "the config has no such field."),
        (
            "train_config..learning_rate",
            "matches fields of several types, such as train_config.optimizer.adam_optimizer.learning_rate and"
            f" {SCHEDULE}[1].learning_rate. Write more of the path.",
        ),
    ],
)
def test_patterns_that_stand_for_nothing(pattern: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        path_pattern.places(pattern, CONFIG)
    assert f"{pattern}: {problem}" in str(caught.value)
