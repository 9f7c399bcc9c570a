"""Rules about anchors and the objects of the records: which of them no anchor fits.

They need the records themselves, which `check_config --records` reads; `fit_anchors` tells more, and finds better ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pipeline_configs.anchors import coverage, generators
from pipeline_configs.anchors.objects import Objects, framed
from pipeline_configs.checking.rule import Evidence, Subject, rule
from tfod_tools.base.errors import ConfigError

_ENOUGH = 0.95
# Faster R-CNN: the threshold of its second stage. Of the first one's 0.7, which is reached by regression only, even the
# published anchors fall far short.
_SECOND_STAGE = 0.5
_OTHER_SHAPES = 0.1
# Half way, as ratios go, from 2 to the next usual aspect ratio, which is 3.
_FAR_FROM_2 = math.sqrt(2 * 3)


def _path(subject: Subject) -> str:
    field = "anchor_generator" if subject.architecture == "ssd" else "first_stage_anchor_generator"
    return f"{subject.model_path}.{field}"


@rule(
    "ANC09",
    "warning",
    "The engine has hardly anything to learn these objects from.",
    source="matchers/argmax_matcher.py",
)
def objects_without_anchors(subject: Subject) -> Iterator[Evidence]:
    """The anchors fit too few of the objects.

    An anchor learns an object that it overlaps by matched_threshold or more, and 95 % of the objects should have such
    an anchor. For the others there is at best the one that fits least badly. Looked at without augmentation, in the
    training records; for Faster R-CNN with 0.5, and the anchors that are left at the border.
    """
    contents = subject.records.train.contents if subject.records else None
    if contents is None or not contents.objects or subject.architecture not in ("ssd", "faster_rcnn"):
        return
    try:
        threshold = coverage.threshold(subject.config) if subject.architecture == "ssd" else _SECOND_STAGE
        objects = Objects.of(contents.objects)
        learnt = objects.chosen(objects.weight > 0)
        share = float((coverage.nearest(subject.config, learnt) >= threshold).sum()) / max(len(learnt), 1)
    except ConfigError:
        return  # other rules tell, or nobody knows
    if len(learnt) and share < _ENOUGH:
        found = f"{share:.1%} of {len(learnt)} objects with an anchor of IoU {threshold:g}"
        yield Evidence(_path(subject), found, "95 % or more; fit_anchors finds better ones, or use a larger input")


@rule("ANC10", "warning", "The engine ignores aspect_ratios there.", source="anchor_generators/", architecture="ssd")
def shapes_missing_on_the_first_layer(subject: Subject) -> Iterator[Evidence]:
    """Many small objects have a shape that the first layer of anchors lacks.

    reduce_boxes_in_lowest_layer, true by default, leaves the finest layer the aspect ratios 1, 2 and 0.5, whatever
    aspect_ratios says. Counted are objects nearer in size to that layer than to the next, and nearer in shape to 3 or
    1/3 than to 2 or 1/2; more than 10 % of all are many.
    """
    contents = subject.records.train.contents if subject.records else None
    generator = subject.model.anchor_generator.ssd_anchor_generator
    if contents is None or not contents.objects or not subject.model.anchor_generator.HasField("ssd_anchor_generator"):
        return
    if not generator.reduce_boxes_in_lowest_layer or generator.num_layers < 1:
        return
    try:
        scales = [*generators.ssd_scales(generator), 1.0]
        share = _small_and_long(subject.model, Objects.of(contents.objects), math.sqrt(scales[0] * scales[1]))
    except ConfigError:
        return  # other rules tell
    if share > _OTHER_SHAPES:
        path = f"{_path(subject)}.ssd_anchor_generator.reduce_boxes_in_lowest_layer"
        yield Evidence(
            path, f"true, with {share:.0%} of the objects small and long or tall", "false, or no such objects"
        )


def _small_and_long(model: Any, objects: Any, largest: float) -> float:
    """The share of the objects to be learnt that are small, as a part of the input's shorter side, and long or tall."""
    import numpy as np

    count = 0
    learnt = objects.chosen(objects.weight > 0)
    for part in framed(learnt, model.image_resizer):
        boxes = part.pixels()
        heights, widths = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        small = np.sqrt(heights * widths) < largest * min(part.frame)
        count += int((small & (np.abs(np.log(widths / heights)) > math.log(_FAR_FROM_2))).sum())
    return count / max(len(learnt), 1)
