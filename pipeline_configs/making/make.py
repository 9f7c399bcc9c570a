"""Makes a config: from a config to start with, the records, and the changes that the user asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline_configs import extractors
from pipeline_configs.dataset import Dataset
from pipeline_configs.extractors import Style
from pipeline_configs.making import edits
from pipeline_configs.making.fill import fill
from pipeline_configs.patches import difference, patch
from pipeline_configs.patches.difference import Change
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.schedules import run
from pipeline_configs.schedules.run import Run
from pipeline_configs.text.text_proto import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the user asks for, in the order in which it is done. Of two values for one field, the later one counts.

    Attributes:
      patches: patches from files.
      run: batch size, length and learning rate.
      weights: the edits for published weights, by the flag that asks for them.
      named: values of named edits, by name.
      unset: paths of fields, and of items of lists by their index.
      set: edits by field path.
    """

    patches: Sequence[ConfigPatch] = ()
    run: Run = field(default_factory=Run)
    weights: Mapping[str, Sequence[Edit]] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    unset: Sequence[str] = ()
    set: Sequence[Edit] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One part of a request, as edits by field path.

    Attributes:
      flags: the flags that ask for it; "" for the records, `--patch` and `--set`.
      edits: the edits, in their order.
      reason: why these edits, in sentences; mostly "".
    """

    flags: str
    edits: tuple[Edit, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeConfig:
    """A config that is ready to train.

    Attributes:
      config: the config.
      steps: how it was made, in order.
      changes: the fields that differ from the config that it started with.
      style: how the engine trains it.
    """

    config: Config
    steps: tuple[Step, ...]
    changes: Sequence[Change]
    style: Style


def make(start: Config, request: Request, dataset: Dataset | None, extension: str | None = None) -> MadeConfig:
    """The config that `request` makes of `start`, for the records of `dataset`.

    Args:
      start: the config to start with.
      request: what the user asks for.
      dataset: the records; with None, the config keeps its own.
      extension: the user's module with a feature extractor.

    Raises:
      ConfigError: an edit names no field or has a value that does not fit, or the config has no known model.
      Problems: several edits are wrong.
      RecordError: the records have nothing to evaluate on.
      UsageError: a named edit cannot be read, or has no meaning for this config.
    """
    steps = _steps(request, start, dataset, extension)
    config = _applied(steps, start)
    return MadeConfig(
        config=config,
        steps=steps,
        changes=difference.changes(start, config),
        style=extractors.style_of(config, extension),
    )


def _steps(request: Request, start: Config, dataset: Dataset | None, extension: str | None) -> tuple[Step, ...]:
    filled = fill(start, dataset).edits if dataset else ()
    patched = [Step(flags="", edits=each.edits) for each in request.patches]
    steps = [Step(flags="", edits=filled), *patched]
    if request.run.is_wished():
        # The learning rate belongs to the batch size of the start, even if there are fewer images than that.
        without_batch = tuple(edit for edit in filled if edit.path != "train_config.batch_size")
        base = _applied([Step(flags="", edits=without_batch), *patched], start)
        split = dataset.train if dataset else None
        sized = run.sized(request.run, base, extractors.style_of(base, extension), split)
        steps.append(Step(flags=request.run.flags(), edits=sized.edits, reason=sized.reason))
    steps += (Step(flags=flag, edits=tuple(more)) for flag, more in request.weights.items())
    for name, text in request.named.items():
        named = edits.edits(name, text, _applied(steps, start))
        steps.append(Step(flags=f"--{name}={text}", edits=named))
    if request.unset:
        flags = " ".join(f"--unset={path}" for path in request.unset)
        steps.append(Step(flags=flags, edits=patch.unset(request.unset, _applied(steps, start)).edits))
    return (*steps, Step(flags="", edits=tuple(request.set)))


def _applied(steps: Sequence[Step], start: Config) -> Config:
    return ConfigPatch(edits=tuple(edit for step in steps for edit in step.edits)).apply(start)
