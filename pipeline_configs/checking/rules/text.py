"""Rules about the text of the config: fields that do not exist, and fields that are written twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches import nested, patch
from pipeline_configs.patches.field_path import is_list, is_message
from pipeline_configs.text.positions import Place
from pipeline_configs.text.text_proto import Config
from tfod_tools.base import plugins

# Lists in which the same value twice is never meant, by message.
_LISTS = {
    "TrainConfig": ("data_augmentation_options",),
    "EvalConfig": ("metrics_set",),
    "TFRecordInputReader": ("input_path",),
    "SsdAnchorGenerator": ("aspect_ratios",),
    "MultiscaleAnchorGenerator": ("aspect_ratios",),
    "GridAnchorGenerator": ("scales", "aspect_ratios"),
}


@rule("CFG28", "error", "The engine stops there, and reads nothing more.", source="utils/config_util.py")
def unknown_field(subject: Subject) -> Iterator[Evidence]:
    """The text cannot be read: a field does not exist, or a value has the wrong type.

    The engine reads a config with protobuf's text_format.Merge, which stops at the first problem. check_config reports
    every field that does not exist, with the field that may have been meant, and applies the other rules to the rest.
    """
    for place in subject.places:
        if place.field is None and place.owner is not None:
            hint = plugins.suggestion(place.name, place.owner.fields_by_name)
            yield Evidence(place.path, f"{place.owner.name} has no field '{place.name}'.", hint)


@rule("CFG27", "warning", "The engine uses only the last one, and does not report it.", source="utils/config_util.py")
def written_twice(subject: Subject) -> Iterator[Evidence]:
    """A field for one value is set several times, or several options are set where only one can be.

    text_format.Merge keeps the last value of a field, and the last option of a choice such as the optimizer. What was
    set before has no effect. In a config of two hundred lines, this is easily overlooked.
    """
    values: dict[str, Place] = {}
    branches: dict[tuple[str, str], Place] = {}
    for place in subject.places:
        if place.field is None or is_list(place.field):
            continue
        before = values.setdefault(place.path, place)
        if before is not place and not is_message(place.field):
            problem = f"Line {before.line} sets this field too."
            yield Evidence(place.path, problem, "Keep only one of the lines.")
        choice = place.field.containing_oneof
        if choice is not None:
            before = branches.setdefault((place.holder, choice.name), place)
            if before.path != place.path:
                problem = f"Line {before.line} sets {before.name}, but there can be only one {choice.name}."
                yield Evidence(place.path, problem, "Keep only one of them.")


@rule(
    "RUN04",
    "warning",
    "The engine uses both, so it reads records twice, makes anchors twice or applies a step twice.",
    source="utils/config_util.py",
)
def merged_lists(subject: Subject) -> Iterator[Evidence]:
    """A list holds the same value twice, as after a merge.

    When one text is merged into another, as by the engine's --config_override, a single value replaces the old one, but
    the values of a list are added to the old ones. The same value twice is a sign that the list should have been
    replaced. make_config --set replaces lists.
    """
    for path, message in _holders(subject.config):
        for name in _LISTS[message.DESCRIPTOR.name]:
            items = list(getattr(message, name))
            again = [f"{path}{name}[{index}]" for index, item in enumerate(items) if item in items[:index]]
            if again:
                fix = patch.unset(again, subject.config).edits
                repeat = "entry repeats" if len(again) == 1 else "entries repeat"
                problem = f"{len(again)} {repeat} an earlier one; the list has {len(items)} entries."
                yield Evidence(again[0], problem, "Keep each value once.", fix)


def _holders(config: Config) -> Iterator[tuple[str, Any]]:
    """The messages that have such lists, each with the beginning of its fields' paths."""
    for kind in _LISTS:
        for path, message in nested.messages(config, kind, ""):
            yield f"{path.removeprefix('.')}.", message
