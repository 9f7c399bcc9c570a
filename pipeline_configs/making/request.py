"""What a user wants of a config, as one sequence of edits by field path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline_configs import extractors
from pipeline_configs.dataset import Dataset
from pipeline_configs.making import edits
from pipeline_configs.making.fill import fill
from pipeline_configs.patches import patch
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.schedules import run
from pipeline_configs.schedules.run import Run
from pipeline_configs.text.text_proto import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The wishes, in the order in which they count: of two for one field the later wins.

    Attributes:
      patches: patches from files.
      run: batch, length and learning rate.
      named: values of named edits, by name.
      more: further edits that a flag stands for, by that flag as it was given.
      unset: paths of fields, and of items by their number.
      set: edits by field path.
    """

    patches: Sequence[ConfigPatch] = ()
    run: Run = field(default_factory=Run)
    named: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Sequence[Edit]] = field(default_factory=dict)
    unset: Sequence[str] = ()
    set: Sequence[Edit] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expanded:
    """A wish, spelled out.

    Attributes:
      wish: the flags, as they were given; "" for edits that were spelled out already.
      edits: by field path.
      reason: why these, in a sentence; mostly "".
    """

    wish: str
    edits: tuple[Edit, ...]
    reason: str = ""


def expand(request: Request, start: Config, dataset: Dataset | None, extension: str | None) -> tuple[Expanded, ...]:
    """Everything that makes a config of `start`, the data set included, in the order in which it is to be applied.

    Args:
      request: the wishes.
      start: the config to begin with.
      dataset: the records; None leaves the config's own.
      extension: the user's module that is said to bring the feature extractor.

    Raises:
      ConfigError: an edit names no field or has a value that does not fit, or `start` has no known model.
      Problems: several edits do.
      RecordError: the data set has nothing to evaluate on.
      UsageError: a wish cannot be read, or has no meaning for this config.
    """
    filled = fill(start, dataset).edits if dataset else ()
    patched = [Expanded(wish="", edits=each.edits) for each in request.patches]
    parts = [Expanded(wish="", edits=filled), *patched]
    if request.run.is_wished():
        # The learning rate belongs to the batch of the start, also where there are fewer images than that.
        but_batch = tuple(edit for edit in filled if edit.path != "train_config.batch_size")
        base = _applied([Expanded(wish="", edits=but_batch), *patched], start)
        parts.append(_sized(request.run, base, dataset, extension))
    parts += (Expanded(wish=flag, edits=tuple(more)) for flag, more in request.more.items())
    for name, text in request.named.items():
        spelled = edits.edits(name, text, _applied(parts, start))
        parts.append(Expanded(wish=f"--{name}={text}", edits=spelled))
    if request.unset:
        wish = " ".join(f"--unset={path}" for path in request.unset)
        parts.append(Expanded(wish=wish, edits=patch.unset(request.unset, _applied(parts, start)).edits))
    return (*parts, Expanded(wish="", edits=tuple(request.set)))


def _applied(parts: Sequence[Expanded], start: Config) -> Config:
    return ConfigPatch(edits=tuple(edit for part in parts for edit in part.edits)).apply(start)


def _sized(wished: Run, base: Config, dataset: Dataset | None, extension: str | None) -> Expanded:
    sized = run.sized(wished, base, extractors.style_of(base, extension), dataset.train if dataset else None)
    return Expanded(wish=wished.flags(), edits=sized.edits, reason=sized.reason)
