"""Finds better anchors for a data set: it tries all moves of a kind, makes the best one, and so on until none helps.

The same config and objects give the same answer. The search looks at no more than 10,000 objects, spread evenly over
all sizes, in the 12 sizes of the input with the most objects. It changes the size of the input only if the user limits
the number of pixels.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline_configs.anchors import anchor_set, coverage, generators, input_sizes, moves, pairs
from pipeline_configs.anchors.grid import Grid
from pipeline_configs.anchors.moves import Move
from pipeline_configs.anchors.objects import Framed, Objects, framed
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy import typing as npt

_JUDGED = 10_000
_FRAMES = 12

Size = tuple[int, int]
_MOST_TRIED = 3000
# A closer fit of all objects counts, but much less than one more covered object.
_WEIGHT_OF_IOU = 0.05
# A smaller gain is not worth another line in the config.
_LEAST_GAIN = 0.0005
# A closer fit of objects that are covered already is not worth a box predictor that has to be learnt anew.
_LEAST_COVERED = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What to change.

    Attributes:
      edits: the changes; empty if the search found nothing better.
      config: the config with the changes.
      anchors: how many anchors the largest input has then.
      frame: height and width of that input.
      tried: how many configs were tried.
    """

    edits: tuple[Edit, ...]
    config: Config
    anchors: int
    frame: Size
    tried: int


def fit(config: Config, objects: Objects, max_anchors: int | None = None, max_pixels: int | None = None) -> Proposal:
    """The anchors that cover most of `objects`.

    Args:
      config: the pipeline.config.
      objects: the objects to cover.
      max_anchors: how many anchors an input may have; by default as many as `config` has on an input of that size.
      max_pixels: how many pixels an input may have; by default its size stays.

    Raises:
      ConfigError: the model has no anchors, its feature maps are not known, or the engine would refuse its generator.
    """
    judge = _Judge(config, objects)
    limits = _Limits(config, judge, max_anchors, max_pixels)
    too_many = not limits.keep(config)
    present, best, tried = config, -math.inf if too_many else judge.score(config), 1
    made: dict[str, Edit] = {}
    kinds = (*moves.kinds(config), *(() if max_pixels is None else (input_sizes.of_config,)))
    turns, idle = itertools.cycle(kinds), 0
    while idle < len(kinds) and tried < _MOST_TRIED:
        idle += 1
        found: tuple[float, Move, Config] | None = None
        for move in next(turns)(present, judge.shapes):
            tried += 1
            other = _made(present, move)
            if not _possible(other) or not limits.keep(other):
                continue
            score = judge.score(other)
            if score > (found[0] if found else best + _LEAST_GAIN):
                found = (score, move, other)
        if found:
            idle, best, present = 0, found[0], found[2]
            made |= {edit.path: edit for edit in found[1]}
    worth_it = too_many or judge.covered(present) >= judge.covered(config) + _LEAST_COVERED
    edits = _needed(config, made, judge) if worth_it else ()
    proposed = _made(config, edits)
    return Proposal(
        edits=edits, config=proposed, anchors=judge.anchors(proposed), frame=judge.largest(proposed), tried=tried
    )


def _needed(config: Config, made: dict[str, Edit], judge: _Judge) -> tuple[Edit, ...]:
    """The edits without those that change nothing, or that a later one overrides."""
    edits = tuple(made.values())
    wanted = judge.laid(_made(config, edits))
    for edit in edits:
        rest = tuple(other for other in edits if other.path != edit.path)
        if judge.laid(_made(config, rest)) == wanted:
            edits = rest
    return edits


def _made(config: Config, edits: Sequence[Edit]) -> Config:
    return ConfigPatch(edits=tuple(edits)).apply(config)


def _possible(config: Config) -> bool:
    """Whether the box predictor can be built: if all layers share it, each layer needs the same number of anchors."""
    if not config.model.HasField("ssd"):
        return True
    counts = generators.per_position(moves.generator(config))
    shared = config.model.ssd.box_predictor.HasField("weight_shared_convolutional_box_predictor")
    return all(counts) and (not shared or len(set(counts)) == 1)


class _Judge:
    """Scores configs, by a part of the objects."""

    def __init__(self, config: Config, objects: Objects) -> None:
        import numpy as np

        self._threshold = coverage.threshold(config)
        learnt = objects.chosen(objects.weight > 0)
        parts = sorted(framed(learnt, _resizer(config)), key=lambda part: (-len(part.rows), part.frame))[:_FRAMES]
        if not parts:
            raise ConfigError(
                "the records have no object that counts in the loss, so there is nothing to fit anchors to."
            )
        total = sum(len(part.rows) for part in parts)
        rows = [_spread(part, max(1, _JUDGED * len(part.rows) // total)) for part in parts]
        self._objects = learnt.chosen(np.sort(np.concatenate(rows)))
        self._laid: dict[bytes, tuple[Framed, ...]] = {}
        sides = np.concatenate([part.pixels()[:, 2:] - part.pixels()[:, :2] for part in self._parts(config)])
        self.shapes = np.sort(np.log(sides[:, 1] / sides[:, 0]))

    def largest(self, config: Config) -> Size:
        """Height and width of the largest input."""
        return max((part.frame for part in self._parts(config)), key=lambda frame: (frame[0] * frame[1], frame))

    def anchors(self, config: Config) -> int:
        """How many anchors the largest input has."""
        return anchor_set.of_config(config, self.largest(config)).count

    def laid(self, config: Config) -> tuple[Size, tuple[Grid, ...]]:
        """The largest input and its anchors."""
        frame = self.largest(config)
        return frame, anchor_set.of_config(config, frame).grids

    def covered(self, config: Config) -> float:
        """The share of the objects that is covered."""
        return float((self._best(config) >= self._threshold).mean())

    def score(self, config: Config) -> float:
        """That share, plus a little for how closely the anchors fit."""
        best = self._best(config)
        return float((best >= self._threshold).mean()) + _WEIGHT_OF_IOU * float(best.mean())

    def _best(self, config: Config) -> npt.NDArray[np.float32]:
        """The highest IoU of each object with an anchor."""
        import numpy as np

        found = []
        for part in self._parts(config):
            anchors = anchor_set.of_config(config, part.frame)
            found.append(pairs.nearest_iou(anchors.located(part.fractions), anchors))
        return np.concatenate(found)

    def _parts(self, config: Config) -> tuple[Framed, ...]:
        """The objects as the config's resizer lays them into inputs."""
        resizer = _resizer(config)
        key = resizer.SerializeToString(deterministic=True)
        if key not in self._laid:
            self._laid[key] = tuple(framed(self._objects, resizer))
        return self._laid[key]


class _Limits:
    """How many anchors and pixels an input may have."""

    def __init__(self, config: Config, judge: _Judge, max_anchors: int | None, max_pixels: int | None) -> None:
        self._config = config
        self._judge = judge
        self._max_anchors = max_anchors
        self._max_pixels = max_pixels
        self._present: dict[Size, int] = {}
        self._anchors(judge.largest(config))

    def keep(self, config: Config) -> bool:
        """Whether `config` stays within the limits."""
        frame = self._judge.largest(config)
        if self._max_pixels is not None and math.prod(frame) > self._max_pixels:
            return False
        try:
            count = self._judge.anchors(config)
            return count <= (self._anchors(frame) if self._max_anchors is None else self._max_anchors)
        except ConfigError:
            return False  # an input of that size is too small for the network

    def _anchors(self, frame: Size) -> int:
        """How many anchors the original config has on an input of this size."""
        if frame not in self._present:
            self._present[frame] = anchor_set.of_config(self._config, frame).count
        return self._present[frame]


def _resizer(config: Config) -> Any:
    return getattr(config.model, config.model.WhichOneof("model")).image_resizer


def _spread(part: Framed, count: int) -> npt.NDArray[np.intp]:
    """The numbers of at most `count` of the objects, spread evenly from the smallest to the largest."""
    import numpy as np

    sides = part.fractions[:, 2:] - part.fractions[:, :2]
    order = np.argsort(sides.prod(axis=1), kind="stable")
    if len(order) > count:
        order = order[np.linspace(0, len(order) - 1, count).round().astype(np.int64)]
    return np.asarray(part.rows[order])
