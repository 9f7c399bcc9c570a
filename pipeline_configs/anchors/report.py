"""What `fit_anchors` says: coverage before and after, and the proposal; lines for people and data for programs."""

from __future__ import annotations

import dataclasses
import math
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pipeline_configs.anchors import generators, moves
from pipeline_configs.anchors.coverage import Coverage
from pipeline_configs.anchors.objects import Objects
from pipeline_configs.anchors.search import Proposal
from pipeline_configs.text.text_proto import Config
from tfod_tools.base import tables

if TYPE_CHECKING:
    import numpy as np
    from numpy import typing as npt

# Sides of squares, in pixels of the image. Their areas are the limits of small, medium and large in COCO's metrics.
_COCO = (("small", 0, 32), ("medium", 32, 96), ("large", 96, float("inf")))
_SIDES = (0, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, float("inf"))
_RATIOS = (0, 0.2, 1 / 3, 0.5, 0.8, 1.25, 2, 3, 5, float("inf"))
_SHOWN_OBJECTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How the anchors cover some of the objects.

    Attributes:
      name: what these objects have in common.
      objects: how many there are.
      covered: the share with an anchor of enough IoU, 0 to 1.
      best: the mean of the highest IoU with an anchor.
      positives: the mean number of anchors that learn an object.
      without: how many objects no anchor learns.
    """

    name: str
    objects: int
    covered: float
    best: float
    positives: float
    without: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """All that there is to say.

    Attributes:
      config: the config as it is.
      objects: the objects of the training records.
      before: how the anchors of `config` cover them.
      proposal: what the search found.
      after: how the anchors of the proposal cover them; `before` where there is none.
      max_anchors: the limit that the user gave; None where the present number is the limit.
    """

    config: Config
    objects: Objects
    before: Coverage
    proposal: Proposal
    after: Coverage
    max_anchors: int | None

    def tables(self) -> Mapping[str, list[tuple[Row, Row]]]:
        """Rows before and after of each table, by the name of its first column; "" is the row of all objects."""
        # Both rows are about the same objects, by their sizes in the input as it is.
        after = dataclasses.replace(self.after, sides=self.before.sides)
        kinds: dict[str, Callable[[Coverage, Objects], list[Row]]] = {
            "": lambda coverage, objects: [all_of(coverage, objects)],
            "size in COCO": by_coco_size,
            "side, input px": by_side,
            "width / height": by_aspect_ratio,
            "class": by_class,
        }
        return {
            name: list(zip(rows(self.before, self.objects), rows(after, self.objects), strict=True))
            for name, rows in kinds.items()
        }


def lines(fit: Fit) -> list[str]:
    """The tables, the objects without an anchor, and the proposal."""
    found = []
    for name, rows in fit.tables().items():
        columns = (name, "objects", f"IoU >= {fit.before.threshold:.2g}", "best IoU", "positives", "none")
        found += [*tables.lines(columns, [_cells(*pair) for pair in rows]), ""]
    return [*found, *_pruning(fit), *_missed(fit), *_proposal(fit)]


def document(fit: Fit) -> dict[str, Any]:
    """The same for programs; docs/fit_anchors.md describes the keys."""
    names = ("all", "coco_size", "side", "aspect_ratio", "class")
    proposal, pruned = fit.proposal, _pruned(fit.before, fit.objects)
    return {
        "threshold": fit.before.threshold,
        "coverage": {
            name: [{"before": dataclasses.asdict(one), "after": dataclasses.asdict(other)} for one, other in rows]
            for name, rows in zip(names, fit.tables().values(), strict=True)
        },
        "border": None
        if pruned is None
        else dict(zip(("input", "anchors", "left_out", "objects"), pruned, strict=True)),
        "without_anchor": [_object(fit, number) for number in without_anchor(fit.before, fit.objects)],
        "anchors": {"before": _most_anchors(fit.before), "after": proposal.anchors},
        "input": {"before": list(_largest(fit.before)), "after": list(proposal.frame)},
        "tried": proposal.tried,
        "proposal": [{"path": edit.path, "value": edit.value} for edit in proposal.edits],
        "predictor_changes": _predictor_changes(fit),
    }


def _cells(now: Row, then: Row) -> tuple[object, ...]:
    cells = [(f"{row.covered:.1%}", f"{row.best:.3f}", f"{row.positives:.1f}", f"{row.without}") for row in (now, then)]
    return (now.name, now.objects, *(f"{one} → {other}" for one, other in zip(*cells, strict=True)))


def _pruning(fit: Fit) -> Iterator[str]:
    pruned = _pruned(fit.before, fit.objects)
    if pruned is not None:
        (height, width), count, left_out, lost = pruned
        yield (
            f"On an input of {height} x {width}, {left_out} of {count} anchors reach beyond the border now, and"
            f" training leaves them out. Because of that, {lost} objects are not covered. To keep these anchors, set"
            " clip_anchors_to_image to true."
        )


def _pruned(coverage: Coverage, objects: Objects) -> tuple[list[int], int, int, int] | None:
    """An input, how many anchors it has, how many of them are left out, and how many objects that leaves uncovered."""
    if coverage.before_pruning is None:
        return None
    frame, (count, left) = max(coverage.anchors.items(), key=lambda item: (item[1][0], item[0]))
    lost = (coverage.before_pruning >= coverage.threshold) & ~coverage.covered & (objects.weight > 0)
    return list(frame), count, count - left, int(lost.sum())


def _missed(fit: Fit) -> Iterator[str]:
    missed = without_anchor(fit.before, fit.objects)
    for number in missed[:_SHOWN_OBJECTS]:
        one = _object(fit, number)
        size = f"{one['width']:.0f} x {one['height']:.0f}"
        yield f"No anchor learns this object now: {one['class']}, {size} pixels of the input, in {one['image']}"
    if len(missed) > _SHOWN_OBJECTS:
        yield f"... and {len(missed) - _SHOWN_OBJECTS} more"


def _object(fit: Fit, number: int) -> dict[str, Any]:
    """The object's image and class, and its sides in pixels of the input."""
    objects, (height, width) = fit.objects, fit.before.sides[number]
    return {
        "image": objects.images[objects.image[number]],
        "class": objects.names[objects.label[number]],
        "width": float(width),
        "height": float(height),
    }


def _proposal(fit: Fit) -> Iterator[str]:
    now, proposal = _most_anchors(fit.before), fit.proposal
    if not proposal.edits:
        limit = now if fit.max_anchors is None else fit.max_anchors
        yield f"{now} anchors now. {proposal.tried} configs were tried: none with up to {limit} anchors covers more."
        return
    frame = _largest(fit.before)
    if frame != proposal.frame:
        times = math.prod(proposal.frame) / math.prod(frame)
        sizes = " then ".join(f"{height} x {width}" for height, width in (frame, proposal.frame))
        yield f"Input of {sizes}: {times:.2f} times the pixels, and about as many times the computation and memory."
    yield f"{now} anchors now, {proposal.anchors} then. {proposal.tried} configs were tried. Flags for make_config:"
    yield from (f"  --set {shlex.quote(f'{edit.path}={edit.value}')}" for edit in proposal.edits)
    if _predictor_changes(fit):
        yield (
            "The number of anchors at a position changes. The box predictor of a checkpoint then no longer fits, and is"
            " learnt anew."
        )


def _predictor_changes(fit: Fit) -> bool:
    before, after = (generators.per_position(moves.generator(one)) for one in (fit.config, fit.proposal.config))
    return before != after


def _most_anchors(coverage: Coverage) -> int:
    return max(count for count, _ in coverage.anchors.values())


def _largest(coverage: Coverage) -> tuple[int, int]:
    """The largest input, height and width."""
    return max(coverage.anchors, key=lambda frame: (math.prod(frame), frame))


def all_of(coverage: Coverage, objects: Objects) -> Row:
    """All objects that count in the loss."""
    return _row("all", coverage, objects.weight > 0)


def by_coco_size(coverage: Coverage, objects: Objects) -> list[Row]:
    """By the sizes of COCO's metrics, in pixels of the image."""
    areas, learnt = objects.sides().prod(axis=1), objects.weight > 0
    return [_row(name, coverage, learnt & (areas >= low**2) & (areas < high**2)) for name, low, high in _COCO]


def by_side(coverage: Coverage, objects: Objects) -> list[Row]:
    """By the side of a square of the same area, in pixels of the input."""
    import numpy as np

    return _binned(coverage, objects, np.sqrt(coverage.sides.prod(axis=1)), _SIDES)


def by_aspect_ratio(coverage: Coverage, objects: Objects) -> list[Row]:
    """By width / height, in pixels of the input."""
    return _binned(coverage, objects, coverage.sides[:, 1] / coverage.sides[:, 0], _RATIOS)


def by_class(coverage: Coverage, objects: Objects) -> list[Row]:
    """By class, in the order of the names."""
    rows = [
        _row(name, coverage, (objects.weight > 0) & (objects.label == number))
        for number, name in sorted(enumerate(objects.names), key=lambda pair: pair[1])
    ]
    return [row for row in rows if row.objects]


def without_anchor(coverage: Coverage, objects: Objects) -> npt.NDArray[np.intp]:
    """Numbers of the objects that no anchor learns, the smallest object first."""
    import numpy as np

    numbers = np.flatnonzero((coverage.positives == 0) & (objects.weight > 0))
    return numbers[np.argsort(coverage.sides[numbers].prod(axis=1), kind="stable")]


def _binned(coverage: Coverage, objects: Objects, values: npt.NDArray[np.float64], edges: Sequence[float]) -> list[Row]:
    rows = []
    for low, high in pairwise(edges):
        name = f"{low:.3g} and more" if high == edges[-1] else f"{low:.3g} to {high:.3g}"
        rows.append(_row(name, coverage, (objects.weight > 0) & (values >= low) & (values < high)))
    return [row for row in rows if row.objects]


def _row(name: str, coverage: Coverage, which: npt.NDArray[np.bool_]) -> Row:
    count = int(which.sum())
    means = [
        float(values[which].mean()) if count else 0.0
        for values in (coverage.covered, coverage.best, coverage.positives)
    ]
    return Row(
        name=name,
        objects=count,
        covered=means[0],
        best=means[1],
        positives=means[2],
        without=int((coverage.positives[which] == 0).sum()),
    )
