"""A survey of record files as lines for people and as a document for programs."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

from record_builders.inspection import survey
from record_builders.inspection.problems import Problem
from record_builders.inspection.survey import Survey
from record_builders.label_map import LabelMap
from tfod_tools.base import tables


def lines(found: Survey, label_map: LabelMap | None) -> list[str]:
    """What the records hold: tables of files, classes and sizes, then single counts."""
    ids = _ids(found, label_map)
    files = [(name, *counts) for name, counts in survey.by_pattern(found.files).items()]
    classes = [
        (name or "''", ids.get(name), count.images, count.boxes, count.small, count.medium, count.large)
        for name, count in sorted(found.classes.items())
    ]
    shown = [
        *tables.lines(("records in", "files", "records"), files),
        "",
        *tables.lines(("class", "id", "images", "boxes", "small", "medium", "large"), classes),
        "",
    ]
    if found.sizes:
        sizes = [(side, *spans.values()) for side, spans in _sizes(found).items()]
        shown += [*tables.lines(("pixels", "smallest", "median", "largest"), sizes), ""]
    shown += [
        f"Images without a box: {found.background}",
        f"Images with masks: {found.images_with_masks}",
        f"Most boxes on an image: {found.most_boxes}",
    ]
    if unused := _unused(found, label_map):
        shown.append(f"Classes of the label map without a box: {', '.join(unused)}")
    return shown


def document(found: Survey, label_map: LabelMap | None) -> dict[str, Any]:
    """The same and the problems, in plain JSON types.

    Keys:
      records: for each split, or file that is no part of a split, the numbers of `files` and `records`.
      classes: for each class `id` (null if it is not known), and numbers of `images`, `boxes`, and of `small`,
        `medium` and `large` boxes.
      pixels: `smallest`, `median` and `largest` `width` and `height` of the images.
      images_without_boxes, images_with_masks, most_boxes_on_an_image: numbers.
      unused_classes: the classes of the label map without a box.
      problems: `code`, `severity`, `path`, `record` (from 0; null if it is about the whole file), `problem`, `meaning`
        and `advice` of each first problem of its kind, and the `count` of all.
    """
    ids = _ids(found, label_map)
    by_pattern = survey.by_pattern(found.files)
    return {
        "records": {name: {"files": files, "records": records} for name, (files, records) in by_pattern.items()},
        "classes": {
            name: {
                "id": ids.get(name),
                **{key: getattr(count, key) for key in ("images", "boxes", "small", "medium", "large")},
            }
            for name, count in sorted(found.classes.items())
        },
        "pixels": _sizes(found) if found.sizes else {},
        "images_without_boxes": found.background,
        "images_with_masks": found.images_with_masks,
        "most_boxes_on_an_image": found.most_boxes,
        "unused_classes": _unused(found, label_map),
        "problems": [_as_json(problem) for problem in found.problems.values()],
    }


def problem_line(problem: Problem) -> str:
    """A problem on one line: where it is, how bad it is, what is wrong, what it means, what to do."""
    place = f"{problem.path}" if problem.record is None else f"{problem.path}, record {problem.record}"
    said = f"{problem.fact.problem} {problem.meaning} {problem.advice}"
    return f"{place}: {problem.kind.severity} {problem.kind.code}: {said}{problem.more()}"


def _as_json(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.kind.code,
        "severity": problem.kind.severity,
        "path": str(problem.path),
        "record": problem.record,
        "problem": problem.fact.problem,
        "meaning": problem.meaning,
        "advice": problem.advice,
        "count": problem.count,
    }


def _ids(found: Survey, label_map: LabelMap | None) -> Mapping[str, int]:
    """The number of each class: that of the label map, or else the smallest number in the records."""
    ids: dict[str, int] = {}
    for text, number in found.labels():
        if text is not None and number is not None:
            ids[text] = min(number, ids.get(text, number))
    return ids | (label_map.ids_by_name() if label_map else {})


def _unused(found: Survey, label_map: LabelMap | None) -> list[str]:
    return sorted(set(label_map.names) - found.classes.keys()) if label_map else []


def _sizes(found: Survey) -> dict[str, dict[str, int]]:
    sizes = {}
    for index, side in enumerate(("width", "height")):
        values = [size[index] for size in found.sizes.elements()]
        median = int(statistics.median(values))
        sizes[side] = {"smallest": min(values), "median": median, "largest": max(values)}
    return sizes
