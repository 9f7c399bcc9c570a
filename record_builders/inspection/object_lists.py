"""The boxes of many records that a model can learn, in flat lists: for the fitting of anchors."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from record_builders.records.example import ExampleContent


@dataclass(slots=True)
class ObjectLists:
    """Boxes and their images, one after the other.

    Attributes:
      corners: ymin, xmin, ymax, xmax of each box, as fractions of its image.
      weights: of each box in the loss.
      image_of: the number of each box's image, in `images`.
      label_of: the number of each box's class, in `label_numbers`.
      label_numbers: the number of each class in these lists, by name; '#3' if records have only class numbers.
      images: the image/source_id of each image.
      sizes: height and width of each image, in pixels.
    """

    corners: array[float] = field(default_factory=lambda: array("f"))
    weights: array[float] = field(default_factory=lambda: array("f"))
    image_of: array[int] = field(default_factory=lambda: array("l"))
    label_of: array[int] = field(default_factory=lambda: array("l"))
    label_numbers: dict[str, int] = field(default_factory=dict)
    images: list[str] = field(default_factory=list)
    sizes: array[int] = field(default_factory=lambda: array("l"))

    def __len__(self) -> int:
        """The number of boxes."""
        return len(self.weights)

    def add(self, record: ExampleContent, width: int, height: int) -> None:
        """Adds the boxes of a record whose image has `width` x `height` pixels; none if they are not known."""
        if width < 1 or height < 1:
            return
        names: Sequence[str] = record.labels or [f"#{number}" for number in record.label_ids]
        for index, box in enumerate(record.boxes):
            corners = (box.ymin, box.xmin, box.ymax, box.xmax)
            # The engine drops other boxes, or stops at them, so they have no anchors.
            if box.ymax > box.ymin and box.xmax > box.xmin and all(map(math.isfinite, corners)):
                self.corners.extend(corners)
                self.weights.append(record.weights[index] if index < len(record.weights) else 1.0)
                self.image_of.append(len(self.images))
                name = names[index] if index < len(names) else ""
                self.label_of.append(self.label_numbers.setdefault(name, len(self.label_numbers)))
        self.images.append(record.source_id)
        self.sizes.extend((height, width))
