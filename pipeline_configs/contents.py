"""What the records of a split hold, taken in one at a time: the objects, and what the engine would make of odd ones.

How files and records are read is no concern of this module: it is handed functions of `record_builders`.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfod_tools.base.errors import ImageError, RecordError

if TYPE_CHECKING:
    from pipeline_configs.anchors.objects import Objects

# A `record_builders.records.example.ExampleContent`: the features of a record; one that it lacks is empty, or 0.
Record = Any

_EXIF = b"Exif\0\0"
_EXIF_WITHIN = 1 << 16  # of the start of a JPEG
_ORIENTATION = 0x0112
# Rounding to float32 may lead past the edge by this.
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What is known of the encoded image of a record.

    Attributes:
      width: in pixels as stored; 0 where it cannot be read.
      height: the same.
      fault: why the engine cannot decode it; "" where it can.
      orientation: by EXIF, which the engine ignores; 1 where nothing is to be turned.
    """

    width: int
    height: int
    fault: str = ""
    orientation: int = 1


@dataclass(slots=True, kw_only=True)
class Fault:
    """One kind of thing that is wrong with some records.

    Attributes:
      count: how many records, or boxes, have it.
      found: what the first of them has, with its place.
    """

    count: int
    found: str


@dataclass(slots=True)
class Contents:
    """What the records of a split hold, as far as they were added.

    Attributes:
      faults: by the code of the rule that is about them.
      label_ids: how many boxes have which number of a class and no name, by which the engine would go.
      labels_beside_lists: names of classes in records with weights or groups, which the engine does not drop along with
        the boxes of classes that it does not know.
    """

    faults: dict[str, Fault] = field(default_factory=dict)
    label_ids: Counter[int] = field(default_factory=Counter)
    labels_beside_lists: set[str] = field(default_factory=set)
    _images: list[str] = field(default_factory=list)
    _sizes: array[int] = field(default_factory=lambda: array("l"))
    _corners: array[float] = field(default_factory=lambda: array("f"))
    _weights: array[float] = field(default_factory=lambda: array("f"))
    _image_of: array[int] = field(default_factory=lambda: array("l"))
    _label_of: array[int] = field(default_factory=lambda: array("l"))
    _label_numbers: dict[str, int] = field(default_factory=dict)
    _sources: set[str] = field(default_factory=set)

    def add(self, record: Record, picture: Picture, where: str) -> None:
        """Takes a record in.

        Args:
          record: its features.
          picture: its encoded image.
          where: file and number of the record, for those who look for it.
        """
        for code, found in (*_image_faults(record, picture), *_box_faults(record, picture), *_class_faults(record)):
            self._found(code, f"{found} ({where})")
        if record.source_id in self._sources:
            self._found("DAT16", f"image/source_id '{record.source_id}' again ({where})")
        self._sources.add(record.source_id)
        if not record.labels:
            self.label_ids.update(record.label_ids[: len(record.boxes)])
        if any(weight != 1 for weight in record.weights) or any(record.group_of):
            self.labels_beside_lists.update(record.labels)
        self._keep(record, picture)

    @property
    def boxes(self) -> int:
        """How many boxes there are that can be learnt."""
        return len(self._weights)

    def objects(self) -> Objects:
        """Those boxes; NumPy is loaded here."""
        import numpy as np

        from pipeline_configs.anchors.objects import Objects

        return Objects(
            corners=np.array(self._corners, np.float32).reshape(-1, 4),
            image=np.array(self._image_of, np.int64),
            label=np.array(self._label_of, np.int64),
            weight=np.array(self._weights, np.float32),
            sizes=np.array(self._sizes, np.int64).reshape(-1, 2),
            names=tuple(self._label_numbers),
            images=tuple(self._images),
        )

    def _found(self, code: str, found: str) -> None:
        fault = self.faults.setdefault(code, Fault(count=0, found=found))
        fault.count += 1

    def _keep(self, record: Record, picture: Picture) -> None:
        width, height = picture.width or record.width, picture.height or record.height
        if width < 1 or height < 1:
            return
        names: Sequence[str] = record.labels or [f"#{number}" for number in record.label_ids]
        for index, box in enumerate(record.boxes):
            corners = (box.ymin, box.xmin, box.ymax, box.xmax)
            # What the engine drops, or stops at, has no anchors.
            if all(map(math.isfinite, corners)) and box.ymax > box.ymin and box.xmax > box.xmin:
                self._corners.extend(corners)
                self._weights.append(record.weights[index] if index < len(record.weights) else 1.0)
                self._image_of.append(len(self._images))
                name = names[index] if index < len(names) else ""
                self._label_of.append(self._label_numbers.setdefault(name, len(self._label_numbers)))
        self._images.append(record.source_id)
        self._sizes.extend((height, width))


def read(
    files: Iterable[Path],
    *,
    records: Callable[[Path], Iterable[bytes]],
    parse: Callable[[bytes], Record],
    header: Callable[[bytes], Any],
    on_progress: Callable[[int], None] = lambda files: None,
) -> Contents:
    """What record files hold.

    Args:
      files: in the order in which images are numbered.
      records: the records of a file (`record_builders.records.tfrecord.read`).
      parse: the features of a record (`record_builders.records.example.parse`).
      header: width and height of an encoded image (`record_builders.images.image_header.header_of`).
      on_progress: told the number of files done since it was last told.

    Raises:
      RecordError: a file is damaged, or holds something else than the engine reads.
    """
    contents = Contents()
    for file in files:
        for number, data in enumerate(records(file)):
            try:
                record = parse(data)
            except RecordError as error:
                raise RecordError(error.message, path=f"{file}, record {number}") from error
            contents.add(record, _picture(record.encoded, header), f"{file.name}, record {number}")
        on_progress(1)
    return contents


def _picture(encoded: bytes, header: Callable[[bytes], Any]) -> Picture:
    try:
        found = header(encoded)
    except ImageError as error:
        return Picture(width=0, height=0, fault=error.message)
    orientation = _orientation(encoded) if _EXIF in encoded[:_EXIF_WITHIN] else 1
    return Picture(width=found.width, height=found.height, orientation=orientation)


def _orientation(encoded: bytes) -> int:
    import io

    from PIL import Image

    try:
        with Image.open(io.BytesIO(encoded)) as image:
            value = image.getexif().get(_ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, KeyError, TypeError):  # Damaged metadata say nothing.
        return 1
    return int(value) if value in range(2, 9) else 1


def _image_faults(record: Record, picture: Picture) -> Iterator[tuple[str, str]]:
    if picture.fault or record.format.lower() == "raw":
        yield "DAT12", picture.fault.rstrip(".") or f"image/format '{record.format}'"
    elif (record.width, record.height) != (picture.width, picture.height):
        stated = f"image/width and image/height {record.width} x {record.height}"
        yield "DAT21", f"{stated} for an image of {picture.width} x {picture.height}"
    if picture.orientation != 1:
        yield "DAT13", f"orientation {picture.orientation}"


def _box_faults(record: Record, picture: Picture) -> Iterator[tuple[str, str]]:
    for box in record.boxes:
        corners = (box.xmin, box.ymin, box.xmax, box.ymax)
        shown = ", ".join(f"{value:.6g}" for value in corners)
        if not all(map(math.isfinite, corners)):
            yield "DAT09", f"a box at {shown}"
        elif box.ymax < box.ymin or box.xmax < box.xmin:
            yield "DAT06", f"a box at {shown}"
        else:
            if min(corners) < -_TOLERANCE or max(corners) > 1 + _TOLERANCE:
                yield "DAT07", f"a box at {shown}"
            width, height = (box.xmax - box.xmin) * picture.width, (box.ymax - box.ymin) * picture.height
            least = 1 - _TOLERANCE * max(picture.width, picture.height)
            if picture.width and min(width, height) < least:
                yield "DAT08", f"a box of {width:.3g} x {height:.3g} pixels"
    for name in ("group_of", "is_crowd", "difficult"):
        flags, weights = getattr(record, name), record.weights
        learnt = sum(flag and (weights[i] if i < len(weights) else 1) > 0 for i, flag in enumerate(flags))
        if learnt:
            yield "DAT15", f"boxes with image/object/{name} 1 that are learnt"


def _class_faults(record: Record) -> Iterator[tuple[str, str]]:
    if "" in record.labels:
        yield "DAT04", "a box with image/object/class/text ''"
    name, values = ("text", record.labels) if record.labels else ("label", record.label_ids)
    if len(values) != len(record.boxes):
        yield "DAT10", f"{len(values)} values of image/object/class/{name} for {len(record.boxes)} boxes"
