"""The result of reading any annotation format: images, their objects, and what could not be read.

Types that exist once for each image or object are NamedTuples: they take half the time of a dataclass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from record_builders.images.image_header import ImageHeader
from tfod_tools.base.errors import TfodError

if TYPE_CHECKING:
    from record_builders.images.masks import Mask


class Box(NamedTuple):
    """A rectangle in pixels of the image; x grows to the right, y grows down, (0, 0) is the top left corner."""

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
        """The part of the box inside an image of `width` x `height` pixels; its area is 0 if no part is inside."""
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
    """A named point of an object, in pixels; `visibility` as in COCO: 0 not marked, 1 hidden, 2 visible."""

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
      truncated: a part of the object is outside the box.
      occluded: something covers a part of it.
      group_of: the box holds several objects of the class; Open Images metrics treat it differently.
      is_crowd: the same in COCO metrics.
      depiction: a drawing or a toy of the object.
      inside: seen from inside, such as a car from its seats.
      clipped: the annotated box reached over the edge of the image; `box` is the part inside.
      area: of the object itself in square pixels, if known; else the area of its box counts.
      weight: of this box in the training loss; with 0 the loss ignores it.
      mask: its outline, if known.
      keypoints: the same names in the same order for every object of a data set, or none.
      line: line of the object in the annotation file, from 1, if known.
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
    """What a person said about a whole image: a class is on it (`present`), or it is not."""

    label: str
    present: bool


class AnnotatedImage(NamedTuple):
    """One image file and its objects.

    Attributes:
      image_id: identifies the image in the records: the stem of its file name if no other image has the same stem.
      image_path: the image file. Paths are text here: a Path would take as long as all other work for an object.
      image_name: its path relative to the folder of images, with forward slashes.
      header: true size (pixels) and format of the image.
      objects: in the order of the annotation file; none for an image without objects.
      source: the annotation file.
      line: line of the image's entry in `source`, from 1, if known.
      labels: of the image as a whole.
      notes: what was assumed to read this image, for the user; equal texts are counted.
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
    """An annotation that cannot be written: one box, or an image with its remaining boxes.

    Attributes:
      error: what is wrong, with the annotation file and line.
      image_name: the image's path relative to the folder of images, or its name in the annotation.
      images: 1 if the whole image is lost, else 0.
      boxes: number of boxes that are lost because of this fault.
      missing: only the image file is missing; `image_name` is its name.
    """

    error: TfodError
    image_name: str
    images: int = 0
    boxes: int = 0
    missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An annotation that could be written, but the user does not want it.

    Attributes:
      reason: why, such as 'difficult'; numbers of equal reasons are added.
      image_name: the image's path relative to the folder of images; '' for several images.
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
      image_sets: names of image sets; none for all.
      classes: names of classes; none for all.
      expand_hierarchy: in a format with a hierarchy of classes, a box counts for the ancestors of its class too.
      masks: outlines are wanted.
    """

    image_sets: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    expand_hierarchy: bool = True
    masks: bool = False


Found = AnnotatedImage | Fault | LeftOut
