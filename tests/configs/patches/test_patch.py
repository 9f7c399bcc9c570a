"""Patches change a copy, the same however often, and the difference of two configs is a patch."""

from __future__ import annotations

import pytest
from configs.strategies import configs
from hypothesis import HealthCheck, given, settings
from support import assignments

from pipeline_configs.making import template
from pipeline_configs.patches import patch
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
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
    with pytest.raises(ConfigError, match=r"the index is 2, but the list has 1 items. Use 0 to 1; 1 adds an item"):
        patched((f"{STEPS}[2]", "{}"))


def test_an_item_cannot_be_unset_since_twice_would_be_two() -> None:
    with pytest.raises(ConfigError, match=f"Name its value: {STEPS}-=VALUE"):
        patched((f"{STEPS}[0]", None))


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (f"{SCALES}+=0.3", [f"{SCALES}: [0.1, 0.2] -> [0.1, 0.2, 0.3]"]),
        (f"{SCALES}+=0.2, 0.3, 0.3", [f"{SCALES}: [0.1, 0.2] -> [0.1, 0.2, 0.3]"]),
        (f"{SCALES}+=[0.1, 0.2]", []),
        (f"{SCALES}-=0.1", [f"{SCALES}: [0.1, 0.2] -> [0.2]"]),
        (f"{SCALES}-=0.2, 0.1, 9", [f"{SCALES}: [0.1, 0.2] -> unset"]),
        (f"{STEPS}+={{ssd_random_crop {{}}}}", [f"{STEPS}[1].ssd_random_crop: unset -> {{}}"]),
        (f"{STEPS}+={{random_horizontal_flip {{}}}}", []),
        (f"{STEPS}-={{random_horizontal_flip {{}}}}", [f"{STEPS}[0].random_horizontal_flip: {{}} -> unset"]),
        (f"{STEPS}-={{}}", []),
        ("eval_input_reader[0].tf_record_input_reader.input_path-=a", []),
        (
            "eval_input_reader[0].tf_record_input_reader.input_path+=a",
            ['eval_input_reader[0].tf_record_input_reader.input_path: unset -> ["a"]'],
        ),
        ("train_config..batch_size = 4", ["train_config.batch_size: 8 -> 4"]),
        ("model.ssd.num_classes=", "the field takes a whole number"),
        ("train_config.batch_size+=1", "+= needs a list, and this is not one. Write train_config.batch_size=VALUE."),
        (f"{STEPS}[0]-={{}}", "-= needs a list, and this is not one."),
        ('eval_config.super_categories+={key: "a"}', "needs a list"),
        (f"{SCALES}+=a", "the value is 'a', but the field takes a list of values, each of them a number."),
    ],
)
def test_one_text(text: str, changes: list[str] | str) -> None:
    start, edits = schema.parse(START), ConfigPatch(edits=(Edit.read(text),))
    if isinstance(changes, list):
        assert patch.diff(start, edits.apply(start)) == changes
    else:
        with pytest.raises(ConfigError) as caught:
            edits.apply(start)
        assert changes in str(caught.value)


@pytest.mark.parametrize("text", ["a.b=c", "a.b+=c=d", "a.b[0]-={x: 1}", "a..b="])
def test_the_text_of_an_edit_is_what_it_was_read_from(text: str) -> None:
    assert str(Edit.read(text)) == text


def test_edits_that_undo_one_another() -> None:
    with pytest.raises(ConfigError, match=r"the edits undo one another.* \[0.2\] -> unset"):
        read_and_applied(f"{SCALES}[0]=0.5", f"{SCALES}-=0.5")
    with pytest.raises(ConfigError, match="the edits undo one another"):
        read_and_applied(f"{SCALES}+=0.3", f"{SCALES}[2]=0.5")


def read_and_applied(*texts: str) -> Config:
    return ConfigPatch(edits=tuple(map(Edit.read, texts))).apply(schema.parse(START))


@pytest.mark.parametrize(
    ("paths", "edits"),
    [
        ([f"{STEPS}[0]"], [f"{STEPS}-=[{{ random_horizontal_flip {{ }} }}]"]),
        ([f"{SCALES}[0]", f"{SCALES}[1]"], [f"{SCALES}-=[0.1, 0.2]"]),
        (["model..scales[1]", "train_config..batch_size"], ["unset train_config.batch_size", f"{SCALES}-=[0.2]"]),
    ],
)
def test_leaving_out(paths: list[str], edits: list[str]) -> None:
    assert [str(edit) for edit in patch.unset(paths, schema.parse(START)).edits] == edits


def test_leaving_out_one_of_two_that_are_equal() -> None:
    config = read_and_applied(f"{SCALES}=0.1, 0.2, 0.1")
    left = patch.unset([f"{SCALES}[0]"], config)
    assert [str(edit) for edit in left.edits] == [f"{SCALES}=[0.2, 0.1]"]
    assert left.apply(left.apply(config)) == left.apply(config)


def test_leaving_out_what_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"\[5\]: there is no such item. The list has only the indices 0 to 1"):
        patch.unset([f"{SCALES}[5]"], schema.parse(START))
    with pytest.raises(ConfigError, match=r"eval_input_reader\[0\]: there is no such item. The list is empty"):
        patch.unset(["eval_input_reader[0]"], schema.parse(START))


def test_an_error_tells_the_file_and_line_of_the_edit() -> None:
    edit = Edit(path="modl", value="1", file="a.yaml", line=7)
    with pytest.raises(ConfigError, match=r"a.yaml:7: modl: .* Did you mean model\?"):
        ConfigPatch(edits=(edit,)).apply(schema.parse(START))


def test_all_problems_are_reported() -> None:
    with pytest.raises(Problems) as caught:
        patched(("train_config.batch_sise", "1"), ("train_config.num_steps", "5"), ("train_config.batch_size", "x"))
    first, second = str(caught.value).splitlines()
    assert "batch_size?" in first
    assert "the value is 'x'" in second


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


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(configs(), configs())
def test_difference_then_patch_gives_the_target(start: Config, wanted: Config) -> None:
    edits = assignments.between(start, wanted)
    made = edits.apply(start)
    assert patch.diff(made, wanted) == []
    assert edits.apply(made) == made
    assert (edits.edits == ()) == (patch.diff(start, wanted) == [])


@pytest.mark.parametrize("name", template.names())
def test_a_template_becomes_any_other_by_a_patch(name: str) -> None:
    start = template.read(name)
    for other in (name, *template.names()[::15]):
        assert assignments.between(start, template.read(other)).apply(start) == template.read(other)
