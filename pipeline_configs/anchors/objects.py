"""The objects of a data set as the network sees them, in arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_configs.anchors import resizer

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """Boxes of many images.

    Attributes:
      corners: fractions of the image, float32 [objects, 4]: ymin, xmin, ymax, xmax.
      image: number of its image, int [objects], not falling.
      label: number of its class in `names`, int [objects].
      weight: in the loss, float32 [objects]; 0 where the object is not to be learnt.
      sizes: height and width of each image, in pixels, int [images, 2].
      names: of the classes.
      images: what the images are called.
    """

    corners: Any
    image: Any
    label: Any
    weight: Any
    sizes: Any
    names: Sequence[str]
    images: Sequence[str]

    def __len__(self) -> int:
        return len(self.corners)

    def chosen(self, which: Any) -> Objects:
        """The objects that the mask or the numbers `which` choose, of the same images."""
        return Objects(
            corners=self.corners[which],
            image=self.image[which],
            label=self.label[which],
            weight=self.weight[which],
            sizes=self.sizes,
            names=self.names,
            images=self.images,
        )

    def sides(self) -> Any:
        """Height and width of each object in pixels of its image, float [objects, 2]."""
        return (self.corners[:, 2:] - self.corners[:, :2]) * self.sizes[self.image]


@dataclass(frozen=True, slots=True, kw_only=True)
class Framed:
    """The objects of all images that become inputs of one size.

    Attributes:
      rows: their numbers among all objects, int [objects].
      frame: height and width of the input in pixels.
      fractions: boxes as fractions of the frame, float32 [objects, 4].
    """

    rows: Any
    frame: Size
    fractions: Any

    def pixels(self) -> Any:
        """Boxes in pixels of the input, float32 [objects, 4]."""
        import numpy as np

        return self.fractions * np.float32([*self.frame, *self.frame])


def framed(objects: Objects, image_resizer: Any) -> Iterator[Framed]:
    """The objects as an `ImageResizer` message lays them into inputs, one size after the other.

    Boxes become fractions of the padded input, as in `transform_input_data` of the engine's inputs.py.

    Raises:
      ConfigError: the engine would refuse the resizer.
    """
    import numpy as np

    kinds, number = np.unique(objects.sizes, axis=0, return_inverse=True)
    resized = [resizer.resized(image_resizer, (int(height), int(width))) for height, width in kinds]
    kind_of = number.reshape(-1)[objects.image]
    for frame in dict.fromkeys(one.frame for one in resized):
        scale: Any = np.ones((len(kinds), 4), np.float32)
        for i, one in enumerate(resized):
            padded = [np.float32(whole) / np.float32(part) for whole, part in zip(one.frame, one.content, strict=True)]
            scale[i] = np.float32(1) / np.float32([*padded, *padded])
        rows = np.flatnonzero(np.isin(kind_of, [i for i, one in enumerate(resized) if one.frame == frame]))
        if len(rows):
            yield Framed(rows=rows, frame=frame, fractions=objects.corners[rows] * scale[kind_of[rows]])
