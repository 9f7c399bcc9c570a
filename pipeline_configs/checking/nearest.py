"""Which template a config resembles most, and where it differs: people change more than they remember."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_configs.checking import legacy
from pipeline_configs.making import published, template
from pipeline_configs.patches import difference, importance
from pipeline_configs.patches.difference import Change
from pipeline_configs.patches.field_path import is_list, is_message
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config

_CHECKPOINT = "train_config.fine_tune_checkpoint"
# How its weights are read, or whether; nothing without it.
_OF_CHECKPOINT = (f"{_CHECKPOINT}_", "train_config.from_detection_checkpoint", "train_config.load_all_detection_")
_UNREAD = (*legacy.TRAINER, *legacy.QUEUES, *legacy.EVALUATION)
# What the data decides; or without influence: the engine evaluates all records once, in whatever order.
_LESSER = re.compile(
    r"model\.\w+\.num_classes|.+\.keypoint_class_name|.+_input_reader(\[\d+\])?\.mask_type"
    r"|eval_input_reader\[0\]\.(shuffle|num_epochs)"
    rf"|train_config\.({'|'.join((*legacy.TRAINER, *legacy.QUEUES))})|eval_config\.({'|'.join(legacy.EVALUATION)})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resemblance:
    """The template that a config is most like, and every field that has another meaning than in what was published.

    Names of files do not count, and a default that is written out is no difference.

    Attributes:
      template: its name.
      changes: fields that decide the result, by importance: the template's value, then the config's.
      lesser: fields that the data decides or the engine ignores.
    """

    template: str
    changes: Sequence[Change]
    lesser: Sequence[Change]


def nearest(config: Config) -> Resemblance | None:
    """The template with the config's feature extractor that differs in the fewest fields; None where there is none.

    Fields that decide the result come first, then the others; of equal ones, the first by name.
    """
    architecture = config.model.WhichOneof("model")
    if architecture not in schema.ARCHITECTURES:
        return None
    extractor = getattr(config.model, architecture).feature_extractor.type
    # Reading a template takes longer than looking for a word in it.
    likely = [name for name in template.names() if f'"{extractor}"' in template.text(name)]
    compared = [_resemblance(name, config) for name in likely]
    return min(compared, key=lambda one: (len(one.changes), len(one.lesser)), default=None)


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
    """By importance; the checkpoint comes last, beside what is said of the weights for the template."""
    return change.path == _CHECKPOINT, importance.rank(change.path)


def _what_counts(config: Config) -> Config:
    """The config without names of files, and written in one way where the engine knows two."""
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
    """Makes no difference of a default that only one of two messages writes out, at any depth.

    Any other field that only one has gets its default in the other, so that a difference shows what holds there; it
    stays unset where that is nothing, or where nothing reads it.
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
