"""Values are read by the type of their field, or say what the field takes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_configs.patches import field_value
from pipeline_configs.patches.field_path import FieldPath
from pipeline_configs.text import schema
from tfod_tools.base.errors import ConfigError

ROOT = schema.parse("").DESCRIPTOR
CHECKPOINT = "train_config.fine_tune_checkpoint"
SCALES = "model.ssd.anchor_generator.ssd_anchor_generator.scales"
INPUTS = "train_input_reader.tf_record_input_reader.input_path"
STEPS = "train_config.data_augmentation_options"


def parsed(path: str, text: str) -> str:
    """The parsed field as text proto on one line."""
    return " ".join(schema.dump(field_value.parse(text, FieldPath.resolve(path, ROOT))).split())


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("model.ssd.num_classes", "3", "num_classes: 3"),
        ("model.ssd.num_classes", " 0x10 ", "num_classes: 16"),
        ("train_config.gradient_clipping_by_norm", ".5", "gradient_clipping_by_norm: 0.5"),
        ("train_config.gradient_clipping_by_norm", "1e-8", "gradient_clipping_by_norm: 1e-08"),
        ("train_config.sync_replicas", "true", "sync_replicas: true"),
        ("train_config.sync_replicas", "0", "sync_replicas: false"),
        ("train_config.fine_tune_checkpoint_version", "V2", "fine_tune_checkpoint_version: V2"),
        (CHECKPOINT, "gs://b/model.ckpt", 'fine_tune_checkpoint: "gs://b/model.ckpt"'),
        (CHECKPOINT, '"a b"', 'fine_tune_checkpoint: "a b"'),
        (CHECKPOINT, "'a'", 'fine_tune_checkpoint: "a"'),
        (CHECKPOINT, r"C:\new\o'neil", r'fine_tune_checkpoint: "C:\\new\\o\'neil"'),
        (CHECKPOINT, "", 'fine_tune_checkpoint: ""'),
        (SCALES, "0.1,0.2", "scales: 0.1 scales: 0.2"),
        (SCALES, "[ 0.1, 0.2 ]", "scales: 0.1 scales: 0.2"),
        (SCALES, "0.1", "scales: 0.1"),
        (SCALES, "[]", ""),
        (SCALES, "", ""),
        (f"{SCALES}[2]", "0.3", "scales: 0.3"),
        (INPUTS, "a.record, b.record", 'input_path: "a.record" input_path: "b.record"'),
        (INPUTS, '["a,b.record", "c"]', 'input_path: "a,b.record" input_path: "c"'),
        ("train_config.optimizer.adam_optimizer", "{}", "adam_optimizer { }"),
        ("train_config.optimizer.adam_optimizer", "", "adam_optimizer { }"),
        ("train_config.optimizer.adam_optimizer", "{epsilon: 2}", "adam_optimizer { epsilon: 2.0 }"),
        (f"{STEPS}[0]", "{ssd_random_crop {}}", "data_augmentation_options { ssd_random_crop { } }"),
        (STEPS, "[{ssd_random_crop {}}]", "data_augmentation_options { ssd_random_crop { } }"),
        (STEPS, "[]", ""),
        ("eval_config.super_categories", '{key: "a" value: "b"}', 'super_categories { key: "a" value: "b" }'),
    ],
)
def test_values_that_fit(path: str, text: str, expected: str) -> None:
    assert parsed(path, text) == expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("model.ssd.num_classes", "three", "the value is 'three', but the field takes a whole number (int32)."),
        ("model.ssd.num_classes", "3.0", "the value is '3.0', but the field takes a whole number (int32)."),
        (
            "model.ssd.num_classes",
            "99999999999",
            "the value is '99999999999', but the field takes a whole number (int32).",
        ),
        ("model.ssd.num_classes", "", "the value is '', but the field takes a whole number (int32)."),
        ("model.ssd.num_classes", "1 num_classes: 2", "the field takes a whole number (int32)."),
        ("train_config.batch_size", "1 num_steps: 2", "the field takes a whole number from 0 (uint32)."),
        ("train_config.batch_size", "-1", "the value is '-1', but the field takes a whole number from 0 (uint32)."),
        ("train_config.gradient_clipping_by_norm", "ten", "the value is 'ten', but the field takes a number."),
        ("train_config.sync_replicas", "yes", "the value is 'yes', but the field takes true or false."),
        (
            "train_config.fine_tune_checkpoint_version",
            "V3",
            "the field takes UNKNOWN or V1 or V2. Known: UNKNOWN, V1, V2.",
        ),
        ("model.ssd.post_processing.score_converter", "SIGMOD", "Did you mean SIGMOID?"),
        (SCALES, "0.1, big", "the value is '0.1, big', but the field takes a list of values, each of them a number."),
        (f"{SCALES}[0]", "0.1, 0.2", "the value is '0.1, 0.2', but the field takes a number."),
        (f"{STEPS}[0]", "[]", "'[]' is not one value. The item takes a message: { fields of PreprocessingStep }."),
        (
            "train_config.optimizer.adam_optimizer",
            "0.1",
            'the field takes a message: { fields of AdamOptimizer }. Expected "{"',
        ),
        (
            "train_config.optimizer.adam_optimizer",
            "{epsilom: 2}",
            "AdamOptimizer has no field 'epsilom'. Did you mean epsilon?",
        ),
        (
            "train_config.optimizer.adam_optimizer",
            "{} momentum_optimizer {}",
            "the field takes a message: { fields of AdamOptimizer }.",
        ),
    ],
)
def test_values_that_do_not(path: str, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(path, text)
    assert str(caught.value).startswith(f"{path}: ")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


FRAGMENTS = st.one_of(
    st.text(max_size=3), st.sampled_from([*"{}[]<>:,;\"'\\#", "\\xff", "[a.b/c]", "1e999", "epsilon"])
)


# protobuf itself warns of an escape such as `\x` that stands for nothing.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@given(
    st.sampled_from(
        ["model.ssd.num_classes", CHECKPOINT, SCALES, INPUTS, STEPS, f"{STEPS}[0]", "train_config.optimizer"]
    ),
    st.lists(FRAGMENTS, max_size=8).map("".join),
)
def test_any_text_is_a_value_or_one_line_of_error(path: str, text: str) -> None:
    with contextlib.suppress(ConfigError):
        parsed(path, text)


@given(st.text(max_size=9).filter(lambda text: text == text.strip() and text[:1] not in ('"', "'")))
def test_text_needs_no_quotes(text: str) -> None:
    message = field_value.parse(text, FieldPath.resolve(CHECKPOINT, ROOT))
    assert message.fine_tune_checkpoint == text
