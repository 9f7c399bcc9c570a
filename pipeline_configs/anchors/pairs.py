"""The pairs of objects and anchors that overlap enough, found without looking at every pair.

A grid has the same shapes at each of its positions. For anchors of one shape, the IoU with an object grows as their
centres come nearer. The IoU can reach t only if the distance of the centres, on each axis, is at most
(1 - t) / (1 + t) times half the sum of the sides. The reason: two intervals of lengths a and b with a distance d of
their centres share at most (a + b) / 2 - d, and their IoU in one dimension is at least the IoU of the boxes. So the
anchors within this distance are computed, and only their IoU is taken, by the engine's formula on the engine's numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline_configs.anchors import matcher
from pipeline_configs.anchors.anchor_set import AnchorSet

if TYPE_CHECKING:
    import numpy as np
    from numpy import typing as npt

    _Pair = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]

_ROWS_AT_ONCE = 20_000  # bounds the memory
_SLACK = 1e-3  # of a stride, for what rounding does to centres


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """The positions of one shape along one axis. Only those from `low` to `high` take part in training."""

    first: float
    step: float
    side: float
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """The anchors of one shape on one feature map: their numbers are start + (row * columns + column) * step."""

    start: int
    step: int
    columns: int
    axes: tuple[_Axis, _Axis]


def nearest_iou(boxes: npt.NDArray[np.float32], anchors: AnchorSet) -> npt.NDArray[np.float32]:
    """The highest IoU of each box with an anchor [boxes], up to rounding.

    If anchors are clipped, this is the IoU with the nearest anchor of each shape before clipping. The true one may be
    higher.

    Args:
      boxes: [boxes, 4] in the anchors' coordinates.
      anchors: all anchors.
    """
    import numpy as np

    best: npt.NDArray[np.float32] = np.zeros(len(boxes), np.float32)
    middles, sides = _middles_and_sides(boxes)
    areas = sides[0] * sides[1]
    for shape in _shapes(anchors):
        both: npt.NDArray[np.float32] = np.ones(len(boxes), np.float32)
        for axis, middle, side in zip(shape.axes, middles, sides, strict=True):
            steps = np.clip(np.rint((middle - np.float32(axis.first)) / np.float32(axis.step)), axis.low, axis.high)
            apart = np.abs(middle - np.float32(axis.first) - steps * np.float32(axis.step))
            shared = np.minimum(np.minimum(side, np.float32(axis.side)), (side + np.float32(axis.side)) / 2 - apart)
            both = both * np.maximum(shared, np.float32(0))
        np.maximum(best, both / (areas + np.float32(shape.axes[0].side * shape.axes[1].side) - both), out=best)
    return best


def overlapping(
    boxes: npt.NDArray[np.float32],
    anchors: AnchorSet,
    coordinates: npt.NDArray[np.float32],
    least: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Every pair of a box and an anchor with an IoU of at least `least`.

    Args:
      boxes: [boxes, 4] in the anchors' coordinates.
      anchors: all anchors.
      coordinates: the result of `anchors.boxes()`.
      least: the lowest IoU for each box [boxes], more than 0.

    Returns:
      For each pair, the number of the box, the number of the anchor, and the IoU [pairs]. Anchors that are left out in
      training are not among them.
    """
    import numpy as np

    found: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float32]]] = [
        (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    ]
    shapes = list(_shapes(anchors))
    for start in range(0, len(boxes), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        for shape in shapes:
            rows, columns = _candidates(boxes[some], shape, least[some], clipped=anchors.border == "clipped")
            similarity = matcher.iou(boxes[some][rows], coordinates[columns])
            enough = similarity >= least[some][rows]
            found.append((rows[enough] + start, columns[enough], similarity[enough]))
    rows, columns, similarity = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return rows, columns, similarity


def _candidates(
    boxes: npt.NDArray[np.float32], shape: _Shape, least: npt.NDArray[np.float32], *, clipped: bool
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The numbers of boxes, and of the anchors of one shape that may overlap them by `least`."""
    import numpy as np

    middles, sides = _middles_and_sides(boxes)
    own, anchor = sides[0] * sides[1], shape.axes[0].side * shape.axes[1].side
    inside = np.minimum(sides[0], shape.axes[0].side) * np.minimum(sides[1], shape.axes[1].side)
    # A clipped anchor may be as small as the part that lies in the box.
    highest = inside / own if clipped else inside / (own + anchor - inside)
    rows = np.flatnonzero(highest >= least * (1 - _SLACK))
    spans = []
    for axis, middle, side in zip(shape.axes, middles, sides, strict=True):
        both, enough = side[rows] + axis.side, least[rows]
        reach = both / 2 - enough * side[rows] if clipped else both / 2 * (1 - enough) / (1 + enough)
        at = (middle[rows] - axis.first) / axis.step
        low = np.maximum(np.ceil(at - reach / axis.step - _SLACK), axis.low).astype(np.int64)
        high = np.minimum(np.floor(at + reach / axis.step + _SLACK), axis.high).astype(np.int64)
        spans.append((low, np.maximum(high - low + 1, 0)))
    (top, tall), (left, wide) = spans
    counts = tall * wide
    of_pair: npt.NDArray[np.int64] = np.repeat(np.arange(len(rows)), counts)
    within = np.arange(len(of_pair)) - np.repeat(np.cumsum(counts) - counts, counts)
    row = top[of_pair] + within // wide[of_pair]
    column = left[of_pair] + within % wide[of_pair]
    return rows[of_pair], shape.start + (row * shape.columns + column) * shape.step


def _middles_and_sides(boxes: npt.NDArray[np.float32]) -> tuple[_Pair, _Pair]:
    """Centres and sides of the boxes, each down and to the right."""
    middles = tuple((boxes[:, axis] + boxes[:, axis + 2]) / 2 for axis in (0, 1))
    sides = tuple(boxes[:, axis + 2] - boxes[:, axis] for axis in (0, 1))
    return (middles[0], middles[1]), (sides[0], sides[1])


def _shapes(anchors: AnchorSet) -> Iterator[_Shape]:
    """Every shape of every grid that still has an anchor in training."""
    start = 0
    for grid in anchors.grids:
        sides, centres = grid.sides(), grid.centres()
        for number in range(len(grid.scales)):
            axes = [
                _axis(centres[axis], float(sides[axis][number]), float(grid.unit[axis]), anchors, axis)
                for axis in (0, 1)
            ]
            if all(axis.low <= axis.high and axis.side > 0 for axis in axes):
                yield _Shape(start=start + number, step=len(grid.scales), columns=grid.columns, axes=(axes[0], axes[1]))
        start += grid.count


def _axis(centres: npt.NDArray[np.float32], side: float, unit: float, anchors: AnchorSet, axis: int) -> _Axis:
    import numpy as np

    low, high = 0, len(centres) - 1
    if anchors.border == "pruned":
        half = np.float32(0.5) * np.float32(side)
        ends = np.float32(unit) * (centres - half), np.float32(unit) * (centres + half)
        inside = np.flatnonzero((ends[0] >= 0) & (ends[1] <= np.float32(anchors.window[axis])))
        low, high = (int(inside[0]), int(inside[-1])) if len(inside) else (0, -1)
    step = float(centres[1] - centres[0]) if len(centres) > 1 else 1.0
    return _Axis(first=float(centres[0]) * unit, step=step * unit, side=side * unit, low=low, high=high)
