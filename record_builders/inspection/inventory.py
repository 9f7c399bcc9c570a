"""Record files taken stock of: what they hold, and what is wrong with them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path

from record_builders.annotations import Box
from record_builders.inspection import contract
from record_builders.label_map import LabelMap
from record_builders.output import manifest
from record_builders.planning.plan import MANIFEST
from record_builders.records import shards, tfrecord
from record_builders.records.example import ExampleContent
from record_builders.records.shards import ShardSpec
from tfod_tools.base.errors import RecordError

_RECORD_FILE = re.compile(r"[^.].*\.(tf)?records?(-\d{5}-of-\d{5})?")
_GZIP = b"\x1f\x8b"
# Sides of the squares in pixels whose areas part small, medium and large boxes in COCO's metrics.
_SMALL, _LARGE = 32, 96


@dataclass(slots=True)
class ClassCount:
    """How often a class is there: its numbers, images, boxes, and boxes by size as COCO's metrics have it."""

    numbers: set[int] = field(default_factory=set)
    images: int = 0
    boxes: int = 0
    small: int = 0
    medium: int = 0
    large: int = 0

    def by_size(self) -> tuple[int, int, int]:
        """Numbers of small, medium and large boxes."""
        return self.small, self.medium, self.large


@dataclass(slots=True)
class Inspection:
    """What is found so far.

    Attributes:
      records: number of whole records in each file.
      classes: by name; '#3' where records have numbers alone and no label map tells more.
      sizes: number of images of each (width, height) in pixels.
      background: number of images without a box.
      most_boxes: on one image.
      masks: number of images with masks.
      problems: the first error of each message, and how many there are.
    """

    records: dict[Path, int] = field(default_factory=dict)
    classes: dict[str, ClassCount] = field(default_factory=dict)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    background: int = 0
    most_boxes: int = 0
    masks: int = 0
    problems: dict[str, tuple[RecordError, int]] = field(default_factory=dict)

    def add_problem(self, error: RecordError) -> None:
        """Counts it to those with the same message."""
        first, count = self.problems.get(error.message, (error, 0))
        self.problems[error.message] = (first, count + 1)

    def problem_lines(self) -> list[str]:
        """One line for each message."""
        return [
            f"{first}{f' (and {count - 1} more like this)' if count > 1 else ''}"
            for first, count in self.problems.values()
        ]


def files(named: Sequence[str]) -> list[Path]:
    """The record files that are named: files, patterns such as `train.record-*`, and all in folders.

    Raises:
      RecordError: one of the names is that of nothing.
    """
    found: dict[Path, None] = {}
    for name in named:
        path = Path(name)
        if path.is_dir():
            below = [file for file in sorted(path.iterdir()) if _RECORD_FILE.fullmatch(file.name) and file.is_file()]
        else:
            below = [path] if path.is_file() else [Path(file) for file in sorted(glob(name))]  # noqa: PTH207 - absolute
        if not below:
            message = "no record file is here, expected one, a pattern, or a folder of files such as train.record."
            raise RecordError(message, path=path)
        found.update(dict.fromkeys(below))
    return list(found)


def inspect(
    paths: Sequence[Path], label_map: LabelMap | None, *, decode: bool, on_progress: Callable[[int], None]
) -> Inspection:
    """Reads all records, with their checksums.

    Args:
      paths: the files.
      label_map: the one that they must agree with, if any.
      decode: whether to decode every image, and not only its header.
      on_progress: told the number of files done since it was last told.
    """
    found = Inspection()
    sources: set[str] = set()
    for path in paths:
        found.records[path] = 0
        try:
            for number, data in enumerate(_records(path)):
                if isinstance(data, RecordError):
                    found.add_problem(data)
                    continue
                found.records[path] += 1
                where = f"{path}, record {number}"
                for message in _record(data, found, label_map, sources, decode=decode):
                    found.add_problem(RecordError(message, path=where))
        except RecordError as error:
            found.add_problem(error)
        on_progress(1)
    for problem in (*_missing_shards(paths), *_unlike_manifest(found.records), *_ambiguous(found.classes)):
        found.add_problem(problem)
    return found


def _records(path: Path) -> Iterator[bytes | RecordError]:
    with path.open("rb") as file:
        start = file.read(len(_GZIP))
    if not start:
        raise RecordError("the file is empty: the engine waits for ever for its first record. Remove it.", path=path)
    if start == _GZIP:
        raise RecordError("the file is compressed with gzip, which the engine does not read. Unpack it.", path=path)
    yield from tfrecord.scan(path)


def _record(
    data: bytes, found: Inspection, label_map: LabelMap | None, sources: set[str], *, decode: bool
) -> Iterator[str]:
    try:
        content = contract.content_of(data)
    except RecordError as error:
        yield error.message
        return
    yield from contract.problems(data, content, label_map, decode=decode)
    if content.source_id in sources and content.source_id:
        yield "image/source_id is that of another record too: evaluation passes over one of them. Rename one."
    sources.add(content.source_id)
    _count(content, found, label_map)


def _count(content: ExampleContent, found: Inspection, label_map: LabelMap | None) -> None:
    found.sizes[content.width, content.height] += 1
    found.background += not content.boxes
    found.most_boxes = max(found.most_boxes, len(content.boxes))
    found.masks += bool(content.masks)
    names = class_names(content, label_map)
    for name in set(names):
        found.classes.setdefault(name, ClassCount()).images += 1
    for name, number in zip(content.labels and names, content.label_ids, strict=False):
        found.classes[name].numbers.add(number)
    for name, box in zip(names, content.boxes, strict=False):
        count, area = found.classes[name], box.area * content.width * content.height
        count.boxes += 1
        count.small += area < _SMALL**2
        count.medium += _SMALL**2 <= area < _LARGE**2
        count.large += area >= _LARGE**2


def class_names(content: ExampleContent, label_map: LabelMap | None) -> list[str]:
    """The class of each box, as the engine takes it: by text, else by number."""
    if content.labels:
        shown = label_map.names_by_label() if label_map else {}
        return [shown.get(text, text) for text in content.labels]
    by_id = dict(zip(label_map.ids, label_map.names, strict=True)) if label_map else {}
    return [by_id.get(number, f"#{number}") for number in content.label_ids]


def pixel_boxes(content: ExampleContent) -> list[Box]:
    """The boxes in pixels of the width and height that the record states."""
    width, height = content.width or 1, content.height or 1
    return [
        Box(xmin=box.xmin * width, ymin=box.ymin * height, xmax=box.xmax * width, ymax=box.ymax * height)
        for box in content.boxes
    ]


def _missing_shards(paths: Sequence[Path]) -> Iterator[RecordError]:
    specs: dict[tuple[Path, str, int], set[int]] = {}
    for path in paths:
        try:
            spec = ShardSpec.parse(path.name)
        except ValueError:
            continue
        specs.setdefault((path.parent, spec.prefix, spec.total), set()).add(spec.index)
    for (folder, prefix, total), present in specs.items():
        for index in sorted(set(range(total)) - present):
            name = ShardSpec(prefix=prefix, index=index, total=total).name
            if not (folder / name).exists():
                yield RecordError("the shard is missing. Make the records again.", path=folder / name)


def _unlike_manifest(records: Mapping[Path, int]) -> Iterator[RecordError]:
    for folder in sorted({path.parent for path in records}):
        try:
            splits = manifest.read(folder / MANIFEST)["splits"].values()
            listed = {entry["path"]: entry["records"] for split in splits for entry in split["shards"]}
        except (RecordError, AttributeError, KeyError, TypeError):
            continue  # There is none, or another program's.
        for path in (path for path in records if path.parent == folder):
            if path.name not in listed:
                yield RecordError(f"is not in {MANIFEST}: it is not of that run. Remove it, or move it.", path=path)
            elif listed[path.name] != records[path]:
                message = f"holds {records[path]} whole records, {MANIFEST} says {listed[path.name]}."
                yield RecordError(f"{message} Make the records again.", path=path)


def by_pattern(records: Mapping[Path, int]) -> dict[str, tuple[int, int]]:
    """Numbers of files and records of each split, or of a file that is no shard."""
    counts: dict[str, tuple[int, int]] = {}
    for path, count in records.items():
        try:
            spec = ShardSpec.parse(path.name)
            name = str(path.with_name(shards.pattern(spec.prefix, spec.total)))
        except ValueError:
            name = str(path)
        others = counts.get(name, (0, 0))
        counts[name] = (others[0] + 1, others[1] + count)
    return counts


def _ambiguous(classes: dict[str, ClassCount]) -> Iterator[RecordError]:
    for name, count in classes.items():
        if len(count.numbers) > 1:
            numbers = ", ".join(map(str, sorted(count.numbers)))
            yield RecordError(f"class '{name}' has the numbers {numbers} in different records, expected one.")
