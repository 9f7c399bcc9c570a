"""From an entry of an annotation file to its image: the file that is meant, its true size, the numbers in between."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from record_builders.annotations import AnnotatedImage, Fault, Found, ImageLabel, LeftOut, ObjectAnnotation
from record_builders.images import conversion
from record_builders.images.image_header import ImageHeader
from record_builders.sources.folders import ImageFolder, last_part
from tfod_tools.base.errors import AnnotationError, ImageError

# Beyond it float32, in which records hold them, has no fractions left and soon no numbers.
_LARGEST = 1e9


class ImageNotThereError(AnnotationError):
    """An image is annotated, but there is none of this name."""


def image_name(
    images: ImageFolder,
    names: tuple[str, ...],
    near: Path,
    source: Path | str,
    line: int | None = None,
    *,
    shown: str = "",
) -> str:
    """The name of the image that has the first of `names` that any has.

    Args:
      images: where to look.
      names: file names, also with folders, or stems.
      near: the subfolder in which it would lie if images lay as annotations do.
      source: the annotation file, for errors.
      line: the line of it that names the image.
      shown: how to call the names in an error.

    Raises:
      ImageNotThereError: there is none.
      AnnotationError: there are several.
    """
    try:
        found = next(filter(None, (images.find(name, near) for name in names if name)), None)
    except ImageError as exc:
        raise AnnotationError(exc.message, path=source, line=line) from exc
    if found is None:
        message = (
            f"no image is called {shown or repr(names[0])} below {images.folder.name or 'the folder'}. "
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
    """The image's own header, which must agree with what the annotation says.

    Args:
      images: where it lies.
      name: of the image.
      stated: width and height in pixels as annotated; None, '' or 0 where it says nothing.
      source: the annotation file, for errors.
      line: the line of it that states the size.
      what: how the format calls the size.

    Raises:
      AnnotationError: the engine could not read the image, or it has another size.
    """
    try:
        header = images.header(name)
    except ImageError as exc:
        raise AnnotationError(f"its image {last_part(name)}: {exc.message}", path=source, line=line) from exc
    sides = (number(stated[0]), number(stated[1]))
    header = conversion.drawn_upright(header, sides)
    true = (header.width, header.height)
    if sides != true and any(
        value not in (None, "", 0, "0") and side != size for value, side, size in zip(stated, sides, true, strict=True)
    ):
        swapped = sides == true[::-1]
        message = (
            f"{what} is {stated[0]}x{stated[1]}, but {last_part(name)} has {header.width}x{header.height} pixels. "
            + ("The tool obeyed the photo's EXIF rotation, which the engine ignores: " if swapped else "")
            + (
                "turn the pixels themselves, or pass --on_problem=fix."
                if swapped
                else "Put back the image that was annotated, or annotate anew."
            )
        )
        raise AnnotationError(message, path=source, line=line)
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
    """The image of this name with `objects`, under the id that it has among `images`."""
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
    """The number that `value` is or writes; NaN where it is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return float("nan")
    try:
        return float(value)
    except (ValueError, OverflowError):
        return float("nan")


def finite(value: object, what: str, source: Path, line: int | None, unit: str = "pixels") -> float:
    """The number that `value` is or writes.

    Raises:
      AnnotationError: it is none, or too large to mean anything on an image; `what` is what it should be.
    """
    found = number(value)
    if abs(found) <= _LARGEST:  # NaN is not.
        return found
    shown = "missing or empty" if value in (None, "") else f"{value!r}"[:60]
    most = f" of at most {_LARGEST:g}" if math.isfinite(found) else ""
    raise AnnotationError(f"{what} is {shown}, expected {unit}{most}. Correct it.", path=source, line=line)


Mark = ObjectAnnotation | AnnotationError | LeftOut


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What an annotation file says of one image.

    Attributes:
      names: file names or stems of the image, the best first.
      near: the subfolder in which the image would lie if images lay as annotations do.
      source: the annotation file.
      marks: from the image's header to its objects, what is wrong with others, and what is left out. Where there is no
        image to measure, it is called with one of 1x1 pixels.
      stated: width and height of the image as annotated; None, '' or 0 where it is not.
      line: of the entry in `source`.
      what: how the format calls the size.
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
        """The image with its objects, or a fault in its place, after the faults of its other objects."""
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
