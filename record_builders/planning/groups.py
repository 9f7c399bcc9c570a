"""Which images belong to one group. The image id or a table says it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from record_builders.annotations import AnnotatedImage
from tfod_tools.base import plugins
from tfod_tools.base.errors import AnnotationError, UsageError

_TABLE = re.compile(r"(?P<path>.+\.[ct]sv):(?P<column>[^:]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Images that belong together.

    Attributes:
      members: the image_ids of each group.
      others: number of images without a group.
    """

    members: tuple[tuple[str, ...], ...]
    others: int


def of(rule: str, images: Sequence[AnnotatedImage]) -> Groups:
    """The groups of `images`.

    Args:
      rule: a regular expression, whose first (group) in an image_id is the name of the image's group; or
        `FILE.csv:COLUMN`, a table whose first column names images (id, stem or file name), and COLUMN their groups.
      images: to group.

    Raises:
      UsageError: the rule is not valid, or gives no image a group.
      AnnotationError: the table cannot be used.
    """
    table = _TABLE.fullmatch(rule)
    group_of = _by_table(Path(table["path"]), table["column"]) if table else _by_expression(rule)
    members: dict[str, list[str]] = {}
    for image in images:
        if group := group_of(image):
            members.setdefault(group, []).append(image.image_id)
    if images and not members:
        message = f"--group_by={rule} gives no image a group; the first image is '{images[0].image_id}'. Correct it."
        raise UsageError(message)
    return Groups(members=tuple(map(tuple, members.values())), others=len(images) - sum(map(len, members.values())))


def shown(rule: str) -> str:
    """`rule` without the folder of its table, which only this machine has."""
    table = _TABLE.fullmatch(rule)
    return f"{Path(table['path']).name}:{table['column']}" if table else rule


def _by_expression(rule: str) -> Callable[[AnnotatedImage], str]:
    try:
        expression = re.compile(rule)
    except re.error as exc:
        raise UsageError(f"--group_by={rule} is not a regular expression: {exc}. Correct it.") from exc
    if not expression.groups:
        raise UsageError(f"--group_by={rule} has no part in parentheses, which is the group, such as ^(.*)_. Add it.")

    def group_of(image: AnnotatedImage) -> str:
        match = expression.search(image.image_id)
        return (match[1] or "") if match else ""

    return group_of


def _by_table(path: Path, column: str) -> Callable[[AnnotatedImage], str]:
    groups: dict[str, str] = {}
    header, *rows = _rows(path)
    if column not in header[1:]:
        message = f"the table has no column '{column}' after the first one. {plugins.suggestion(column, header[1:])}"
        raise AnnotationError(message, path=path, line=1)
    place = header.index(column, 1)
    for line, row in enumerate(rows, start=2):
        if not any(row):
            continue
        if len(row) != len(header):
            message = f"the row has {len(row)} values, but the first line has {len(header)}. Correct it."
            raise AnnotationError(message, path=path, line=line)
        if groups.setdefault(row[0], row[place]) != row[place]:
            message = (
                f"'{row[0]}' is in the group '{row[place]}', but in '{groups[row[0]]}' in a line before. Correct one."
            )
            raise AnnotationError(message, path=path, line=line)

    def group_of(image: AnnotatedImage) -> str:
        path = Path(image.image_name)
        names = (image.image_id, image.image_name, path.name, path.stem)
        return next((groups[name] for name in names if name in groups), "")

    return group_of


def _rows(path: Path) -> list[list[str]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as exc:
        raise AnnotationError(f"cannot read the table: {exc.strerror}.", path=path) from exc
    except UnicodeDecodeError as exc:
        raise AnnotationError("the table is not UTF-8 text. Save it as UTF-8.", path=path) from exc
    separator = max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = [
            [cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        ]
    except csv.Error as exc:
        raise AnnotationError(f"the table is not valid CSV: {exc}. Correct it.", path=path) from exc
    return rows or [[]]
