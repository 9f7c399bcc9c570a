"""Rules about what is written: fields that do not exist, and fields that are written twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches import nested, patch
from pipeline_configs.patches.field_path import is_list, is_message
from pipeline_configs.text.positions import Place
from pipeline_configs.text.text_proto import Config
from tfod_tools.base import plugins

# Lists in which no value stands twice for a reason, by message.
_LISTS = {
    "TrainConfig": ("data_augmentation_options",),
    "EvalConfig": ("metrics_set",),
    "TFRecordInputReader": ("input_path",),
    "SsdAnchorGenerator": ("aspect_ratios",),
    "MultiscaleAnchorGenerator": ("aspect_ratios",),
    "GridAnchorGenerator": ("scales", "aspect_ratios"),
}


@rule("CFG28", "error", "The engine stops before it reads on.", source="utils/config_util.py")
def unknown_field(subject: Subject) -> Iterator[Evidence]:
    """The text cannot be read: a field does not exist, or a value is not one of its type.

    The engine reads a config with protobuf's text_format.Merge, which ends at the first problem. Here every field that
    does not exist is named, with the one that may have been meant, and the other rules look at the rest.
    """
    for place in subject.places:
        if place.field is None and place.owner is not None:
            hint = plugins.suggestion(place.name, place.owner.fields_by_name)
            yield Evidence(place.path, f"a field '{place.name}'", f"a field of {place.owner.name}. {hint.rstrip('.')}")


@rule("CFG27", "warning", "The last one wins, without a word.", source="utils/config_util.py")
def written_twice(subject: Subject) -> Iterator[Evidence]:
    """A field that holds one value is written several times, or several branches of a choice are.

    text_format.Merge keeps the last value of a field, and the last branch of a choice such as the optimizer. What was
    written before has no effect, which is easily overlooked in a config of two hundred lines.
    """
    values: dict[str, Place] = {}
    branches: dict[tuple[str, str], Place] = {}
    for place in subject.places:
        if place.field is None or is_list(place.field):
            continue
        before = values.setdefault(place.path, place)
        if before is not place and not is_message(place.field):
            yield Evidence(place.path, f"a value beside that of line {before.line}", "one value")
        choice = place.field.containing_oneof
        if choice is not None:
            before = branches.setdefault((place.holder, choice.name), place)
            if before.path != place.path:
                yield Evidence(place.path, f"{before.name} in line {before.line} as well", f"one {choice.name}")


@rule(
    "RUN04",
    "warning",
    "The engine takes both: records are read, anchors laid or steps made twice.",
    source="utils/config_util.py",
)
def merged_lists(subject: Subject) -> Iterator[Evidence]:
    """A list holds a value twice, as after a merge.

    Where one text is merged into another, as the engine's --config_override does it, single values are replaced, but
    those of a list are added to it. A value that is there twice is a sign of lists that were to be replaced, which is
    what make_config --set does.
    """
    for path, message in _holders(subject.config):
        for name in _LISTS[message.DESCRIPTOR.name]:
            items = list(getattr(message, name))
            again = [f"{path}{name}[{index}]" for index, item in enumerate(items) if item in items[:index]]
            if again:
                fix = patch.unset(again, subject.config).edits
                yield Evidence(again[0], f"again what stands before it, {len(again)} of {len(items)}", "each once", fix)


def _holders(config: Config) -> Iterator[tuple[str, Any]]:
    """The messages that are searched, each with the beginning of the paths of its fields."""
    for kind in _LISTS:
        for path, message in nested.messages(config, kind, ""):
            yield f"{path.removeprefix('.')}.", message
