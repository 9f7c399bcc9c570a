"""YOLO: one text file for each image, one line for each box, and a list of the class names.

    0 0.538 0.452 0.360 0.500

The values are: the number of the class, counted from 0; centre x, centre y, width and height as fractions of the image.
A sixth number is a confidence, and is ignored. A line with more than 6 numbers is the outline of the object, x1 y1 x2
y2 and so on; the box is the smallest one around it. The names of the classes come from `data.yaml`, `*.names` or
`classes.txt` (one name a line); the file in the nearest folder counts. `labels/train/a.txt` belongs to
`images/train/a.jpg`. An image set is a list of images (`train.txt` for `train`) or, if there is no such list, a folder
(`labels/train`). Not read: keypoints, rotation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from record_builders.annotations import Box, Fault, Found, ObjectAnnotation, Wanted
from record_builders.images.image_header import ImageHeader
from record_builders.images.masks import Polygons
from record_builders.sources import matching
from record_builders.sources.folders import IMAGE_SUFFIXES, ImageFolder, files_below, head
from record_builders.sources.matching import Entry, Mark
from record_builders.sources.names_files import is_names_file, read_names
from tfod_tools.base.errors import AnnotationError, LabelMapError

_BOX = re.compile(rb"\A\s*\d+(\s+-?\d*\.?\d+(e-?\d+)?){4,}\s*$", re.MULTILINE | re.IGNORECASE)
_CLASS = re.compile(r"[0-9]{1,9}")
_NO_LABELS = ("classes.txt", "readme.txt", "requirements.txt")


def recognises(path: Path) -> bool:
    """Whether `path` is a text file that begins with a line of five or more numbers."""
    return path.suffix.lower() == ".txt" and _BOX.match(head(path)) is not None


def why_not(path: Path) -> str:
    """What the first line of the text file at `path` is, if it begins with a number."""
    if path.suffix.lower() != ".txt" or not (start := head(path).lstrip())[:1].isdigit():
        return ""
    first = start.decode("utf-8-sig", "replace").partition("\n")[0].strip()[:60]
    return f"its first line is '{first}'. It needs a class number and at least 4 numbers, separated by spaces."


def read(annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """The images that have a file of boxes, and faults for what cannot be used.

    Raises:
      AnnotationError: there is no file of boxes or no list of class names, or an image set does not exist.
    """
    yield from read_files(files(annotations, wanted)[0], annotations, images, wanted)


def files(annotations: Path, wanted: Wanted) -> tuple[list[tuple[Path, Sequence[str]]], list[Fault]]:
    """The files of boxes to read, each with the names of its classes, and no faults.

    Raises:
      AnnotationError: as `read`.
    """
    texts = [path for path in files_below(annotations, (".txt",)) if path.name.lower() not in _NO_LABELS]
    lists = [path for path in texts if _lists_images(path)]
    labels = _of_sets([path for path in texts if path not in lists], lists, wanted.image_sets, annotations)
    if not labels:
        raise AnnotationError(
            "no file of boxes is here. YOLO has one .txt for each image. Name their folder with --annotations.",
            path=annotations,
        )
    named = [path for path in files_below(annotations, (".yaml", ".yml", ".names", ".txt")) if is_names_file(path)]
    if not named:
        message = "no list of class names is here. Add data.yaml, obj.names or classes.txt."
        raise AnnotationError(message, path=annotations)
    try:
        names = {path.parent: read_names(path) for path in reversed(named)}
    except LabelMapError as exc:
        raise AnnotationError(exc.message, path=exc.path, line=exc.line) from exc
    others = names[named[0].parent]
    return [(path, next((names[folder] for folder in path.parents if folder in names), others)) for path in labels], []


def read_files(
    named: Sequence[tuple[Path, Sequence[str]]], annotations: Path, images: ImageFolder, wanted: Wanted
) -> Iterator[Found]:
    """The images of files of boxes below `annotations`, each with the names of its classes."""
    for path, names in named:
        yield from _read_file(path, names, annotations, images, wanted)


def _lists_images(path: Path) -> bool:
    first = head(path, 4096).split(b"\n")[0].strip().lower()
    return first.decode("utf-8", "replace").endswith(IMAGE_SUFFIXES)


def _of_sets(labels: list[Path], lists: list[Path], image_sets: Sequence[str], annotations: Path) -> list[Path]:
    """The files of boxes that belong to the image sets."""
    chosen: list[Path] = []
    for name in image_sets:
        of_name = [path for path in lists if path.stem == name]
        stems = {
            Path(line.strip()).stem for path in of_name for line in path.read_text("utf-8", "replace").splitlines()
        }
        found = [path for path in labels if path.stem in stems or name in path.relative_to(annotations).parts[:-1]]
        if not found:
            message = f"there is no image set '{name}'. Add {name}.txt with the names of images, or a folder {name}."
            raise AnnotationError(message, path=annotations)
        chosen += found
    return sorted(set(chosen)) if image_sets else labels


def _read_file(
    path: Path, names: Sequence[str], annotations: Path, images: ImageFolder, wanted: Wanted
) -> Iterator[Found]:
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        error = AnnotationError("the file is not UTF-8 text, or cannot be read. Correct it.", path=path)
        yield Fault(error=error, image_name=path.stem, images=1)
        return
    near = path.parent.relative_to(annotations)
    entry = Entry(names=(path.stem,), near=near, source=path, marks=partial(_marks, lines, names, path, wanted))
    yield from entry.found(images)


def _marks(
    lines: Sequence[str], names: Sequence[str], path: Path, wanted: Wanted, header: ImageHeader
) -> Iterator[Mark]:
    for line, text in enumerate(lines, start=1):
        if text.strip():
            try:
                yield _object(text.split(), names, header, path, line, masks=wanted.masks)
            except AnnotationError as error:
                yield error


def _object(
    words: Sequence[str], names: Sequence[str], header: ImageHeader, path: Path, line: int, *, masks: bool
) -> ObjectAnnotation:
    if len(words) not in (5, 6) and (len(words) < 7 or len(words) % 2 == 0):
        message = f"the line has {len(words)} values. It needs class, centre x, centre y, width, height. Correct it."
        raise AnnotationError(message, path=path, line=line)
    if not _CLASS.fullmatch(words[0]) or int(words[0]) >= len(names):
        message = (
            f"the class is '{words[0][:40]}', but {len(names)} names allow only 0 to {len(names) - 1}. Correct it."
        )
        raise AnnotationError(message, path=path, line=line)
    values = [matching.finite(word, "a value", path, line, "a fraction of the image") for word in words[1:]]
    sides = values if len(values) > 5 else values[:4]
    if any(abs(value) > 2 for value in sides):
        shown = " ".join(words[1 : len(sides) + 1])[:60]
        message = f"the box is {shown}, not fractions of the image from 0 to 1. Divide pixels by the size of the image."
        raise AnnotationError(message, path=path, line=line)
    label = names[int(words[0])]
    if len(values) > 5:
        xs, ys = [x * header.width for x in values[::2]], [y * header.height for y in values[1::2]]
        ring = tuple(value for point in zip(xs, ys, strict=True) for value in point)
        box = Box(xmin=min(xs), ymin=min(ys), xmax=max(xs), ymax=max(ys))
        return ObjectAnnotation(label=label, box=box, mask=Polygons(rings=(ring,)) if masks else None, line=line)
    x, y, width, height = values[:4]
    box = Box(
        xmin=(x - width / 2) * header.width,
        ymin=(y - height / 2) * header.height,
        xmax=(x + width / 2) * header.width,
        ymax=(y + height / 2) * header.height,
    )
    return ObjectAnnotation(label=label, box=box, line=line)
