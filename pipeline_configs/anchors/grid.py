"""The anchors of one feature map: the same shapes around every position of a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfod_tools.base.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy import typing as npt

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The arguments from which `tile_anchors` of the engine's grid_anchor_generator.py makes anchors.

    Attributes:
      rows: how many rows of positions there are.
      columns: how many columns of positions there are.
      stride: the distance from one centre to the next, down and to the right.
      offset: the first centre, from the top and from the left.
      scales: the scale of each shape.
      aspect_ratios: width / height of each shape.
      base: height and width of a shape of scale 1 and aspect ratio 1.
      unit: the factor for all coordinates at the end: 1 / height and 1 / width of the image where the generator
        computes in pixels and returns fractions.
    """

    rows: int
    columns: int
    stride: Pair
    offset: Pair
    scales: tuple[float, ...]
    aspect_ratios: tuple[float, ...]
    base: Pair
    unit: Pair = (1.0, 1.0)

    def __post_init__(self) -> None:
        """Raises ConfigError for an aspect ratio or a stride that is not above 0."""
        for name, values in (("aspect ratio", self.aspect_ratios), ("stride", self.stride)):
            wrong = [value for value in values if not value > 0]
            if wrong:
                raise ConfigError(f"anchors have the {name} {wrong[0]:g}. It must be more than 0.")

    @property
    def count(self) -> int:
        """How many anchors there are."""
        return self.rows * self.columns * len(self.scales)

    def sides(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Heights and widths of the shapes [shapes], before `unit`."""
        import numpy as np

        scales, roots = np.float32(self.scales), np.sqrt(np.float32(self.aspect_ratios))
        return scales / roots * np.float32(self.base[0]), scales * roots * np.float32(self.base[1])

    def centres(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Centres of the rows [rows] and of the columns [columns], before `unit`."""
        import numpy as np

        counts = (self.rows, self.columns)
        down, right = (
            np.arange(counts[axis], dtype=np.float32) * np.float32(self.stride[axis]) + np.float32(self.offset[axis])
            for axis in (0, 1)
        )
        return down, right

    def boxes(self) -> npt.NDArray[np.float32]:
        """All anchors [rows * columns * shapes, 4]: by row, then column, then shape."""
        import numpy as np

        sides, centres = self.sides(), self.centres()
        boxes: npt.NDArray[np.float32] = np.empty((self.rows, self.columns, len(self.scales), 4), np.float32)
        for axis, shape in enumerate(((-1, 1, 1), (1, -1, 1))):
            half, middle = np.float32(0.5) * sides[axis], centres[axis].reshape(shape)
            unit = np.float32(self.unit[axis])
            boxes[..., axis] = unit * (middle - half)
            boxes[..., axis + 2] = unit * (middle + half)
        return boxes.reshape(-1, 4)
