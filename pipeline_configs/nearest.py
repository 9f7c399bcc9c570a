"""Which template a config resembles most, and where it differs: people change more than they remember."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_configs import importance, patch, schema, template
from pipeline_configs.field_path import is_list, is_message
from pipeline_configs.text_proto import Config

# What data and machine decide, and what has no influence on the result.
_LEFT_OUT = (
    *(".num_classes:", "train_config.fine_tune_", "train_config.from_detection_checkpoint:"),
    *("train_config.sync_replicas:", "train_config.replicas_to_aggregate:", "train_config.startup_delay_steps:"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resemblance:
    """The template that a config is most like.

    Attributes:
      template: its name.
      changes: a line `path: template's value -> config's value` for each field of the model, of training and of
        quantisation that has another meaning, by importance; a default that is written out is no difference.
    """

    template: str
    changes: Sequence[str]


def nearest(config: Config) -> Resemblance | None:
    """The template with the config's feature extractor that differs in the fewest fields; None where there is none."""
    architecture = config.model.WhichOneof("model")
    if architecture not in schema.ARCHITECTURES:
        return None
    extractor = getattr(config.model, architecture).feature_extractor.type
    # Reading a template takes longer than looking for a word in it.
    likely = [name for name in template.names() if f'"{extractor}"' in template.text(name)]
    compared = [Resemblance(template=name, changes=_changes(template.read(name), config)) for name in likely]
    return min(compared, key=lambda one: len(one.changes), default=None)


def _changes(before: Config, after: Config) -> list[str]:
    old, new = (_what_counts(config) for config in (before, after))
    _write_defaults(old, new)
    found = [change for change in patch.diff(old, new) if not any(part in change for part in _LEFT_OUT)]
    return sorted(found, key=lambda change: importance.rank(change.partition(": ")[0]))


def _what_counts(config: Config) -> Config:
    return type(config)(model=config.model, train_config=config.train_config, graph_rewriter=config.graph_rewriter)


def _write_defaults(one: Any, other: Any) -> None:
    """Sets each field that only one of two messages has, at any depth, to its default in the other one."""
    for field in one.DESCRIPTOR.fields:
        if is_list(field):
            if is_message(field):
                for pair in zip(getattr(one, field.name), getattr(other, field.name), strict=False):
                    _write_defaults(*pair)
        elif is_message(field):
            if one.HasField(field.name) and other.HasField(field.name):
                _write_defaults(getattr(one, field.name), getattr(other, field.name))
        elif field.containing_oneof is None and one.HasField(field.name) != other.HasField(field.name):
            lacking = other if one.HasField(field.name) else one
            setattr(lacking, field.name, field.default_value)
