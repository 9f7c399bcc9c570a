"""Fields are found where they are written; protobuf's own parser is asked whether that is so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from configs.strategies import texts
from google.protobuf import text_format
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline_configs.making import template
from pipeline_configs.patches.field_path import is_list, is_map, is_message
from pipeline_configs.text import positions, schema
from pipeline_configs.text.text_proto import Config, empty_config

TEXT = """model { ssd {  # the model
  num_classes: 2 } }
train_config: <
  batch_size: 8;
  data_augmentation_options [ { random_horizontal_flip {} },
    { ssd_random_crop {} }]
  data_augmentation_options { }
  batch_size: 9
>
eval_input_reader { label_map_path: 'a'
  "b" tf_record_input_reader { input_path: ["a",
  "b"] input_path: "c" } }
train_config { num_steps: 5 data_augmentation_options {} }
eval_config { batch_sise: 1 nothing { at { all: [1, 2] } } }
"""


def read(text: str) -> tuple[positions.Place, ...]:
    return positions.read(text, empty_config().DESCRIPTOR)


def test_where_fields_are() -> None:
    assert [(place.line, place.path) for place in read(TEXT)] == [
        (1, "model"),
        (1, "model.ssd"),
        (2, "model.ssd.num_classes"),
        (3, "train_config"),
        (4, "train_config.batch_size"),
        (5, "train_config.data_augmentation_options[0]"),
        (5, "train_config.data_augmentation_options[0].random_horizontal_flip"),
        (6, "train_config.data_augmentation_options[1]"),
        (6, "train_config.data_augmentation_options[1].ssd_random_crop"),
        (7, "train_config.data_augmentation_options[2]"),
        (8, "train_config.batch_size"),
        (10, "eval_input_reader[0]"),
        (10, "eval_input_reader[0].label_map_path"),
        (11, "eval_input_reader[0].tf_record_input_reader"),
        (11, "eval_input_reader[0].tf_record_input_reader.input_path[0]"),
        (12, "eval_input_reader[0].tf_record_input_reader.input_path[1]"),
        (12, "eval_input_reader[0].tf_record_input_reader.input_path[2]"),
        (13, "train_config"),
        (13, "train_config.num_steps"),
        (13, "train_config.data_augmentation_options[3]"),
        (14, "eval_config"),
        (14, "eval_config.batch_sise"),
        (14, "eval_config.nothing"),
        (14, "eval_config.nothing.at"),
        (14, "eval_config.nothing.at.all"),
        (14, "eval_config.nothing.at.all"),
    ]


def test_fields_that_do_not_exist() -> None:
    unknown = [place for place in read(TEXT) if place.field is None]
    assert [(place.name, place.owner and place.owner.name) for place in unknown] == [
        ("batch_sise", "EvalConfig"), ("nothing", "EvalConfig"), ("at", None), ("all", None), ("all", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("train_config.batch_size", 8),
        ("train_config.num_steps", 13),
        ("train_config.optimizer.adam_optimizer", 13),
        ("train_config.data_augmentation_options", 5),
        ("train_config.data_augmentation_options[1].ssd_random_crop.operations[0]", 6),
        ("train_config.data_augmentation_options[9]", 5),
        ("eval_input_reader", 10),
        ("train_input_reader.label_map_path", 1),
        ("", 1),
    ],
)
def test_the_line_of_a_path(path: str, line: int) -> None:
    assert positions.line_of(path, read(TEXT)) == line


def paths(message: Any, prefix: str = "") -> Iterator[str]:
    """Every value that a config holds, in the order of the schema."""
    for field, value in message.ListFields():
        for index, item in enumerate(value if is_list(field) else [value]):
            path = f"{prefix}{field.name}{f'[{index}]' if is_list(field) else ''}"
            yield path
            if is_map(field):
                yield from (f"{path}.key", f"{path}.value")
            elif is_message(field):
                yield from paths(item, f"{path}.")


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(texts())
def test_every_value_has_a_place(case: tuple[Config, str]) -> None:
    config, text = case
    assert schema.parse(text) == config
    assert sorted(place.path for place in read(text)) == sorted(paths(config))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(texts())
def test_protobuf_finds_a_mistake_at_the_same_place(case: tuple[Config, str]) -> None:
    """A name that does not exist, put where a field is said to be, is what text_format stops at."""
    _, text = case
    for place in read(text):
        if text.startswith(place.name, place.offset):
            broken = text[: place.offset] + "no_such_" + text[place.offset :]
            with pytest.raises(text_format.ParseError, match="no_such_") as caught:
                text_format.Merge(broken, empty_config())
            assert caught.value.GetLine() == place.line
            assert text.count("\n", 0, place.offset) + 1 == place.line


@pytest.mark.parametrize("name", template.names())
def test_every_field_of_a_template_is_on_its_line(name: str) -> None:
    text = (template.FOLDER / f"{name}.config").read_text(encoding="utf-8")
    lines = text.splitlines()
    found = read(text)
    assert sorted(place.path for place in found) == sorted(paths(schema.parse(text)))
    assert all(place.name in lines[place.line - 1] for place in found)


@given(st.text(st.sampled_from("{}[]<>:,;#'\"\\\n ab0.-model")) | st.text())
def test_broken_text_is_read_as_far_as_it_goes(text: str) -> None:
    assert all(1 <= place.line <= text.count("\n") + 1 for place in read(text))
