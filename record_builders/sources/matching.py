"""From an entry of an annotation file to its image: which file it is, its true size, and numbers that are written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from record_builders.annotations import AnnotatedImage, Fault, Found, ImageLabel, LeftOut, ObjectAnnotation
from record_builders.images import conversion
from record_builders.images.image_header import ImageHeader
from record_builders.sources.folders import ImageFolder, last_part
from tfod_tools.base.errors import AnnotationError, ImageError

# Records hold float32, which has no fractions above this number.
_LARGEST = 1e9


_SWAPPED = (
    "The annotation tool turned the photo as EXIF says, but the engine does not. Turn the pixels themselves, or add "
    "--on_problem=fix."
)


class ImageNotThereError(AnnotationError):
    """An image is annotated, but its file is missing. `Problems` shows this fact once, with a count."""

    fact = "image not there"


class OtherImageError(AnnotationError):
    """An image has another size than its annotation says. `Problems` shows this fact once, with a count."""

    fact = "other size"


class UnreadableImageError(AnnotationError):
    """The engine cannot read an image. `Problems` shows each reason once, with a count."""

    def __init__(self, message: str, **place: Any) -> None:
        """See TfodError; `message` is the reason after the name of the image and a colon."""
        super().__init__(message, **place)
        self.fact = self.message.partition(": ")[2]


def image_name(
    images: ImageFolder,
    names: tuple[str, ...],
    near: Path,
    source: Path | str,
    line: int | None = None,
    *,
    shown: str = "",
) -> str:
    """The name of the image that `names` mean. The first of them that an image has decides.

    Args:
      images: where to look.
      names: file names, also with folders, or stems.
      near: the subfolder of the annotation; an image in the subfolder of the same name is preferred.
      source: the annotation file, for errors.
      line: the line in it that names the image.
      shown: the names as an error shows them.

    Raises:
      ImageNotThereError: there is no such image.
      AnnotationError: several images have this name.
    """
    try:
        found = next(filter(None, (images.find(name, near) for name in names if name)), None)
    except ImageError as exc:
        raise AnnotationError(exc.message, path=source, line=line) from exc
    if found is None:
        message = (
            f"no image below {images.folder.name or 'the folder'} has the name {shown or repr(names[0])}. "
            "Add it, or name the folder of images with --images."
        )
        raise ImageNotThereError(message, path=source, line=line)
    return found


def image_header(
    images: ImageFolder,
    name: str,
    stated: tuple[object, object],
    source: Path | str,
    line: int | None = None,
    *,
    what: str = "its size",
) -> ImageHeader:
    """The header of the image, whose size must be the one in the annotation.

    Args:
      images: all images.
      name: of the image.
      stated: width and height in pixels as annotated; None, '' or 0 if the annotation does not say.
      source: the annotation file, for errors.
      line: the line in it that has the size.
      what: the name of the size in this format.

    Raises:
      UnreadableImageError: the engine cannot read the image.
      OtherImageError: the image has another size.
    """
    try:
        header = images.header(name)
    except ImageError as exc:
        raise UnreadableImageError(f"its image {last_part(name)}: {exc.message}", path=source, line=line) from exc
    sides = (number(stated[0]), number(stated[1]))
    header = conversion.drawn_upright(header, sides)
    true = (header.width, header.height)
    if sides != true and any(
        value not in (None, "", 0, "0") and side != size for value, side, size in zip(stated, sides, true, strict=True)
    ):
        swapped = sides == true[::-1]
        message = f"{what} is {stated[0]}x{stated[1]}, but {last_part(name)} has {header.width}x{header.height} pixels."
        advice = _SWAPPED if swapped else "Put back the image that was annotated, or annotate this one again."
        raise OtherImageError(f"{message} {advice}", path=source, line=line)
    return header


def annotated(
    images: ImageFolder,
    name: str,
    header: ImageHeader,
    objects: tuple[ObjectAnnotation, ...],
    source: Path | str,
    line: int | None = None,
    *,
    labels: tuple[ImageLabel, ...] = (),
    notes: tuple[str, ...] = (),
) -> AnnotatedImage:
    """The image of this name with `objects`. `images` gives it its id."""
    return AnnotatedImage(
        image_id=images.image_id(name),
        image_path=images.path(name),
        image_name=name,
        header=header,
        objects=objects,
        source=str(source),
        line=line,
        labels=labels,
        notes=notes,
    )


def number(value: object) -> float:
    """The number that `value` is, or that its text says; NaN if it is not a number."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return float("nan")
    try:
        return float(value)
    except (ValueError, OverflowError):
        return float("nan")


def finite(value: object, what: str, source: Path, line: int | None, expected: str = "a number of pixels") -> float:
    """The number that `value` is, or that its text says.

    Args:
      value: a number or text.
      what: its name, for errors.
      source: the annotation file, for errors.
      line: the line in it.
      expected: what it should be, for errors.

    Raises:
      AnnotationError: it is not a number, or it is too large for an image.
    """
    found = number(value)
    if abs(found) <= _LARGEST:  # NaN is not.
        return found
    if value in (None, ""):
        problem = "is missing or empty"
    elif math.isfinite(found):
        problem = f"is {value!r}"[:63] + ", which is too large"
    else:
        problem = f"is {value!r}"[:63] + f", not {expected}"
    raise AnnotationError(f"{what} {problem}. Correct it.", path=source, line=line)


Mark = ObjectAnnotation | AnnotationError | LeftOut


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What an annotation file says about one image.

    Attributes:
      names: file names or stems of the image, the best first.
      near: the subfolder of the annotation; see `image_name`.
      source: the annotation file.
      marks: takes the header of the image; returns its objects, errors for objects that cannot be used, and what is
        left out. If the image is missing, it gets a header of 1x1 pixels.
      stated: width and height of the image as annotated; None, '' or 0 if the annotation does not say.
      line: of the entry in `source`.
      what: the name of the size in this format.
      labels: of the image as a whole.
    """

    names: tuple[str, ...]
    near: Path
    source: Path
    marks: Callable[[ImageHeader], Iterable[Mark]]
    stated: tuple[object, object] = (None, None)
    line: int | None = None
    what: str = "its size"
    labels: tuple[ImageLabel, ...] = ()

    def found(self, images: ImageFolder) -> Iterator[Found]:
        """The faults of objects that cannot be used, then the image with its objects, or a fault in its place."""
        name = self.names[0]
        failure: AnnotationError | None = None
        header = ImageHeader(width=1, height=1, format="")
        try:
            name = image_name(images, self.names, self.near, self.source, self.line)
            header = image_header(images, name, self.stated, self.source, self.line, what=self.what)
        except AnnotationError as error:
            failure = error
        objects = []
        for mark in self.marks(header):
            if isinstance(mark, ObjectAnnotation):
                objects.append(mark)
            elif isinstance(mark, LeftOut):
                yield mark
            else:
                yield Fault(error=mark, image_name=name, boxes=1)
        if failure is None:
            yield annotated(images, name, header, tuple(objects), self.source, self.line, labels=self.labels)
        else:
            yield Fault(
                error=failure,
                image_name=name,
                images=1,
                boxes=len(objects),
                missing=isinstance(failure, ImageNotThereError),
            )
