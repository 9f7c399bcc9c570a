"""LabelMe: one JSON file for each image, written by the desktop tool labelme.

    {"imagePath": "a.jpg", "imageWidth": 650, "imageHeight": 417,
     "shapes": [{"label": "raccoon", "shape_type": "rectangle", "points": [[81, 88], [522, 408]], "flags": {}}]}

Rectangles, polygons and circles become boxes. A polygon also becomes an outline. If a shape has flags called
`difficult`, `truncated`, `occluded` or `crowd`, they are read. Points and lines are left out, because they have no
area. An image set is a folder. Not read: the image inside the JSON file, group numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from record_builders.annotations import Box, Fault, Found, LeftOut, ObjectAnnotation, Wanted
from record_builders.images.image_header import ImageHeader
from record_builders.images.masks import Polygons
from record_builders.sources import json_files, matching
from record_builders.sources.folders import ImageFolder, files_below, head, in_folders
from record_builders.sources.matching import Entry, Mark
from tfod_tools.base.errors import AnnotationError

_AREAS = {"rectangle": 2, "polygon": 3, "circle": 2, "mask": 2}


def recognises(path: Path) -> bool:
    """Whether `path` is a JSON file with the path of an image, or with shapes."""
    start = head(path) if path.suffix.lower() == ".json" else b""
    return b'"imagePath"' in start or b'"shapes"' in start


def why_not(path: Path) -> str:
    """Which keys the JSON file at `path` begins with, and which it lacks."""
    return json_files.lacks(path, "shapes", "imagePath")


def read(annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """The images that the JSON files describe, and faults for what cannot be used.

    Raises:
      AnnotationError: there is no JSON file, or an image set does not exist.
    """
    yield from read_files(files(annotations, wanted)[0], annotations, images, wanted)


def files(annotations: Path, wanted: Wanted) -> tuple[list[Path], list[Fault]]:
    """The files to read, and no fault.

    Raises:
      AnnotationError: as `read`.
    """
    paths = in_folders(files_below(annotations, (".json",)), wanted.image_sets, annotations)
    if not paths:
        raise AnnotationError(
            "no JSON file is here. LabelMe has one for each image. Name their folder with --annotations.",
            path=annotations,
        )
    return paths, []


def read_files(paths: Sequence[Path], annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """The images that the JSON files `paths` below `annotations` describe, and faults for what cannot be used."""
    for path in paths:
        try:
            content = json_files.load(path)
        except AnnotationError as error:
            yield Fault(error=error, image_name=path.stem, images=1)
            continue
        if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
            no_shapes = AnnotationError(
                "the file has no list of shapes. Is it really LabelMe? Name the format with --format.", path=path
            )
            yield Fault(error=no_shapes, image_name=path.stem, images=1)
            continue
        named = json_files.text(content, "imagePath")
        entry = Entry(
            names=(named or path.stem, path.stem),
            near=path.parent.relative_to(annotations),
            source=path,
            marks=partial(_marks, content["shapes"], path, masks=wanted.masks),
            stated=(content.get("imageWidth"), content.get("imageHeight")),
        )
        yield from entry.found(images)


def _marks(shapes: list[Any], path: Path, header: ImageHeader, *, masks: bool) -> Iterator[Mark]:
    for index, shape in enumerate(shapes):
        kind = json_files.text(shape, "shape_type") or "polygon"
        if isinstance(shape, dict) and kind not in _AREAS:
            yield LeftOut(reason=f"LabelMe shapes without an area ({kind})", boxes=1)
            continue
        try:
            yield _object(shape, kind, path, masks=masks)
        except AnnotationError as error:
            yield AnnotationError(f"shapes[{index}]: {error.message}", path=path)


def _object(shape: object, kind: str, path: Path, *, masks: bool) -> ObjectAnnotation:
    label = json_files.text(shape, "label")
    if not label:
        raise AnnotationError("it has no label. Add its class, or remove the shape.")
    points = [_point(point, path) for point in json_files.entries(shape, "points")]
    if len(points) < _AREAS[kind]:
        raise AnnotationError(f"the {kind} has {len(points)} points and needs {_AREAS[kind]}. Draw it again.")
    if kind == "circle":
        (x, y), radius = points[0], math.dist(*points[:2])
        points = [(x - radius, y - radius), (x + radius, y + radius)]
    xs, ys = zip(*points, strict=True)
    flags = json_files.entry(shape, "flags")
    ring = tuple(value for point in points for value in point)
    return ObjectAnnotation(
        label=label,
        box=Box(xmin=min(xs), ymin=min(ys), xmax=max(xs), ymax=max(ys)),
        difficult=json_files.entry(flags, "difficult") is True,
        truncated=json_files.entry(flags, "truncated") is True,
        occluded=json_files.entry(flags, "occluded") is True,
        is_crowd=json_files.entry(flags, "crowd") is True,
        mask=Polygons(rings=(ring,)) if masks and kind == "polygon" else None,
    )


def _point(point: object, path: Path) -> tuple[float, float]:
    if not isinstance(point, list) or len(point) != 2:
        raise AnnotationError(f"a point is {str(point)[:60]}, not a list of x and y. Correct it.")
    x, y = (matching.finite(value, "a coordinate", path, None) for value in point)
    return x, y
