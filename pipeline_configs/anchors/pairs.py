"""The pairs of objects and anchors that overlap enough to matter, found without looking at every pair.

Around the positions of a grid stand the same shapes. The IoU of an object with the anchors of one shape is the higher
the nearer their centres are, and is at least t only where the centres are no farther apart, on either axis, than
(1 - t) / (1 + t) times half the sum of the sides: intervals of lengths a and b whose centres are d apart share at most
(a + b) / 2 - d, and their one-dimensional IoU is no less than that of the boxes. Which anchors those are is computed,
and their IoU is then taken from the engine's formula on the engine's numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline_configs.anchors import matcher
from pipeline_configs.anchors.anchor_set import AnchorSet

_ROWS_AT_ONCE = 20_000  # bounds the memory
_SLACK = 1e-3  # of a stride, for what rounding does to centres


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axis:
    """The positions of one shape along one axis; those from `low` to `high` exist in training."""

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


def nearest_iou(boxes: Any, anchors: AnchorSet) -> Any:
    """The highest IoU of each box with an anchor, float32 [boxes], but for rounding.

    Where anchors are clipped it may be higher; this is then that of the nearest anchor of each shape before clipping.

    Args:
      boxes: float32 [boxes, 4] in the anchors' coordinates.
      anchors: all of them.
    """
    import numpy as np

    best: Any = np.zeros(len(boxes), np.float32)
    middles, sides = _middles_and_sides(boxes)
    areas = sides[0] * sides[1]
    for shape in _shapes(anchors):
        both = np.float32(1)
        for axis, middle, side in zip(shape.axes, middles, sides, strict=True):
            steps = np.clip(np.rint((middle - np.float32(axis.first)) / np.float32(axis.step)), axis.low, axis.high)
            apart = np.abs(middle - np.float32(axis.first) - steps * np.float32(axis.step))
            shared = np.minimum(np.minimum(side, np.float32(axis.side)), (side + np.float32(axis.side)) / 2 - apart)
            both = both * np.maximum(shared, np.float32(0))
        np.maximum(best, both / (areas + np.float32(shape.axes[0].side * shape.axes[1].side) - both), out=best)
    return best


def overlapping(boxes: Any, anchors: AnchorSet, coordinates: Any, least: Any) -> tuple[Any, Any, Any]:
    """Every pair of a box and an anchor whose IoU is at least that box's `least`.

    Args:
      boxes: float32 [boxes, 4] in the anchors' coordinates.
      anchors: all of them.
      coordinates: what `anchors.boxes()` is.
      least: float [boxes], more than 0.

    Returns:
      Number of the box, number of the anchor, IoU: three arrays. Anchors that are pruned are not among them.
    """
    import numpy as np

    found: list[tuple[Any, Any, Any]] = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]
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


def _candidates(boxes: Any, shape: _Shape, least: Any, *, clipped: bool) -> tuple[Any, Any]:
    """Boxes, and the anchors of one shape that may overlap them by `least` at all: numbers of both."""
    import numpy as np

    middles, sides = _middles_and_sides(boxes)
    own, anchor = sides[0] * sides[1], shape.axes[0].side * shape.axes[1].side
    inside = np.minimum(sides[0], shape.axes[0].side) * np.minimum(sides[1], shape.axes[1].side)
    # A clipped anchor may be as small as the part that it shares with the box.
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
    of_pair: Any = np.repeat(np.arange(len(rows)), counts)
    within = np.arange(len(of_pair)) - np.repeat(np.cumsum(counts) - counts, counts)
    row = top[of_pair] + within // wide[of_pair]
    column = left[of_pair] + within % wide[of_pair]
    return rows[of_pair], shape.start + (row * shape.columns + column) * shape.step


def _middles_and_sides(boxes: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    middles = tuple((boxes[:, axis] + boxes[:, axis + 2]) / 2 for axis in (0, 1))
    sides = tuple(boxes[:, axis + 2] - boxes[:, axis] for axis in (0, 1))
    return (middles[0], middles[1]), (sides[0], sides[1])


def _shapes(anchors: AnchorSet) -> Iterator[_Shape]:
    """Every shape of every grid that has an anchor left."""
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


def _axis(centres: Any, side: float, unit: float, anchors: AnchorSet, axis: int) -> _Axis:
    import numpy as np

    low, high = 0, len(centres) - 1
    if anchors.border == "pruned":
        half = np.float32(0.5) * np.float32(side)
        ends = np.float32(unit) * (centres - half), np.float32(unit) * (centres + half)
        inside = np.flatnonzero((ends[0] >= 0) & (ends[1] <= np.float32(anchors.window[axis])))
        low, high = (int(inside[0]), int(inside[-1])) if len(inside) else (0, -1)
    step = float(centres[1] - centres[0]) if len(centres) > 1 else 1.0
    return _Axis(first=float(centres[0]) * unit, step=step * unit, side=side * unit, low=low, high=high)
