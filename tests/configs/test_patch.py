"""Patches change a copy, the same however often, and the difference of two configs is a patch."""

from __future__ import annotations

import pytest
from configs.strategies import configs
from hypothesis import HealthCheck, given, settings

from pipeline_configs import patch, schema
from pipeline_configs.patch import ConfigPatch, Edit
from pipeline_configs.text_proto import Config
from tfod_tools.base.errors import ConfigError, Problems

START = """
model { ssd { anchor_generator { ssd_anchor_generator { scales: [0.1, 0.2] } } } }
train_config {
  batch_size: 8
  data_augmentation_options { random_horizontal_flip { } }
  optimizer { momentum_optimizer { momentum_optimizer_value: 0.8 } }
}
"""
SCALES = "model.ssd.anchor_generator.ssd_anchor_generator.scales"
MOMENTUM = "train_config.optimizer.momentum_optimizer"
STEPS = "train_config.data_augmentation_options"


def patched(*edits: tuple[str, str | None]) -> Config:
    return ConfigPatch(edits=tuple(Edit(path=path, value=value) for path, value in edits)).apply(schema.parse(START))


@pytest.mark.parametrize(
    ("path", "value", "changes"),
    [
        ("train_config.batch_size", "8", []),
        ("train_config.batch_size", "4", ["train_config.batch_size: 8 -> 4"]),
        ("train_config.batch_size", None, ["train_config.batch_size: 8 -> unset"]),
        ("train_config.num_steps", None, []),
        ("eval_config.num_examples", None, []),
        ("eval_input_reader[0].num_epochs", None, []),
        ("eval_input_reader[0].num_epochs", "1", ["eval_input_reader[0].num_epochs: unset -> 1"]),
        ("graph_rewriter", "{}", ["graph_rewriter: unset -> {}"]),
        (SCALES, "0.3", [f"{SCALES}: [0.1, 0.2] -> [0.3]"]),
        (f"{SCALES}[0]", "0.3", [f"{SCALES}: [0.1, 0.2] -> [0.3, 0.2]"]),
        (f"{SCALES}[2]", "0.3", [f"{SCALES}: [0.1, 0.2] -> [0.1, 0.2, 0.3]"]),
        (SCALES, "[]", [f"{SCALES}: [0.1, 0.2] -> unset"]),
        (f"{STEPS}[1]", "{ssd_random_crop {}}", [f"{STEPS}[1].ssd_random_crop: unset -> {{}}"]),
        (
            f"{STEPS}[0]",
            "{ssd_random_crop {}}",
            [f"{STEPS}[0].random_horizontal_flip: {{}} -> unset", f"{STEPS}[0].ssd_random_crop: unset -> {{}}"],
        ),
        (
            f"{STEPS}[0].random_horizontal_flip.probability",
            "0.2",
            [f"{STEPS}[0].random_horizontal_flip.probability: unset -> 0.2"],
        ),
        (MOMENTUM, "{}", [f"{MOMENTUM}.momentum_optimizer_value: 0.8 -> unset"]),
        (
            "train_config.optimizer.adam_optimizer",
            "{}",
            [
                f"{MOMENTUM}.momentum_optimizer_value: 0.8 -> unset",
                "train_config.optimizer.adam_optimizer: unset -> {}",
            ],
        ),
        (
            "train_config.optimizer.adam_optimizer.epsilon",
            "2",
            [
                f"{MOMENTUM}.momentum_optimizer_value: 0.8 -> unset",
                "train_config.optimizer.adam_optimizer.epsilon: unset -> 2.0",
            ],
        ),
        (
            "eval_config.super_categories",
            '{key: "b" value: "c"}',
            ['eval_config.super_categories: unset -> [{key: "b" value: "c"}]'],
        ),
    ],
)
def test_one_edit(path: str, value: str | None, changes: list[str]) -> None:
    assert sorted(patch.diff(schema.parse(START), patched((path, value)))) == sorted(changes)


def test_the_later_of_two_edits_wins() -> None:
    assert patched(("train_config.batch_size", "1"), ("train_config.batch_size", "2")).train_config.batch_size == 2


def test_an_index_beyond_the_end() -> None:
    with pytest.raises(ConfigError, match=r"index 2 in a list of 1, expected 0 to 1; 1 adds an item"):
        patched((f"{STEPS}[2]", "{}"))


def test_an_item_cannot_be_unset() -> None:
    with pytest.raises(ConfigError, match="Set the whole list"):
        patched((f"{STEPS}[0]", None))


def test_all_problems_are_reported() -> None:
    with pytest.raises(Problems) as caught:
        patched(("train_config.batch_sise", "1"), ("train_config.num_steps", "5"), ("train_config.batch_size", "x"))
    first, second = str(caught.value).splitlines()
    assert "batch_size?" in first
    assert "found 'x'" in second


def test_the_difference_is_in_the_order_of_the_schema() -> None:
    changes = patch.diff(schema.parse("eval_config { } model { }"), schema.parse("train_config { }"))
    assert changes == ["model: {} -> unset", "train_config: unset -> {}", "eval_config: {} -> unset"]


def as_patch(changes: list[str]) -> ConfigPatch:
    """The patch that sets what a difference from an empty config shows."""
    pairs = [line.split(": unset -> ", maxsplit=1) for line in changes]
    return ConfigPatch(edits=tuple(Edit(path=path, value=value) for path, value in pairs))


@given(configs())
def test_text_holds_all_of_a_config(config: Config) -> None:
    assert schema.parse(schema.dump(config)) == config


@given(configs(), configs())
def test_no_difference_means_equal(one: Config, other: Config) -> None:
    assert (patch.diff(one, other) == []) == (one == other)
    assert patch.diff(one, one) == []


@given(configs())
def test_a_difference_from_nothing_makes_the_config(config: Config) -> None:
    empty = schema.parse("")
    assert as_patch(patch.diff(empty, config)).apply(empty) == config


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(configs(), configs())
def test_twice_is_once_and_nothing_is_mutated(start: Config, wanted: Config) -> None:
    before = schema.dump(start)
    edits = as_patch(patch.diff(schema.parse(""), wanted))
    once = edits.apply(start)
    assert edits.apply(once) == once
    assert schema.dump(start) == before
