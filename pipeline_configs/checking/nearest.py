"""The template that a config is most like, and where the two differ: people change more than they remember."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_configs.checking import legacy
from pipeline_configs.making import published, template, zoo
from pipeline_configs.patches import difference, importance
from pipeline_configs.patches.difference import Change
from pipeline_configs.patches.field_path import is_list, is_message
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config

LineOf = Callable[[str], int]

_CHECKPOINT = "train_config.fine_tune_checkpoint"
# How the weights of the checkpoint are loaded; these fields do nothing without a checkpoint.
_OF_CHECKPOINT = (f"{_CHECKPOINT}_", "train_config.from_detection_checkpoint", "train_config.load_all_detection_")
_UNREAD = (*legacy.TRAINER, *legacy.QUEUES, *legacy.EVALUATION)
# Fields that depend on the data, or that the engine ignores: it evaluates all records once, in any order.
_LESSER = re.compile(
    r"model\.\w+\.num_classes|.+\.keypoint_class_name|.+_input_reader(\[\d+\])?\.mask_type"
    r"|eval_input_reader\[0\]\.(shuffle|num_epochs)"
    rf"|train_config\.({'|'.join((*legacy.TRAINER, *legacy.QUEUES))})|eval_config\.({'|'.join(legacy.EVALUATION)})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resemblance:
    """The template that a config is most like, and every field with another meaning than in the published config.

    Names of files do not count. A field that is set to its default is the same as a field that is not set.

    Attributes:
      template: its name.
      changes: fields that decide the result, sorted by importance: the template's value, then the config's.
      lesser: fields that depend on the data, or that the engine ignores.
    """

    template: str
    changes: Sequence[Change]
    lesser: Sequence[Change]


def nearest(config: Config) -> Resemblance | None:
    """The template with the config's feature extractor that differs in the fewest fields; None if there is none.

    Fields that decide the result count first, then the others. If templates are equal, it is the first by name.
    """
    architecture = config.model.WhichOneof("model")
    if architecture not in schema.ARCHITECTURES:
        return None
    extractor = getattr(config.model, architecture).feature_extractor.type
    # It takes longer to read a template than to look for a word in it.
    likely = [name for name in template.names() if f'"{extractor}"' in template.text(name)]
    compared = [_resemblance(name, config) for name in likely]
    return min(compared, key=lambda one: (len(one.changes), len(one.lesser)), default=None)


def lines(like: Resemblance, config: Config, file: str, line_of: LineOf) -> list[str]:
    """One line with the number of fields, one for each field that decides the result, and one for all the others.

    Args:
      like: the template, and where the config differs.
      config: the config.
      file: the file of the config.
      line_of: the line of a field in this file.
    """
    count = len(like.changes) + len(like.lesser)
    differ = "1 field differs" if count == 1 else f"{count} fields differ"
    found = [f"{differ} from the template {like.template}{':' if count else '.'}"]
    found += [f"  {file}:{line_of(change.path)}: {change}" for change in like.changes]
    if like.lesser:
        others = "; ".join(f"{change} (line {line_of(change.path)})" for change in like.lesser)
        more = " more" if like.changes else ""
        found.append(f"  {file}: {len(like.lesser)}{more} that the data decides or the engine ignores: {others}")
    weights = zoo.checkpoint(like.template)
    if weights and not config.train_config.fine_tune_checkpoint:
        found.append(f"The config does not start from the weights published for this template: {weights.name}.")
    return found


def document(like: Resemblance, line_of: LineOf) -> dict[str, Any]:
    """The same in plain JSON types: of each change its path and line, the old value and the new value."""
    lists = {"changes": like.changes, "lesser": like.lesser}
    shown = {
        name: [{"path": one.path, "line": line_of(one.path), "old": one.old, "new": one.new} for one in changes]
        for name, changes in lists.items()
    }
    return {"template": like.template, **shown}


def _resemblance(name: str, config: Config) -> Resemblance:
    old, new = (_what_counts(one) for one in (published.read(name), config))
    _level(old, new)
    left_out = published.left_out(name)
    found = [change for change in difference.changes(old, new) if change.path not in left_out]
    ignored = () if new.train_config.fine_tune_checkpoint else _OF_CHECKPOINT
    is_lesser = [bool(_LESSER.fullmatch(one.path)) or one.path.startswith(ignored) for one in found]
    return Resemblance(
        template=name,
        changes=sorted((one for one, less in zip(found, is_lesser, strict=True) if not less), key=_place),
        lesser=sorted((one for one, less in zip(found, is_lesser, strict=True) if less), key=_place),
    )


def _place(change: Change) -> tuple[bool, int]:
    """By importance. The checkpoint comes last, next to the line about the template's weights."""
    return change.path == _CHECKPOINT, importance.rank(change.path)


def _what_counts(config: Config) -> Config:
    """The config without names of files, and in one form where the engine takes two."""
    kept = published.without_names(config)
    if not kept.eval_config.metrics_set:
        kept.eval_config.metrics_set.append("coco_detection_metrics")  # eval_util.EVAL_DEFAULT_METRIC
    training = kept.train_config
    if training.fine_tune_checkpoint and not training.fine_tune_checkpoint_type:
        # As in config_util.update_fine_tune_checkpoint_type.
        training.fine_tune_checkpoint_type = "detection" if training.from_detection_checkpoint else "classification"
    if training.fine_tune_checkpoint_type:
        training.ClearField("from_detection_checkpoint")
    return kept


def _level(one: Any, other: Any) -> None:
    """Removes differences between a field that is set to its default and a field that is not set, at any depth.

    A field that only one message sets to another value gets its default in the other, so that a difference shows the
    value there. It stays unset if the default is empty, or if nothing reads the field.
    """
    for field in one.DESCRIPTOR.fields:
        if is_list(field):
            if is_message(field):
                for pair in zip(getattr(one, field.name), getattr(other, field.name), strict=False):
                    _level(*pair)
        elif is_message(field):
            if one.HasField(field.name) and other.HasField(field.name):
                _level(getattr(one, field.name), getattr(other, field.name))
        elif field.containing_oneof is None and one.HasField(field.name) != other.HasField(field.name):
            having, lacking = (one, other) if one.HasField(field.name) else (other, one)
            if getattr(having, field.name) == field.default_value:
                having.ClearField(field.name)
            elif field.name not in _UNREAD and (
                field.default_value or field.type in (field.TYPE_BOOL, field.TYPE_ENUM)
            ):
                setattr(lacking, field.name, field.default_value)
