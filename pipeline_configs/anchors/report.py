"""Coverage counted: by size, aspect ratio and class, as rows for people to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pipeline_configs.anchors.coverage import Coverage
from pipeline_configs.anchors.objects import Objects

# Sides of the squares, in pixels of the image, whose areas part small, medium and large objects in COCO's metrics.
_COCO = (("small", 0, 32), ("medium", 32, 96), ("large", 96, float("inf")))
_SIDES = (0, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, float("inf"))
_RATIOS = (0, 0.2, 1 / 3, 0.5, 0.8, 1.25, 2, 3, 5, float("inf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the anchors are to some of the objects.

    Attributes:
      name: of those objects.
      objects: how many they are.
      covered: the share that has an anchor of enough IoU.
      best: mean of the highest IoU with an anchor.
      positives: mean number of anchors that learn an object.
      without: how many objects no anchor learns.
    """

    name: str
    objects: int
    covered: float
    best: float
    positives: float
    without: int


def all_of(coverage: Coverage, objects: Objects) -> Row:
    """All objects that are to be learnt."""
    return _row("all", coverage, objects.weight > 0)


def by_coco_size(coverage: Coverage, objects: Objects) -> list[Row]:
    """The sizes of COCO's metrics, in pixels of the image."""
    areas, learnt = objects.sides().prod(axis=1), objects.weight > 0
    return [_row(name, coverage, learnt & (areas >= low**2) & (areas < high**2)) for name, low, high in _COCO]


def by_side(coverage: Coverage, objects: Objects) -> list[Row]:
    """Sides of squares of the objects' areas, in pixels of the input."""
    import numpy as np

    return _binned(coverage, objects, np.sqrt(coverage.sides.prod(axis=1)), _SIDES)


def by_aspect_ratio(coverage: Coverage, objects: Objects) -> list[Row]:
    """Width / height, in pixels of the input."""
    return _binned(coverage, objects, coverage.sides[:, 1] / coverage.sides[:, 0], _RATIOS)


def by_class(coverage: Coverage, objects: Objects) -> list[Row]:
    """One row a class, by name."""
    rows = [
        _row(name, coverage, (objects.weight > 0) & (objects.label == number))
        for number, name in sorted(enumerate(objects.names), key=lambda pair: pair[1])
    ]
    return [row for row in rows if row.objects]


def without_anchor(coverage: Coverage, objects: Objects) -> Any:
    """Numbers of the objects that no anchor learns, the smallest object first, int [objects]."""
    import numpy as np

    numbers = np.flatnonzero((coverage.positives == 0) & (objects.weight > 0))
    return numbers[np.argsort(coverage.sides[numbers].prod(axis=1), kind="stable")]


def _binned(coverage: Coverage, objects: Objects, values: Any, edges: Sequence[float]) -> list[Row]:
    rows = []
    for low, high in pairwise(edges):
        name = f"{low:.3g} and more" if high == edges[-1] else f"{low:.3g} to {high:.3g}"
        rows.append(_row(name, coverage, (objects.weight > 0) & (values >= low) & (values < high)))
    return [row for row in rows if row.objects]


def _row(name: str, coverage: Coverage, which: Any) -> Row:
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
