"""COCO: one JSON file with `images`, `annotations` and `categories`. CVAT and Roboflow write it too.

    {"images": [{"id": 7, "file_name": "a.jpg", "width": 650, "height": 417}],
     "annotations": [{"image_id": 7, "category_id": 1, "bbox": [81, 88, 441, 320], "iscrowd": 0, "area": 141120,
                      "segmentation": [[81, 88, 522, 88, 522, 408]], "keypoints": [90, 95, 2]}],
     "categories": [{"id": 1, "name": "raccoon", "keypoints": ["nose"]}]}

A `bbox` is left, top, width and height in pixels. Ids are numbers of any size, or texts. Outlines are polygons or run
lengths, plain or compressed. Each object gets the keypoints of all categories, in their order; those that it does not
have get visibility 0. An image set is a file, named by its stem or the part after an underscore: `train2017` is
`instances_train2017.json`. If a folder has files called `instances_...`, the other files are ignored. Errors give a
place as `annotations[5]`, counted from 0, because a JSON parser does not keep lines. Not read: captions, panoptic
segments, attributes, keypoints whose category does not name them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from record_builders.annotations import Box, Fault, Found, Keypoint, ObjectAnnotation, Wanted
from record_builders.images.image_header import ImageHeader
from record_builders.images.masks import Mask, Polygons, RunLengths, runs
from record_builders.sources import json_files, matching
from record_builders.sources.folders import ImageFolder, files_or_file, head, of_sets
from record_builders.sources.matching import Entry, Mark
from tfod_tools.base.errors import AnnotationError

_PLACE = "annotations[{}]"
_LARGEST_AREA = 1e18


def recognises(path: Path) -> bool:
    """Whether `path` is a JSON file with the lists of COCO."""
    if path.suffix.lower() != ".json":
        return False
    start = head(path).lstrip(b"\xef\xbb\xbf \r\n\t")
    keys = (b'"images"', b'"annotations"', b'"categories"', b'"licenses"')
    return start.startswith(b"{") and any(key in start for key in keys) and b'"imagePath"' not in start


def why_not(path: Path) -> str:
    """Which keys the JSON file at `path` begins with, and which it lacks."""
    return json_files.lacks(path, "images", "annotations", "categories")


def read(annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """The images that the JSON files list, and faults for what cannot be used.

    Raises:
      AnnotationError: there is no COCO file, or an image set does not exist.
    """
    paths = [path for path in files_or_file(annotations, (".json",)) if annotations.is_file() or recognises(path)]
    paths = [path for path in paths if path.stem.startswith("instances_")] or paths
    if not paths:
        raise AnnotationError(
            "no COCO file is here. Name the folder with --annotations.",
            path=annotations,
        )
    for path in of_sets(paths, wanted.image_sets, annotations):
        try:
            content = _load(path)
        except AnnotationError as error:
            yield Fault(error=error, image_name="")
            continue
        yield from _read_content(content, path, images, wanted)


def _load(path: Path) -> Mapping[str, Any]:
    content = json_files.load(path)
    lists = content if isinstance(content, dict) else {}
    missing = [key for key in ("images", "annotations", "categories") if not isinstance(lists.get(key), list)]
    if missing:
        raise AnnotationError(
            f"the file has no list of {' and '.join(missing)}. Is it really COCO? Name the format with --format.",
            path=path,
        )
    return lists


@dataclass(frozen=True, slots=True, kw_only=True)
class _Context:
    """What it takes to read an annotation: its file, the categories, and whether outlines are wanted."""

    path: Path
    names: Mapping[object, str]
    keypoints: Sequence[str]
    own_keypoints: Mapping[object, Sequence[str]]
    masks: bool
    of_image: dict[object, list[tuple[int, Any]]] = field(default_factory=dict)

    @classmethod
    def of(cls, categories: Sequence[Any], path: Path, wanted: Wanted) -> _Context:
        named = {
            c["id"]: c for c in categories if isinstance(c, dict) and _is_id(c.get("id")) and json_files.text(c, "name")
        }
        own = {i: [str(k) for k in json_files.entries(c, "keypoints")] for i, c in named.items()}
        return cls(
            path=path,
            names={i: json_files.text(c, "name") for i, c in named.items()},
            keypoints=list(dict.fromkeys(name for names in own.values() for name in names)),
            own_keypoints=own,
            masks=wanted.masks,
        )


def _read_content(content: Mapping[str, Any], path: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    context = _Context.of(content["categories"], path, wanted)
    entries: dict[object, Any] = {}
    for index, image in enumerate(content["images"]):
        problem = _image_problem(image, entries)
        if problem:
            error = AnnotationError(f"images[{index}] {problem}", path=path)
            yield Fault(error=error, image_name=str(json_files.entry(image, "file_name") or ""), images=1)
        else:
            entries[image["id"]] = image
    for index, annotation in enumerate(content["annotations"]):
        image_id = json_files.entry(annotation, "image_id")
        if _is_id(image_id) and image_id in entries:
            context.of_image.setdefault(image_id, []).append((index, annotation))
        else:
            message = f"{_PLACE.format(index)}: no image has the id {image_id!r}. Add the image, or remove the box."
            yield Fault(error=AnnotationError(message, path=path), image_name="", boxes=1)
    for image_id, image in entries.items():
        name = image["file_name"]
        entry = Entry(
            names=(name,),
            near=Path(),
            source=path,
            marks=partial(_marks, context, image_id),
            stated=(image.get("width"), image.get("height")),
        )
        yield from entry.found(images)


def _image_problem(image: object, entries: Mapping[object, Any]) -> str:
    if not isinstance(image, dict) or not _is_id(image.get("id")) or not json_files.text(image, "file_name"):
        return "has no id or no file_name. Add what is missing."
    if image["id"] in entries:
        other = entries[image["id"]]["file_name"]
        return f"has the id {image['id']!r}, which {other} has too. Give each image its own id."
    return ""


def _marks(context: _Context, image_id: object, header: ImageHeader) -> Iterator[Mark]:
    for index, annotation in context.of_image.get(image_id, ()):
        try:
            yield _object(annotation, context, header)
        except AnnotationError as error:
            yield AnnotationError(f"{_PLACE.format(index)}: {error.message}", path=context.path)


def _object(annotation: Mapping[str, Any], context: _Context, header: ImageHeader) -> ObjectAnnotation:
    category = annotation.get("category_id")
    if not _is_id(category) or category not in context.names:
        raise AnnotationError(f"no category has the id {category!r}. Add the category, or remove the box.")
    left, top, width, height = _numbers(annotation.get("bbox"), 4, "bbox", context.path)
    crowd = annotation.get("iscrowd") or 0
    if crowd not in (0, 1):
        raise AnnotationError(f"iscrowd is {crowd!r}, not 0 or 1. Correct it.")
    area = matching.number(annotation.get("area"))
    return ObjectAnnotation(
        label=context.names[category],
        box=Box(xmin=left, ymin=top, xmax=left + width, ymax=top + height),
        is_crowd=bool(crowd),
        area=area if 0 < area <= _LARGEST_AREA else None,
        mask=_mask(annotation.get("segmentation"), context, header) if context.masks else None,
        keypoints=_keypoints(annotation.get("keypoints"), context.own_keypoints[category], context),
    )


def _mask(segmentation: Any, context: _Context, header: ImageHeader) -> Mask | None:
    if not segmentation:
        return None
    if isinstance(segmentation, list):
        rings = tuple(tuple(_numbers(ring, None, "segmentation", context.path)) for ring in segmentation)
        if any(len(ring) < 6 or len(ring) % 2 for ring in rings):
            raise AnnotationError("a polygon of segmentation is not a list x, y, x, y of 3 or more points. Correct it.")
        return Polygons(rings=rings)
    size, counts = json_files.entry(segmentation, "size"), json_files.entry(segmentation, "counts")
    if size != [header.height, header.width] and header.format:
        raise AnnotationError(
            f"segmentation has size {size!r}, but the image has [{header.height}, {header.width}]. Correct it."
        )
    try:
        lengths = counts if isinstance(counts, str) else tuple(map(int, counts))
        total = sum(runs(lengths))
    except (TypeError, ValueError, OverflowError) as exc:
        raise AnnotationError(f"the counts of segmentation are not run lengths: {exc}. Correct them.") from exc
    if header.format and (total != header.height * header.width or min(runs(lengths)) < 0):
        pixels = header.height * header.width
        raise AnnotationError(
            f"the counts of segmentation are for {total} pixels, but the image has {pixels}. Correct them."
        )
    return RunLengths(counts=lengths, width=header.width, height=header.height)


def _keypoints(values: Any, own: Sequence[str], context: _Context) -> tuple[Keypoint, ...]:
    found = {}
    if values:
        numbers = _numbers(values, 3 * len(own) if own else None, "keypoints", context.path)
        if unknown := [value for value in numbers[2::3] if value not in (0, 1, 2)]:
            raise AnnotationError(f"a keypoint has visibility {unknown[0]:g}, not 0, 1 or 2. Correct it.")
        triples = zip(numbers[::3], numbers[1::3], numbers[2::3], strict=False)
        found = dict(zip(own, triples, strict=False))
    return tuple(
        Keypoint(name=name, x=x, y=y, visibility=int(visibility))
        for name in context.keypoints
        for x, y, visibility in [found.get(name, (0.0, 0.0, 0))]
    )


def _numbers(values: Any, count: int | None, what: str, path: Path) -> list[float]:
    if not isinstance(values, list) or count not in (None, len(values)):
        expected = "a list of numbers" if count is None else f"a list of {count} numbers"
        raise AnnotationError(f"{what} is {str(values)[:60]}, not {expected}. Correct it.")
    return [matching.finite(value, what, path, None, "a number") for value in values]


def _is_id(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)
