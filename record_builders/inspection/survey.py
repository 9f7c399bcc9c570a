"""Reads record files: what they hold, and what is wrong with them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path

from record_builders.annotations import Box
from record_builders.inspection import problems, record_check
from record_builders.inspection.object_lists import ObjectLists
from record_builders.inspection.problems import Fact, Problem
from record_builders.inspection.record_check import Record
from record_builders.label_map import LabelMap
from record_builders.output import manifest
from record_builders.output.manifest import MANIFEST
from record_builders.records import shards, tfrecord
from record_builders.records.example import ExampleContent
from record_builders.records.shards import ShardSpec
from tfod_tools.base.errors import RecordError

_RECORD_FILE = re.compile(r"[^.].*\.(tf)?records?(-\d{5}-of-\d{5})?")
_GZIP = b"\x1f\x8b"
# COCO's metrics call a box small below 32 x 32 pixels, and large from 96 x 96 pixels on.
_SMALL, _LARGE = 32, 96

# The name and number of a box's class. A record without class names has None for a name.
Label = tuple[str | None, int | None]


@dataclass(slots=True)
class ClassCount:
    """How many images and boxes a class has, and how many of the boxes are small, medium and large."""

    images: int = 0
    boxes: int = 0
    small: int = 0
    medium: int = 0
    large: int = 0


@dataclass(slots=True)
class Use:
    """How many boxes and records have a label; the first of these records is `record` of the file `path`."""

    path: Path
    record: int
    boxes: int = 0
    records: int = 0


@dataclass(slots=True)
class FileContents:
    """What one file holds.

    Attributes:
      records: number of records that can be read.
      images_with_masks: number of images with instance masks.
      most_boxes: largest number of boxes on one image.
      labels: the names and numbers of classes.
      weighted_classes: names of classes in records with weights or groups. If the label map lacks such a class, the
        engine drops its boxes, but not their weights and groups.
    """

    records: int = 0
    images_with_masks: int = 0
    most_boxes: int = 0
    labels: dict[Label, Use] = field(default_factory=dict)
    weighted_classes: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Survey:
    """What record files hold, and what is wrong with them.

    Attributes:
      files: what each file holds.
      problems: what is wrong, by code and by what it is about; each with its number.
      classes: the classes by name; '#3' if the records have only class numbers, and the label map does not name them.
      sizes: number of images of each width and height, in pixels, as the records state them.
      background: number of images without a box.
      objects: the boxes that a model can learn.
    """

    files: dict[Path, FileContents] = field(default_factory=dict)
    problems: dict[tuple[str, str], Problem] = field(default_factory=dict)
    classes: dict[str, ClassCount] = field(default_factory=dict)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    background: int = 0
    objects: ObjectLists = field(default_factory=ObjectLists)

    @property
    def records(self) -> int:
        """Number of records that can be read."""
        return sum(file.records for file in self.files.values())

    @property
    def images_with_masks(self) -> int:
        """Number of images with instance masks."""
        return sum(file.images_with_masks for file in self.files.values())

    @property
    def most_boxes(self) -> int:
        """Largest number of boxes on one image."""
        return max((file.most_boxes for file in self.files.values()), default=0)

    @property
    def weighted_classes(self) -> set[str]:
        """See `FileContents`."""
        return set().union(*(file.weighted_classes for file in self.files.values()))

    def labels(self) -> dict[Label, Use]:
        """How often each name and number of a class is used in all files, and where first."""
        found: dict[Label, Use] = {}
        for file in self.files.values():
            for label, use in file.labels.items():
                total = found.setdefault(label, Use(use.path, use.record))
                total.boxes += use.boxes
                total.records += use.records
        return found

    def part(self, paths: Iterable[Path]) -> Survey:
        """What some of the files hold, without problems and objects."""
        return Survey(files={path: self.files[path] for path in paths})

    def add(self, fact: Fact, path: Path, record: int | None = None, count: int = 1) -> None:
        """Counts a fact to those of the same kind about the same thing."""
        key = (fact.kind.code, fact.about)
        if key in self.problems:
            self.problems[key].count += count
        else:
            self.problems[key] = Problem(fact=fact, path=path, record=record, count=count)

    def require_readable(self) -> None:
        """Makes sure that every record could be read.

        Raises:
          RecordError: one could not; says which is the first.
        """
        for problem in self.problems.values():
            if problem.kind is problems.UNREADABLE:
                path = problem.path if problem.record is None else f"{problem.path}, record {problem.record}"
                raise RecordError(f"{problem.fact.problem} {problem.advice}", path=path)


def files(named: Sequence[str]) -> list[Path]:
    """The record files that are named: files, patterns such as `train.record-*`, and all record files of folders.

    Raises:
      RecordError: there is no record file of one of the names.
    """
    found: dict[Path, None] = {}
    for name in named:
        path = Path(name)
        if path.is_dir():
            below = [file for file in sorted(path.iterdir()) if _RECORD_FILE.fullmatch(file.name) and file.is_file()]
        else:
            below = [path] if path.is_file() else [Path(file) for file in sorted(glob(name))]  # noqa: PTH207 - absolute
        if not below:
            message = "there is no record file. Name a file, a pattern, or a folder with files such as train.record."
            raise RecordError(message, path=path)
        found.update(dict.fromkeys(below))
    return list(found)


def read(
    paths: Iterable[Path],
    *,
    label_map: LabelMap | None = None,
    decode: bool = False,
    on_progress: Callable[[int], None] = lambda files: None,
) -> Survey:
    """Reads all records, and verifies their checksums.

    Args:
      paths: the files, in the order in which images are numbered.
      label_map: the one that belongs to the records, if it is known.
      decode: whether to decode every image, and not only its header.
      on_progress: is called with the number of files that were read since its last call.
    """
    survey = Survey()
    reading = _Reading(survey, label_map, decode=decode)
    for path in paths:
        reading.read(path)
        on_progress(1)
    for fact, path in (*_missing_shards(list(survey.files)), *_unlike_manifest(survey.files)):
        survey.add(fact, path)
    for fact, use in about_labels(survey.labels(), label_map):
        survey.add(fact, use.path, use.record, use.records)
    return survey


class _Reading:
    """Reads files into a survey."""

    def __init__(self, survey: Survey, label_map: LabelMap | None, *, decode: bool) -> None:
        self._survey = survey
        self._decode = decode
        self._name = class_namer(label_map)
        self._sources: set[str] = set()

    def read(self, path: Path) -> None:
        """Reads a file; what cannot be read becomes a problem."""
        survey = self._survey
        file = survey.files.setdefault(path, FileContents())
        try:
            for number, data in enumerate(_records(path, survey)):
                if isinstance(data, RecordError):
                    survey.add(record_check.unreadable(data), path)
                    continue
                file.records += 1
                try:
                    record = record_check.read(data)
                except RecordError as error:
                    survey.add(record_check.unreadable(error), path, number)
                    continue
                self._add(record, path, number)
        except RecordError as error:
            survey.add(record_check.unreadable(error), path)

    def _add(self, record: Record, path: Path, number: int) -> None:
        survey, content = self._survey, record.content
        image = record_check.picture(content.encoded, decode=self._decode)
        for fact in record_check.facts(record, image):
            survey.add(fact, path, number)
        if content.source_id and content.source_id in self._sources:
            problem = f"More than one image has the image/source_id '{content.source_id}'."
            survey.add(Fact(problems.SAME_NAME, problem), path, number)
        self._sources.add(content.source_id)
        survey.objects.add(content, image.width or content.width, image.height or content.height)
        _count_labels(content, survey.files[path], path, number)
        self._count(content)

    def _count(self, content: ExampleContent) -> None:
        survey = self._survey
        survey.sizes[content.width, content.height] += 1
        survey.background += not content.boxes
        names = self._name(content)
        for name in set(names):
            survey.classes.setdefault(name, ClassCount()).images += 1
        pixels = content.width * content.height
        for name, box in zip(names, content.boxes, strict=False):
            count, area = survey.classes[name], box.area * pixels
            count.boxes += 1
            count.small += area < _SMALL**2
            count.medium += _SMALL**2 <= area < _LARGE**2
            count.large += area >= _LARGE**2


def _records(path: Path, survey: Survey) -> Iterator[bytes | RecordError]:
    try:
        with path.open("rb") as file:
            start = file.read(len(_GZIP))
    except OSError as error:
        raise RecordError(f"cannot read the records: {error.strerror}.", path=path) from error
    if start == _GZIP:
        raise RecordError("the file is compressed with gzip, which the engine does not read. Unpack it.", path=path)
    if not start:
        meaning = "If all files are empty, the engine waits forever for its first record."
        survey.add(Fact(problems.OTHER_FILES, "The file is empty.", "empty", meaning, "Remove the file."), path)
    yield from tfrecord.scan(path)


def _count_labels(content: ExampleContent, file: FileContents, path: Path, number: int) -> None:
    file.images_with_masks += bool(content.masks)
    file.most_boxes = max(file.most_boxes, len(content.boxes))
    # A list that is too short or too long is a problem of its own.
    boxes, numbers = len(content.boxes), content.label_ids
    labels: list[Label] = [
        (name, numbers[index] if index < len(numbers) else None) for index, name in enumerate(content.labels[:boxes])
    ] or [(None, label_id) for label_id in numbers[:boxes]]
    for label in set(labels):
        use = file.labels.setdefault(label, Use(path, number))
        use.records += 1
        use.boxes += labels.count(label)
    if any(weight != 1 for weight in content.weights) or any(content.group_of):
        file.weighted_classes.update(content.labels)


def class_namer(label_map: LabelMap | None) -> Callable[[ExampleContent], list[str]]:
    """A function that returns the class of each box of a record, as the engine does: by name, or else by number."""
    shown = label_map.names_by_label() if label_map else {}
    by_id = dict(zip(label_map.ids, label_map.names, strict=True)) if label_map else {}

    def names(content: ExampleContent) -> list[str]:
        if content.labels:
            return [shown.get(text, text) for text in content.labels]
        return [by_id.get(number, f"#{number}") for number in content.label_ids]

    return names


def pixel_boxes(content: ExampleContent) -> list[Box]:
    """The boxes in pixels, by the width and height that the record states."""
    width, height = content.width or 1, content.height or 1
    return [
        Box(xmin=box.xmin * width, ymin=box.ymin * height, xmax=box.xmax * width, ymax=box.ymax * height)
        for box in content.boxes
    ]


def about_labels(labels: Mapping[Label, Use], label_map: LabelMap | None) -> Iterator[tuple[Fact, Use]]:
    """What is wrong with class names and numbers, and where they do not agree with a label map.

    The numbers of records with class names matter only to programs that read no names.
    """
    names = label_map.names_by_label() if label_map else {}
    ids = label_map.ids_by_name() if label_map else {}
    by_id = {number: name for name, number in ids.items()}
    used: dict[str, dict[int, Use]] = {}
    for (text, number), use in labels.items():
        if text is None:
            if number is not None and number < 1:
                yield Fact(problems.CLASS_NUMBER, f"A box has the class number {number}.", str(number)), use
            elif label_map and number not in by_id:
                yield _unknown_number(number), use
            continue
        if label_map and text and text not in names:
            yield Fact(problems.UNKNOWN_CLASS, f"The label map does not have the class '{text}'.", text), use
        if number is None:
            continue
        used.setdefault(text, {})[number] = use
        expected = ids.get(names.get(text, ""), number)
        if number != expected:
            other = f", which is '{by_id[number]}'," if number in by_id else ""
            problem = f"Class '{text}' has the number {number}{other} in records, but {expected} in the label map."
            yield Fact(problems.CLASS_NUMBERS_DIFFER, problem, f"{text} {number}"), use
        elif number < 1:
            problem = f"Class '{text}' has the number {number}, but class numbers start at 1; 0 is the background."
            yield Fact(problems.CLASS_NUMBERS_DIFFER, problem, f"{text} {number}"), use
    for text, uses in used.items():
        if len(uses) > 1 and text not in names:
            problem = f"Class '{text}' has different numbers in different records: {', '.join(map(str, sorted(uses)))}."
            yield Fact(problems.CLASS_NUMBERS_DIFFER, problem, text), list(uses.values())[1]


def _unknown_number(number: int | None) -> Fact:
    return Fact(
        problems.CLASS_NUMBER,
        f"A box has the class number {number}, which is not in the label map.",
        str(number),
        "The engine learns it as a class without a name, or as no class if num_classes is smaller.",
        problems.UNKNOWN_CLASS.advice,
    )


def _missing_shards(paths: Sequence[Path]) -> Iterator[tuple[Fact, Path]]:
    specs: dict[tuple[Path, str, int], set[int]] = {}
    for path in paths:
        try:
            spec = ShardSpec.parse(path.name)
        except ValueError:
            continue
        specs.setdefault((path.parent, spec.prefix, spec.total), set()).add(spec.index)
    for (folder, prefix, total), present in specs.items():
        for index in sorted(set(range(total)) - present):
            path = folder / ShardSpec(prefix=prefix, index=index, total=total).name
            if not path.exists():
                yield Fact(problems.OTHER_FILES, f"The file {path.name} is missing.", path.name), path


def _unlike_manifest(found: Mapping[Path, FileContents]) -> Iterator[tuple[Fact, Path]]:
    for folder in sorted({path.parent for path in found}):
        path = folder / MANIFEST
        try:
            content = manifest.read(path)
            with manifest.entries(path):
                splits = content["splits"].values()
                listed = {entry["path"]: entry["records"] for split in splits for entry in split["shards"]}
        except RecordError:
            continue  # There is none, or another program wrote it.
        for file, contents in found.items():
            if file.parent != folder:
                continue
            if file.name not in listed:
                problem = f"The file {file.name} is not in {MANIFEST}, so another run wrote it."
                advice = "Remove the file, or move it to another folder."
                yield Fact(problems.OTHER_FILES, problem, file.name, advice=advice), file
            elif listed[file.name] != contents.records:
                problem = (
                    f"{file.name} has {contents.records} readable records, but {MANIFEST} lists {listed[file.name]}."
                )
                yield Fact(problems.OTHER_FILES, problem, file.name), file


def by_pattern(found: Mapping[Path, FileContents]) -> dict[str, tuple[int, int]]:
    """Numbers of files and records of each split, or of a file that is not part of a split."""
    counts: dict[str, tuple[int, int]] = {}
    for path, contents in found.items():
        try:
            spec = ShardSpec.parse(path.name)
            name = str(path.with_name(shards.pattern(spec.prefix, spec.total)))
        except ValueError:
            name = str(path)
        others = counts.get(name, (0, 0))
        counts[name] = (others[0] + 1, others[1] + contents.records)
    return counts
