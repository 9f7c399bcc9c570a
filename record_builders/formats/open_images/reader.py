"""From rows of Open Images to images with their classes, boxes, labels and flags, and faults."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from record_builders.annotations import Box, Fault, Found, ImageLabel, LeftOut, ObjectAnnotation, Wanted
from record_builders.formats.open_images import grouping
from record_builders.formats.open_images.classes import Classes
from record_builders.formats.open_images.grouping import Selection
from record_builders.formats.open_images.hierarchy import Hierarchy
from record_builders.formats.open_images.tables import FLAGS, BoxRow, ImageRows, Table
from record_builders.images.image_header import ImageHeader
from record_builders.planning.checks import OTHER_CLASSES
from record_builders.sources import matching
from record_builders.sources.folders import ImageFolder, files_below
from record_builders.sources.names_files import is_descriptions_file, read_descriptions
from tfod_tools.base.errors import AnnotationError, ImageError

_SETS = ("train", "validation", "test", "challenge2018")
_LARGEST_FRACTION = 2.0
_EXPANDED = "Images with boxes added for the ancestors of their classes"


def found(annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """See `read` of the format."""
    reader = _Reader.of(annotations, images, wanted)
    for rows in grouping.grouped(reader.tables, reader.selection):
        yield from reader.image(rows)
    yield from reader.left_out()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    tables: Sequence[Table]
    classes: Classes
    images: ImageFolder
    selection: Selection
    not_there: Mapping[Path, AnnotationError]
    sets: Mapping[Path, str]
    seen: set[str]
    bad_texts: dict[Path, dict[int, str]]

    @classmethod
    def of(cls, annotations: Path, images: ImageFolder, wanted: Wanted) -> _Reader:
        folder = annotations.parent if annotations.is_file() else annotations
        csvs = files_below(folder, (".csv",))
        tables = [table for path in csvs if (table := _table(path, annotations, wanted.image_sets))]
        if not any(table.has_boxes for table in tables):
            which = f" of {' or '.join(wanted.image_sets)}" if wanted.image_sets else ""
            message = f"no table of boxes{which} is here: no CSV file with ImageID, XMin and so on. Add it."
            raise AnnotationError(message, path=annotations)
        names: dict[str, str] = {}
        for path in filter(is_descriptions_file, csvs):
            names = read_descriptions(path) | names
        hierarchies = [path for path in files_below(folder, (".json",)) if "hierarchy" in path.stem]
        hierarchy = Hierarchy.read(hierarchies[0]) if hierarchies else Hierarchy.none()
        # One error for all images of a table: there may be a million of them.
        message = (
            f"its image is missing below {images.folder.name or 'the folder'}. "
            "List such images with --missing_images, get them with --download, or add --on_problem=skip."
        )
        not_there = {table.path: AnnotationError(message, path=table.path) for table in tables}
        classes = Classes.of(names, hierarchy, wanted)
        selection = Selection(boxes=classes.boxed(), labels=classes.labelled())
        return cls(
            tables=tables,
            classes=classes,
            images=images,
            selection=selection,
            not_there=not_there,
            sets={table.path: _set(table.path) for table in tables},
            seen=set(),
            bad_texts={},
        )

    def image(self, rows: ImageRows) -> Iterator[Found]:
        """The image of `rows`, or a fault in its place."""
        source, line = self._place(rows)
        name = rows.image_id
        if not name:
            error = AnnotationError("a row has no image. Add its ImageID.", path=source, line=line)
            yield Fault(error=error, image_name="", boxes=len(rows.boxes))
            return
        try:
            found = self.images.find(rows.image_id, Path(self.sets[source]))
            if found is None:
                yield self._missing(rows)
                return
            name = found
            self.seen.add(Path(name).stem)
            header = matching.image_header(self.images, name, (None, None), source, line)
        except (AnnotationError, ImageError) as exc:
            error = AnnotationError(exc.message, path=source, line=line)
            yield Fault(error=error, image_name=name, images=1, boxes=len(rows.boxes))
            return
        objects = []
        for mark in self._marks(rows, header):
            if isinstance(mark, ObjectAnnotation):
                objects.append(mark)
            else:
                yield Fault(error=mark, image_name=name, boxes=1)
        labels = self._labels(rows)
        if rows.boxes:
            notes = (_EXPANDED,) if len(objects) > len(rows.boxes) else ()
            yield matching.annotated(
                self.images, name, header, tuple(objects), source, line, labels=labels, notes=notes
            )
        elif any(label.present for label in labels):
            yield LeftOut(reason="with a label of a wanted class, but without boxes for it", image_name=name, images=1)
        elif labels:
            yield matching.annotated(self.images, name, header, (), source, line, labels=labels)

    def left_out(self) -> Iterator[Found]:
        """The boxes of classes that are not wanted, and the images that have only such boxes."""
        if self.selection.boxes is None:
            return
        total, kept = grouping.box_rows(self.tables, self.selection)
        yield LeftOut(reason=OTHER_CLASSES, boxes=total - kept)
        stems = {Path(name).stem: name for name in self.images.names()}
        for image_id in sorted(grouping.annotated_ids(self.tables, stems.keys() - self.seen)):
            yield LeftOut(reason=OTHER_CLASSES, image_name=stems[image_id], images=1)

    def _place(self, rows: ImageRows) -> tuple[Path, int | None]:
        if not rows.boxes:
            return next(table.path for table in self.tables if not table.has_boxes), None
        return self.tables[rows.boxes[0].table].path, rows.boxes[0].line

    def _missing(self, rows: ImageRows) -> Found:
        if not rows.boxes:
            return LeftOut(reason="with labels only, and missing", images=1)
        path = self._place(rows)[0]
        folder = self.sets[path]
        name = f"{folder}/{rows.image_id}" if folder else rows.image_id
        return Fault(error=self.not_there[path], image_name=name, images=1, boxes=len(rows.boxes), missing=True)

    def _marks(self, rows: ImageRows, header: ImageHeader) -> Iterator[ObjectAnnotation | AnnotationError]:
        for row in rows.boxes:
            problem = self._problem(row)
            if problem:
                yield AnnotationError(problem, path=self.tables[row.table].path, line=row.line)
            else:
                yield from (self._object(row, label, header) for label in self.classes.of_present(row.mid))

    def _problem(self, row: BoxRow) -> str:
        """What is wrong with the row; '' if nothing is."""
        if not self.classes.is_known(row.mid):
            return f"the class descriptions do not have '{row.mid}'. Add it there, or remove the box."
        if row.is_bad:
            table = self.tables[row.table]
            if table.path not in self.bad_texts:
                self.bad_texts[table.path] = grouping.bad_texts(table)
            text = self.bad_texts[table.path][row.line]
            return f"corners and flags are '{text}', not 4 numbers from 0 to 1 and then -1, 0 or 1. Correct them."
        if max(abs(side or 0.0) for side in row[4:8]) > _LARGEST_FRACTION:
            shown = ",".join(f"{side:g}" for side in row[4:8])
            return f"XMin, XMax, YMin, YMax are {shown}, not from 0 to 1. Divide them by the size of the image."
        return ""

    def _object(self, row: BoxRow, label: str, header: ImageHeader) -> ObjectAnnotation:
        xmin, xmax, ymin, ymax = (side or 0.0 for side in row[4:8])
        occluded, truncated, group_of, depiction, inside = (bool(row.flags >> bit & 1) for bit in range(len(FLAGS)))
        return ObjectAnnotation(
            label=label,
            box=Box(
                xmin=xmin * header.width, ymin=ymin * header.height, xmax=xmax * header.width, ymax=ymax * header.height
            ),
            occluded=occluded,
            truncated=truncated,
            group_of=group_of,
            depiction=depiction,
            inside=inside,
            line=row.line,
        )

    def _labels(self, rows: ImageRows) -> tuple[ImageLabel, ...]:
        """What people said about the image; if they disagree, the class is there."""
        present: dict[str, bool] = {}
        for row in sorted(rows.labels, key=lambda row: not row.present):
            of = self.classes.of_present if row.present else self.classes.of_absent
            for label in of(row.mid):
                present.setdefault(label, bool(row.present))
        return tuple(ImageLabel(label=label, present=there) for label, there in sorted(present.items()))


def _set(table: Path) -> str:
    """The folder of the public bucket that belongs to a table; '' if the name of the table does not say it."""
    words = re.split(r"[-_.]", table.stem)
    return next((name for name in _SETS if name in words), "")


def _table(path: Path, annotations: Path, image_sets: Sequence[str]) -> Table | None:
    """The table at `path`, if it must be read."""
    table = Table.of(path)
    words = re.split(r"[-_.]", path.stem)
    if table is None or (image_sets and not set(words) & set(image_sets)):
        return None
    return None if annotations.is_file() and table.has_boxes and path != annotations else table
