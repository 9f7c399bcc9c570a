"""A config for a data set: a config to start from, what the data set decides, and the user's own edits on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline_configs import extractors
from pipeline_configs.dataset import Dataset
from pipeline_configs.making.request import Expanded, Request, expand
from pipeline_configs.patches import patch
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text import rewrite, schema
from pipeline_configs.text.text_proto import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeConfig:
    """A config that is ready to train.

    Attributes:
      config: the config.
      text: the content of the pipeline.config.
      changes: a line `path: old -> new` for each field that differs from the config that it was made from.
      style: "tf1" or "tf2", which decides how the engine trains it.
      kept: whether comments, order and layout of the text that it was made from are still there.
    """

    config: Config
    text: str
    changes: Sequence[str]
    style: extractors.Style
    kept: bool


def make(
    start: Config,
    dataset: Dataset | None,
    edits: Sequence[Edit] = (),
    extension: str | None = None,
) -> MadeConfig:
    """The config that trains `start` on `dataset`; `edits` come last and may override anything.

    Args:
      start: the config to begin with.
      dataset: the records; None leaves the config's own.
      edits: what the user sets.
      extension: the user's module that is said to bring the feature extractor.

    Raises:
      ConfigError: `start` has no model that the engine knows, or an edit names no field or has a value of another type.
      Problems: several edits do.
      RecordError: the data set has nothing to evaluate on.
    """
    return spelled_out(start, expand(Request(set=edits), start, dataset, extension), extension)


def spelled_out(
    start: Config, wishes: Sequence[Expanded], extension: str | None = None, *, text: str | None = None
) -> MadeConfig:
    """The config that `wishes`, one after the other, make of `start`.

    Args:
      start: the config to begin with.
      wishes: of `pipeline_configs.making.request.expand`.
      extension: the user's module that is said to bring the feature extractor.
      text: of `start`, where its comments and layout are to stay wherever nothing is changed.

    Raises:
      ConfigError: `start` has no model that the engine knows, or an edit names no field or has a value of another type.
      Problems: several edits do.
    """
    config = ConfigPatch(edits=tuple(edit for wish in wishes for edit in wish.edits)).apply(start)
    kept = None if text is None else rewrite.rewritten(text, config)
    return MadeConfig(
        config=config,
        text=schema.dump(config) if kept is None else kept,
        changes=patch.diff(start, config),
        style=extractors.style_of(config, extension),
        kept=kept is not None,
    )
