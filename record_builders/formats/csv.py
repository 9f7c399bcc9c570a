"""CSV: one row for each box. The first line has the names of the columns, in any order.

    filename,width,height,class,xmin,ymin,xmax,ymax
    a.jpg,650,417,raccoon,81,88,522,408

TensorFlow tutorials make such files from VOC. Other names work too: `image` or `image_name` for the file; `label`,
`label_name` or `category` for the class; `x1 y1 x2 y2` or `x1 y1 w h` for the box. The columns `difficult`,
`truncated`, `occluded`, `is_crowd` and `group_of` are optional. Commas, semicolons or tabs separate the columns.
Coordinates are pixels. A row without class and box is an image without objects. The rows of one image may stand apart.
An image set is a file, named by its stem (`train_labels`). Not read: a box in a single column, because tools write it
in different ways.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from record_builders.annotations import Box, Fault, Found, ObjectAnnotation, Wanted
from record_builders.images.image_header import ImageHeader
from record_builders.sources import matching
from record_builders.sources.folders import ImageFolder, files_or_file, head, of_sets
from record_builders.sources.matching import Entry, Mark
from tfod_tools.base.errors import AnnotationError

# The names of columns by their meaning. Case, spaces and underscores do not count.
_HEADINGS = {
    "file": ("filename", "file", "image", "imagename", "imagepath", "path", "imageid", "img"),
    "label": ("class", "label", "labelname", "classname", "category", "name"),
    "xmin": ("xmin", "x1", "left"),
    "ymin": ("ymin", "y1", "top"),
    "xmax": ("xmax", "x2", "right"),
    "ymax": ("ymax", "y2", "bottom"),
    "box_width": ("w", "boxwidth"),
    "box_height": ("h", "boxheight"),
    "width": ("width", "imagewidth"),
    "height": ("height", "imageheight"),
    "difficult": ("difficult",),
    "truncated": ("truncated", "istruncated"),
    "occluded": ("occluded", "isoccluded"),
    "is_crowd": ("iscrowd", "crowd"),
    "group_of": ("groupof", "isgroupof"),
}
_NEW_LINE = re.compile(r"\r\n?|\n")
_TRUE, _FALSE = ("1", "true", "yes"), ("", "0", "false", "no", "-1")

Row = Mapping[str, str]
Items = list[tuple[int, Row | AnnotationError]]


def recognises(path: Path) -> bool:
    """Whether `path` is a .csv or .tsv with columns for file, class and box, but not a table of Open Images."""
    if path.suffix.lower() not in (".csv", ".tsv"):
        return False
    first = _first_line(path)
    return not _is_of_open_images(first) and not _missing(_columns(first)[1])


def why_not(path: Path) -> str:
    """Which columns the table at `path` has, and which it lacks."""
    first = _first_line(path) if path.suffix.lower() in (".csv", ".tsv") else ""
    missing = _missing(_columns(first)[1])
    if not first.strip() or _is_of_open_images(first) or not missing:
        return ""
    return f"its first line is '{first.strip()[:120]}'. It has no column for {', '.join(missing)}."


def _first_line(path: Path) -> str:
    return head(path).decode("utf-8-sig", "replace").partition("\n")[0]


def _is_of_open_images(first: str) -> bool:
    return all(name in first for name in ("ImageID", "LabelName", "Confidence"))


def read(annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """The images that the CSV files list, and faults for what cannot be used.

    Raises:
      AnnotationError: there is no CSV file, or an image set does not exist.
    """
    paths = of_sets(files_or_file(annotations, (".csv", ".tsv")), wanted.image_sets, annotations)
    if not paths:
        raise AnnotationError("no CSV file is here. Name their folder with --annotations.", path=annotations)
    for path in paths:
        yield from _read_file(path, images)


def _read_file(path: Path, images: ImageFolder) -> Iterator[Found]:
    try:
        rows = _rows_by_image(path)
    except AnnotationError as error:
        yield Fault(error=error, image_name="")
        return
    for name, items in rows.items():
        yield from _image(name, items, path, images)


def _rows_by_image(path: Path) -> dict[str, Items]:
    """For each image, the line and values of its rows, or what is wrong with a row; '' for rows without an image."""
    text = _text(path)
    separator, columns = _columns(_NEW_LINE.split(text, maxsplit=1)[0])
    if missing := _missing(columns):
        message = (
            f"the first line has no column for {', '.join(missing)}. Name the columns, such as filename,class,xmin."
        )
        raise AnnotationError(message, path=path, line=1)
    rows: dict[str, Items] = {}
    table = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        next(table)
        for values in table:
            if any(value.strip() for value in values):
                name = values[columns.index("file")].strip() if len(values) > columns.index("file") else ""
                rows.setdefault(name, []).append((table.line_num, _row(values, columns, path, table.line_num)))
    except csv.Error as exc:
        raise AnnotationError(f"the file is not valid CSV: {exc}. Correct it.", path=path, line=table.line_num) from exc
    return rows


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as exc:
        raise AnnotationError(f"cannot read the file: {exc.strerror}.", path=path) from exc
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise AnnotationError("the line is not UTF-8 text. Save the file as UTF-8.", path=path, line=line) from exc


def _image(name: str, items: Items, path: Path, images: ImageFolder) -> Iterator[Found]:
    if not name:
        for line, row in items:
            error = row if isinstance(row, AnnotationError) else AnnotationError(
                "the row has no image. Add the file name.", path=path, line=line
            )  # fmt: skip
            yield Fault(error=error, image_name="", boxes=1)
        return
    whole = next((row for _, row in items if not isinstance(row, AnnotationError)), {})
    entry = Entry(
        names=(name, Path(name.replace("\\", "/")).stem),
        near=Path(),
        source=path,
        marks=partial(_marks, items, path),
        stated=(whole.get("width"), whole.get("height")),
        line=items[0][0],
    )
    yield from entry.found(images)


def _marks(items: Items, path: Path, header: ImageHeader) -> Iterator[Mark]:
    for line, row in items:
        if isinstance(row, AnnotationError):
            yield row
        elif any(row.get(name) for name in ("label", "xmin", "ymin", "xmax", "ymax", "box_width", "box_height")):
            try:
                yield _object(row, path, line)
            except AnnotationError as error:
                yield error


def _object(row: Row, path: Path, line: int) -> ObjectAnnotation:
    if not row["label"]:
        raise AnnotationError("the row has a box but no class. Add the class.", path=path, line=line)
    values = {name: matching.finite(row[name], name, path, line) for name in ("xmin", "ymin")}
    for end, start, size in (("xmax", "xmin", "box_width"), ("ymax", "ymin", "box_height")):
        if end in row:
            values[end] = matching.finite(row[end], end, path, line)
        else:
            values[end] = values[start] + matching.finite(row[size], size, path, line)
    return ObjectAnnotation(
        label=row["label"],
        box=Box(**values),
        difficult=_flag(row, "difficult", path, line),
        truncated=_flag(row, "truncated", path, line),
        occluded=_flag(row, "occluded", path, line),
        is_crowd=_flag(row, "is_crowd", path, line),
        group_of=_flag(row, "group_of", path, line),
        line=line,
    )


def _flag(row: Row, name: str, path: Path, line: int) -> bool:
    text = row.get(name, "")
    if text.lower() in (*_TRUE, *_FALSE):
        return text.lower() in _TRUE
    raise AnnotationError(f"{name} is '{text}', not 0 or 1. Correct it.", path=path, line=line)


def _columns(heading: str) -> tuple[str, list[str]]:
    """The separator, and the meaning of each column; '' for a column that is not read."""
    separator = max(",;\t", key=heading.count)
    meanings = {name: meaning for meaning, names in _HEADINGS.items() for name in names}
    try:
        names = next(csv.reader([heading.rstrip("\r")], delimiter=separator), [])
    except csv.Error:
        names = []
    return separator, [meanings.get(re.sub(r"[\s_]", "", name.lower()), "") for name in names]


def _missing(columns: list[str]) -> list[str]:
    needed: dict[str, tuple[str, ...]] = {
        "the image": ("file",),
        "the class": ("label",),
        "xmin": ("xmin",),
        "ymin": ("ymin",),
        "xmax": ("xmax", "box_width"),
        "ymax": ("ymax", "box_height"),
    }
    return [shown for shown, any_of in needed.items() if not set(any_of) & set(columns)]


def _row(values: list[str], columns: list[str], path: Path, line: int) -> Row | AnnotationError:
    if len(values) != len(columns):
        message = f"the row has {len(values)} values, but the first line has {len(columns)}. Correct it."
        return AnnotationError(message, path=path, line=line)
    return {name: value.strip() for name, value in zip(columns, values, strict=True) if name}
