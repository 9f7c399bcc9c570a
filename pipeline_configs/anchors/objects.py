"""The objects of a data set, as NumPy arrays, and where they are in the input of a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline_configs.anchors import resizer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from record_builders.inspection.object_lists import ObjectLists

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """Boxes of many images.

    Attributes:
      corners: fractions of the image, float32 [objects, 4]: ymin, xmin, ymax, xmax.
      image: number of the object's image, int [objects], in ascending order.
      label: number of the object's class in `names`, int [objects].
      weight: in the loss, float32 [objects]; 0 if the object does not count in training.
      sizes: height and width of each image, in pixels, int [images, 2].
      names: the names of the classes.
      images: the names of the images.
    """

    corners: npt.NDArray[np.float32]
    image: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float32]
    sizes: npt.NDArray[np.int64]
    names: Sequence[str]
    images: Sequence[str]

    @classmethod
    def of(cls, lists: ObjectLists) -> Objects:
        """The objects of records that were read."""
        import numpy as np

        return cls(
            corners=np.array(lists.corners, np.float32).reshape(-1, 4),
            image=np.array(lists.image_of, np.int64),
            label=np.array(lists.label_of, np.int64),
            weight=np.array(lists.weights, np.float32),
            sizes=np.array(lists.sizes, np.int64).reshape(-1, 2),
            names=tuple(lists.label_numbers),
            images=tuple(lists.images),
        )

    def __len__(self) -> int:
        return len(self.corners)

    def chosen(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Objects:
        """The objects that `which` selects, a mask or their numbers, of the same images."""
        return Objects(
            corners=self.corners[which],
            image=self.image[which],
            label=self.label[which],
            weight=self.weight[which],
            sizes=self.sizes,
            names=self.names,
            images=self.images,
        )

    def sides(self) -> npt.NDArray[np.float64]:
        """Height and width of each object in pixels of its image, float [objects, 2]."""
        return (self.corners[:, 2:] - self.corners[:, :2]) * self.sizes[self.image]


@dataclass(frozen=True, slots=True, kw_only=True)
class Framed:
    """The objects of all images that become inputs of the same size.

    Attributes:
      rows: their numbers among all objects, int [objects].
      frame: height and width of the input in pixels.
      fractions: their boxes as fractions of the input, float32 [objects, 4].
    """

    rows: npt.NDArray[np.int64]
    frame: Size
    fractions: npt.NDArray[np.float32]

    def pixels(self) -> npt.NDArray[np.float32]:
        """Boxes in pixels of the input, float32 [objects, 4]."""
        import numpy as np

        return self.fractions * np.float32([*self.frame, *self.frame])


def framed(objects: Objects, image_resizer: Any) -> Iterator[Framed]:
    """The objects as they are in the inputs that an `ImageResizer` message makes, for each size of input.

    Boxes become fractions of the padded input, as in `transform_input_data` of the engine's inputs.py.

    Raises:
      ConfigError: the engine refuses the resizer.
    """
    import numpy as np

    kinds, number = np.unique(objects.sizes, axis=0, return_inverse=True)
    resized = [resizer.resized(image_resizer, (int(height), int(width))) for height, width in kinds]
    kind_of = number.reshape(-1)[objects.image]
    for frame in dict.fromkeys(one.frame for one in resized):
        scale: npt.NDArray[np.float32] = np.ones((len(kinds), 4), np.float32)
        for i, one in enumerate(resized):
            padded = [np.float32(whole) / np.float32(part) for whole, part in zip(one.frame, one.content, strict=True)]
            scale[i] = np.float32(1) / np.float32([*padded, *padded])
        rows = np.flatnonzero(np.isin(kind_of, [i for i, one in enumerate(resized) if one.frame == frame]))
        if len(rows):
            yield Framed(rows=rows, frame=frame, fractions=objects.corners[rows] * scale[kind_of[rows]])
