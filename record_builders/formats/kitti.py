"""KITTI: one text file for each image, one line for each object, as in the 2D object benchmark.

    Car 0.00 0 -1.57 600.0 150.0 630.0 190.0 2.85 2.63 12.34 0.47 1.49 69.44 -1.56

The values are: class; truncation (0 to 1); occlusion (0 none, 1 partly, 2 largely, 3 unknown); angle; left, top, right
and bottom in pixels, counted from 0; then values in three dimensions. An object with truncation above 0 is truncated,
and one with occlusion 1 or 2 is occluded. `DontCare` marks regions without a class; they are left out.
`label_2/000030.txt` belongs to `image_2/000030.png`. An image set is a folder (`training`). Not read: the three
dimensions, scores.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from record_builders.annotations import Box, Fault, Found, LeftOut, ObjectAnnotation, Wanted
from record_builders.images.image_header import ImageHeader
from record_builders.sources import matching
from record_builders.sources.folders import ImageFolder, files_below, head, in_folders
from record_builders.sources.matching import Entry, Mark
from tfod_tools.base.errors import AnnotationError

_FIELDS = 15
_LINE = re.compile(rb"\A\s*[A-Za-z_]\w*( -?\d+(\.\d+)?(e-?\d+)?){14,15}\s*$", re.MULTILINE)

_ALMOST = re.compile(rb"\A\s*[A-Za-z_]\w*([ \t]+-?\d[\d.]*){4,}", re.MULTILINE)


def recognises(path: Path) -> bool:
    """Whether `path` is a text file that begins with a class and fourteen or fifteen numbers."""
    return path.suffix.lower() == ".txt" and _LINE.match(head(path)) is not None


def why_not(path: Path) -> str:
    """What the first line of the text file at `path` is, if it begins with a word and has numbers."""
    if path.suffix.lower() != ".txt" or not _ALMOST.match(start := head(path)):
        return ""
    words = start.decode("utf-8-sig", "replace").strip().partition("\n")[0].split()
    return f"its first line has {len(words)} values. It needs a class and 14 or 15 numbers, separated by one space."


def read(annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """The images that have a file of objects, and faults for what cannot be used.

    Raises:
      AnnotationError: there is no text file, or an image set does not exist.
    """
    yield from read_files(files(annotations, wanted)[0], annotations, images, wanted)


def files(annotations: Path, wanted: Wanted) -> tuple[list[Path], list[Fault]]:
    """The files to read, and no fault.

    Raises:
      AnnotationError: as `read`.
    """
    paths = in_folders(files_below(annotations, (".txt",)), wanted.image_sets, annotations)
    if not paths:
        raise AnnotationError(
            "no .txt file is here. KITTI has one for each image. Name their folder with --annotations.",
            path=annotations,
        )
    return paths, []


def read_files(paths: Sequence[Path], annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """The images of the files `paths` below `annotations`, and faults for what cannot be used."""
    for path in paths:
        try:
            lines = path.read_bytes().decode("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError):
            error = AnnotationError("the file is not UTF-8 text, or cannot be read. Correct it.", path=path)
            yield Fault(error=error, image_name=path.stem, images=1)
            continue
        near = path.parent.relative_to(annotations)
        entry = Entry(names=(path.stem,), near=near, source=path, marks=partial(_marks, lines, path))
        yield from entry.found(images)


def _marks(lines: Sequence[str], path: Path, header: ImageHeader) -> Iterator[Mark]:
    for line, text in enumerate(lines, start=1):
        words = text.split()
        if words and words[0] == "DontCare":
            yield LeftOut(reason="DontCare", boxes=1)
        elif words:
            try:
                yield _object(words, path, line)
            except AnnotationError as error:
                yield error


def _object(words: Sequence[str], path: Path, line: int) -> ObjectAnnotation:
    if len(words) not in (_FIELDS, _FIELDS + 1):
        message = f"the line has {len(words)} values, not {_FIELDS}. Is it really KITTI? Name the format with --format."
        raise AnnotationError(message, path=path, line=line)
    truncated = matching.finite(words[1], "truncation", path, line, "a number from 0 to 1")
    occluded = matching.finite(words[2], "occlusion", path, line, "a number from 0 to 3")
    xmin, ymin, xmax, ymax = (matching.finite(word, "a side of the box", path, line) for word in words[4:8])
    return ObjectAnnotation(
        label=words[0],
        box=Box(xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax),
        truncated=truncated > 0,
        occluded=occluded in (1, 2),
        line=line,
    )
