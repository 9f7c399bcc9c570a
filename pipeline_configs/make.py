"""A config for a data set: a config to start from, what the data set decides, and the user's own edits on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline_configs import patch, schema, style
from pipeline_configs.dataset import Dataset
from pipeline_configs.fill import fill
from pipeline_configs.patch import ConfigPatch, Edit
from pipeline_configs.text_proto import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeConfig:
    """A config that is ready to train.

    Attributes:
      text: the content of the pipeline.config.
      changes: a line `path: old -> new` for each field that differs from the config that it was made from.
      style: "tf1" or "tf2", which decides how the engine trains it.
    """

    text: str
    changes: Sequence[str]
    style: style.Style


def make(start: Config, dataset: Dataset, edits: Sequence[Edit] = (), extension: str | None = None) -> MadeConfig:
    """The config that trains `start` on `dataset`; `edits` come last and may override anything.

    Args:
      start: the config to begin with.
      dataset: the records.
      edits: what the user sets.
      extension: the user's module that is said to bring the feature extractor.

    Raises:
      ConfigError: `start` has no model that the engine knows, or an edit names no field or has a value of another type.
      Problems: several edits do.
      RecordError: the data set has nothing to evaluate on.
    """
    filled = fill(start, dataset).apply(start)
    config = ConfigPatch(edits=tuple(edits)).apply(filled)
    found = style.style_of(config, extension)
    return MadeConfig(text=schema.dump(config), changes=patch.diff(start, config), style=found)
