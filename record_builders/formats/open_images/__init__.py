"""Open Images V4 to V7: CSV tables of boxes, one row for each box, and of labels of whole images.

    ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside
    0001eeaf4aed83f9,xclick,/m/0cmf2,1,0.022464,0.964178,0.070656,0.800164,0,0,0,0,0

`annotations` is a folder (or one table in it) with tables of boxes, with or without that first line. Optional are
tables of human-verified labels (`ImageID,Source,LabelName,Confidence`), `class-descriptions*.csv` and
`bbox_labels_600_hierarchy.json`. Other files are ignored. Corners are fractions of the image. The name of a class is
its display name or, without descriptions, its MID. A flag of -1 is unknown and counts as 0.

With the hierarchy, a box counts for the ancestors of its class too. So does a label that says that a class is on the
image. A label that says that a class is not there counts for its descendants too. The engine's
oid_hierarchical_labels_expansion.py does the same. Only labels with Confidence 1 and 0 are read; others are guesses of
machines. An image with labels but without boxes is background, unless a label says that a wanted class is on it.
`ImageID` is the stem of the image, in any folder. Image sets are words in the names of tables (`train`, `validation`).
Not read: masks, relationships, narratives, and values after the last column.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from record_builders.annotations import Found, Wanted
from record_builders.formats.open_images.tables import CORNERS, Table
from record_builders.sources.folders import ImageFolder, head

SELECTS_CLASSES = True


def recognises(path: Path) -> bool:
    """Whether `path` is a table of boxes."""
    table = Table.of(path) if path.suffix.lower() == ".csv" else None
    return table is not None and table.has_boxes


def why_not(path: Path) -> str:
    """Which columns the table at `path` has, if it has some of Open Images, and which it lacks for boxes."""
    first = head(path).decode("utf-8-sig", "replace").partition("\n")[0] if path.suffix.lower() == ".csv" else ""
    found = [name.strip().strip('"') for name in first.split(",")]
    missing = [name for name in ("ImageID", "LabelName", "Confidence", *CORNERS) if name not in found]
    if not missing or not {"ImageID", "LabelName"} & {*found}:
        return ""
    return f"its columns are {', '.join(found)}. It lacks {', '.join(missing)}."


def read(annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """The images that have rows of the wanted classes, by id, and faults for what cannot be used.

    Raises:
      AnnotationError: there is no table of boxes, or none of an image set, or a table cannot be read.
      UsageError: a wanted class does not exist.
      MissingPackageError: polars is not installed.
    """
    from record_builders.formats.open_images import reader

    yield from reader.found(annotations, images, wanted)
