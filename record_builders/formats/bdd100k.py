"""BDD100K: a JSON list of images, or one JSON file for each image. Scalabel writes this format too.

    [{"name": "a.jpg", "labels": [{"category": "car", "attributes": {"occluded": true, "truncated": false},
                                   "box2d": {"x1": 81.0, "y1": 88.0, "x2": 522.0, "y2": 408.0}}]}]

Boxes are in pixels. The list may also be under `frames`. In a file for one image, the labels may be under
`frames[0].objects`. Labels without `box2d` (lanes, drivable areas) are left out. `attributes.crowd` is read as a flag.
An image set is a file, named by its stem or the part after an underscore (`train` is `det_train.json`), or a folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from record_builders.annotations import Box, Fault, Found, LeftOut, ObjectAnnotation, Wanted
from record_builders.images.image_header import ImageHeader
from record_builders.sources import json_files, matching
from record_builders.sources.folders import ImageFolder, files_or_file, head, in_folders, of_sets
from record_builders.sources.matching import Entry, Mark
from tfod_tools.base.errors import AnnotationError

_START = re.compile(rb'\A\s*(\[\s*\{|\{.*"frames"\s*:)', re.DOTALL)


def recognises(path: Path) -> bool:
    """Whether `path` is a JSON file of images with a name and labels."""
    if path.suffix.lower() != ".json":
        return False
    start = head(path)
    return _START.match(start) is not None and b'"name"' in start and (b'"labels"' in start or b'"frames"' in start)


def why_not(path: Path) -> str:
    """Which keys the images of the JSON file at `path` have, and which they lack."""
    return json_files.lacks(path, "name", "labels")


def read(annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """The images that the JSON files list, and faults for what cannot be used.

    Raises:
      AnnotationError: there is no JSON file, or an image set does not exist.
    """
    yield from read_files(files(annotations, wanted)[0], annotations, images, wanted)


def files(annotations: Path, wanted: Wanted) -> tuple[list[Path], list[Fault]]:
    """The files to read, and no fault.

    Raises:
      AnnotationError: as `read`.
    """
    paths = files_or_file(annotations, (".json",))
    if not paths:
        raise AnnotationError("no JSON file is here. Name their folder with --annotations.", path=annotations)
    try:
        return of_sets(paths, wanted.image_sets, annotations), []
    except AnnotationError:
        return in_folders(paths, wanted.image_sets, annotations), []


def read_files(paths: Sequence[Path], annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """The images that the JSON files `paths` list, and faults for what cannot be used."""
    for path in paths:
        try:
            yield from _read_content(json_files.load(path), path, images)
        except AnnotationError as error:
            yield Fault(error=error, image_name="")


def _read_content(content: Any, path: Path, images: ImageFolder) -> Iterator[Found]:
    frames = content if isinstance(content, list) else json_files.entry(content, "frames")
    if not isinstance(frames, list):
        raise AnnotationError(
            "the file has no list of images. Is it really BDD100K? Name the format with --format.", path=path
        )
    of_one = json_files.text(content, "name")
    for index, frame in enumerate(frames):
        name = json_files.text(frame, "name") or of_one
        labels = json_files.entries(frame, "labels") or json_files.entries(frame, "objects")
        if not name:
            error = AnnotationError(f"image {index} has no name. Add the name of its file.", path=path)
            yield Fault(error=error, image_name="", images=1, boxes=len(labels))
            continue
        place = f"{name}, labels" if of_one == "" else "objects"
        entry = Entry(
            names=(name, Path(name).stem),
            near=Path(json_files.text(frame, "videoName")),
            source=path,
            marks=partial(_marks, labels, place, path),
        )
        yield from entry.found(images)


def _marks(labels: list[Any], place: str, path: Path, header: ImageHeader) -> Iterator[Mark]:
    for index, label in enumerate(labels):
        if isinstance(label, dict) and label.get("box2d") is None:
            yield LeftOut(reason="BDD100K labels without box2d", boxes=1)
            continue
        try:
            yield _object(label, path)
        except AnnotationError as error:
            yield AnnotationError(f"{place}[{index}]: {error.message}", path=path)


def _object(label: object, path: Path) -> ObjectAnnotation:
    category = json_files.text(label, "category")
    if not category:
        raise AnnotationError("it has no category. Add its class, or remove the label.")
    box, attributes = json_files.entry(label, "box2d"), json_files.entry(label, "attributes")
    xmin, ymin, xmax, ymax = (
        matching.finite(json_files.entry(box, side), side, path, None) for side in ("x1", "y1", "x2", "y2")
    )
    return ObjectAnnotation(
        label=category,
        box=Box(xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax),
        truncated=json_files.entry(attributes, "truncated") is True,
        occluded=json_files.entry(attributes, "occluded") is True,
        is_crowd=json_files.entry(attributes, "crowd") is True,
    )
