"""What to leave out, and what to write so that training ignores it: the kinds of boxes that a user can name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from record_builders.annotations import ObjectAnnotation

Flag = Literal["crowd", "depiction", "difficult", "group_of", "inside", "occluded", "truncated"]
# Kinds that are not annotated. They follow from the box, the image and the label map.
Circumstance = Literal["background", "flat", "past_edge", "unknown_class"]
FLAGS: tuple[str, ...] = get_args(Flag)
DROPPABLE: tuple[str, ...] = (*FLAGS, *get_args(Circumstance))

_IS: Mapping[str, Callable[[ObjectAnnotation], bool]] = {
    "crowd": lambda item: item.is_crowd,
    "depiction": lambda item: item.depiction,
    "difficult": lambda item: item.difficult,
    "group_of": lambda item: item.group_of,
    "inside": lambda item: item.inside,
    "occluded": lambda item: item.occluded,
    "truncated": lambda item: item.truncated,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a user decides about single boxes.

    Attributes:
      drop: kinds of `DROPPABLE` that are left out. 'background' is an image without a box, 'flat' a box that is less
        than one pixel wide or high inside the image.
      ignore: kinds of `FLAGS` that are written with weight 0, so that the training loss ignores them. A box around a
        crowd would teach the detector to draw such boxes; without the box, the crowd would count as background.
    """

    drop: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset({"crowd", "group_of"})

    def dropped_as(self, item: ObjectAnnotation) -> str:
        """The first kind to drop that fits `item`; '' if none fits."""
        return next((kind for kind in FLAGS if kind in self.drop and _IS[kind](item)), "")

    def ignored(self, item: ObjectAnnotation) -> bool:
        """Whether a kind to ignore fits `item`."""
        return any([_IS[kind](item) for kind in self.ignore])
