"""What every annotation format is read into: images, the objects marked on them, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from record_builders.image_header import ImageHeader
from tfod_tools.base.errors import TfodError


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in pixels of the true image; x grows to the right, y downwards, (0, 0) is the top left corner."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float

    @property
    def width(self) -> float:
        """Horizontal extent in pixels; negative when xmax < xmin."""
        return self.xmax - self.xmin

    @property
    def height(self) -> float:
        """Vertical extent in pixels; negative when ymax < ymin."""
        return self.ymax - self.ymin

    def clipped(self, width: int, height: int) -> Box:
        """The part of the box that lies in an image of `width` x `height` pixels; without extent where none does."""
        return Box(
            xmin=min(max(self.xmin, 0.0), width),
            ymin=min(max(self.ymin, 0.0), height),
            xmax=min(max(self.xmax, 0.0), width),
            ymax=min(max(self.ymax, 0.0), height),
        )

    def __str__(self) -> str:
        """The box as `(xmin, ymin)-(xmax, ymax)`."""
        return f"({self.xmin:g}, {self.ymin:g})-({self.xmax:g}, {self.ymax:g})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectAnnotation:
    """One marked object.

    Attributes:
      label: the name of its class, never empty.
      box: where it is.
      difficult: the annotator found it hard to recognise; Pascal metrics leave it out.
      truncated: the object goes on beyond the box.
      clipped: the annotated box reached over the edge of the image, and `box` is the part within.
      line: 1-based line of the object in the annotation file, where known.
    """

    label: str
    box: Box
    difficult: bool = False
    truncated: bool = False
    clipped: bool = False
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotatedImage:
    """One image file and what is marked on it.

    Attributes:
      image_id: the stem of the image's file name; identifies the image in the records.
      image_path: the image file.
      image_name: its path below the folder of images, with forward slashes.
      header: true size (pixels) and format of the image.
      objects: in the order of the annotation file; none for an image that shows nothing of interest.
      source: the annotation file.
      line: 1-based line of the image's entry in `source`, where known.
      notes: what was assumed in order to read this image, worth telling the user; equal texts are counted.
    """

    image_id: str
    image_path: Path
    image_name: str
    header: ImageHeader
    objects: tuple[ObjectAnnotation, ...]
    source: Path
    line: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something annotated that cannot be written: one box, or an image with the boxes it still had.

    Attributes:
      error: what is wrong, with the annotation file and line.
      image_name: the image's path below the folder of images, or the name the annotation gives it.
      images: 1 when the whole image is lost, else 0.
      boxes: number of boxes that are lost through this fault alone.
    """

    error: TfodError
    image_name: str
    images: int = 0
    boxes: int = 0
