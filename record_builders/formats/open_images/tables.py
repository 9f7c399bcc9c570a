"""The CSV tables of Open Images: which files are tables, and what a row has."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from record_builders.sources.folders import head

FLAGS = ("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside")
CORNERS = ("XMin", "XMax", "YMin", "YMax")
BOX_COLUMNS = ("ImageID", "Source", "LabelName", "Confidence", *CORNERS, *FLAGS)
LABEL_COLUMNS = ("ImageID", "Source", "LabelName", "Confidence")
_ID = re.compile(r"[\w.-]+")


class BoxRow(NamedTuple):
    """A row of boxes; corners are fractions of the image.

    Bit i of `flags` is set if flag i of `FLAGS` is 1. A row `is_bad` if a corner is not a number (it is None then), or
    a flag is not 1, 0 or -1.
    """

    image_id: str
    table: int
    line: int
    mid: str
    xmin: float | None
    xmax: float | None
    ymin: float | None
    ymax: float | None
    flags: int
    is_bad: bool


class LabelRow(NamedTuple):
    """A label of a whole image: a person saw the class on it, or did not; None for a guess of a machine."""

    image_id: str
    mid: str
    present: bool | None


@dataclass(slots=True)
class ImageRows:
    """All wanted rows of one image."""

    image_id: str
    boxes: list[BoxRow] = field(default_factory=list)
    labels: list[LabelRow] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A CSV file and the names of its columns, which may stand in its first line."""

    path: Path
    columns: tuple[str, ...]
    has_header: bool

    @classmethod
    def of(cls, path: Path) -> Table | None:
        """The table at `path`, judged by its first line; None if it is not a table of boxes or labels."""
        first = head(path).decode("utf-8-sig", "replace").partition("\n")[0].rstrip("\r")
        values = tuple(value.strip().strip('"') for value in first.split(","))
        if {"ImageID", "LabelName", "Confidence"} <= {*values} and "MaskPath" not in values:
            return cls(path=path, columns=values, has_header=True)
        for columns in (BOX_COLUMNS, LABEL_COLUMNS):
            if len(values) == len(columns) and _ID.fullmatch(values[0]) and values[2].startswith("/"):
                return cls(path=path, columns=columns, has_header=False)
        return None

    @property
    def has_boxes(self) -> bool:
        """Whether it is a table of boxes, and not of labels."""
        return {*CORNERS} <= {*self.columns}
