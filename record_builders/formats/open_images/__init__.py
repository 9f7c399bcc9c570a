"""Open Images V4 to V7: CSV tables of boxes, one row each, and of labels of whole images.

    ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside
    0001eeaf4aed83f9,xclick,/m/0cmf2,1,0.022464,0.964178,0.070656,0.800164,0,0,0,0,0

`annotations` is a folder (or one table in it) with tables of boxes, with or without that first line, and, where you
have them, tables of human-verified labels (`ImageID,Source,LabelName,Confidence`), `class-descriptions*.csv` and
`bbox_labels_600_hierarchy.json`; other files are passed over. Corners are fractions of the image. A class is called by
its display name or, without descriptions, by its MID. Flags of -1 are unknown and count as 0.

By the hierarchy a box counts for the ancestors of its class too, as does a label that says that a class is there; one
that says that it is not counts for the descendants: as the engine's oid_hierarchical_labels_expansion.py has it. Of
labels only those of Confidence 1 and 0 are read, not guesses of machines. An image with labels but without boxes is
background, unless a label says that a wanted class is on it. `ImageID` is the image's stem, in any folder. Image sets
are the words in names of tables (`train`, `validation`). Not read: masks, relationships, narratives, and what a row has
beyond the last column.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from record_builders.annotations import Found, Wanted
from record_builders.formats.open_images.tables import Table
from record_builders.sources.folders import ImageFolder

SELECTS_CLASSES = True


def recognises(path: Path) -> bool:
    """Whether `path` is a table of boxes."""
    table = Table.of(path) if path.suffix.lower() == ".csv" else None
    return table is not None and table.has_boxes


def read(annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """The images that have rows of the wanted classes, by id, and what is wrong with the others.

    Raises:
      AnnotationError: there is no table of boxes, or none of an image set, or one cannot be read.
      UsageError: a wanted class does not exist.
      MissingPackageError: polars is not installed.
    """
    from record_builders.formats.open_images import reader

    yield from reader.found(annotations, images, wanted)
