"""What every annotation format is read into: images, the objects marked on them, and what could not be read.

What there is one of for each image or object is a NamedTuple: made, stored and read back in half a dataclass's time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from record_builders.images.image_header import ImageHeader
from tfod_tools.base.errors import TfodError

if TYPE_CHECKING:
    from record_builders.images.masks import Mask


class Box(NamedTuple):
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

    @property
    def area(self) -> float:
        """In square pixels."""
        return self.width * self.height


class Keypoint(NamedTuple):
    """A named point of an object, in pixels; `visibility` as in COCO: 0 not marked, 1 marked but hidden, 2 visible."""

    name: str
    x: float
    y: float
    visibility: int


class ObjectAnnotation(NamedTuple):
    """One marked object.

    Attributes:
      label: the name of its class, never empty.
      box: where it is.
      difficult: the annotator found it hard to recognise; Pascal metrics leave it out.
      truncated: the object goes on beyond the box.
      occluded: something covers a part of it.
      group_of: the box holds several objects of the class; Open Images metrics treat it apart.
      is_crowd: as group_of, in COCO's metrics.
      depiction: a drawing or a toy of the object.
      inside: seen from within, as a car from its seats.
      clipped: the annotated box reached over the edge of the image, and `box` is the part within.
      area: of the object itself in square pixels, where known; else that of its box counts.
      weight: of this box in the training loss; 0 has the loss pass over it.
      mask: its outline, where known.
      keypoints: the same names in the same order for every object of a data set, or none.
      line: 1-based line of the object in the annotation file, where known.
    """

    label: str
    box: Box
    difficult: bool = False
    truncated: bool = False
    occluded: bool = False
    group_of: bool = False
    is_crowd: bool = False
    depiction: bool = False
    inside: bool = False
    clipped: bool = False
    area: float | None = None
    weight: float = 1.0
    mask: Mask | None = None
    keypoints: tuple[Keypoint, ...] = ()
    line: int | None = None


class ImageLabel(NamedTuple):
    """What a person said of a whole image: that a class is on it (`present`), or that it is not."""

    label: str
    present: bool


class AnnotatedImage(NamedTuple):
    """One image file and what is marked on it.

    Attributes:
      image_id: identifies the image in the records: the stem of its file name where no other image has the same.
      image_path: the image file. Paths are text here: a Path takes as long as all else that is done for an object.
      image_name: its path below the folder of images, with forward slashes.
      header: true size (pixels) and format of the image.
      objects: in the order of the annotation file; none for an image that shows nothing of interest.
      source: the annotation file.
      line: 1-based line of the image's entry in `source`, where known.
      labels: of the image as a whole.
      notes: what was assumed in order to read this image, worth telling the user; equal texts are counted.
    """

    image_id: str
    image_path: str
    image_name: str
    header: ImageHeader
    objects: tuple[ObjectAnnotation, ...]
    source: str
    line: int | None = None
    labels: tuple[ImageLabel, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something annotated that cannot be written: one box, or an image with the boxes it still had.

    Attributes:
      error: what is wrong, with the annotation file and line.
      image_name: the image's path below the folder of images, or the name the annotation gives it.
      images: 1 when the whole image is lost, else 0.
      boxes: number of boxes that are lost through this fault alone.
      missing: the image is only not there, and could be fetched as `image_name`.
    """

    error: TfodError
    image_name: str
    images: int = 0
    boxes: int = 0
    missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something that could be written but was not asked for.

    Attributes:
      reason: why, such as 'difficult'; numbers of equal reasons are added up.
      image_name: the image's path below the folder of images; '' where several images are meant.
      images: number of images that are left out whole.
      boxes: number of boxes.
    """

    reason: str
    image_name: str = ""
    images: int = 0
    boxes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which part of the annotations to read.

    Attributes:
      image_sets: names of image sets, as the format has them; none for all there is.
      classes: names of classes; none for all.
      expand_hierarchy: a box counts for the ancestors of its class too, in a format that has a hierarchy of classes.
      masks: outlines are wanted.
    """

    image_sets: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    expand_hierarchy: bool = True
    masks: bool = False


Found = AnnotatedImage | Fault | LeftOut
