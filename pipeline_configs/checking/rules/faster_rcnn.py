"""Rules about the two stages of Faster R-CNN."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pipeline_configs import extractors
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit

_BUILDER = "builders/model_builder.py"


@rule(
    "CFG21", "error", "The engine stops when it builds the model to train.", source=_BUILDER, architecture="faster_rcnn"
)
def batch_of_too_few_proposals(subject: Subject) -> Iterator[Evidence]:
    """The second stage is to train on more boxes than the first proposes.

    second_stage_batch_size boxes of an image, 64 by default, are drawn from first_stage_max_proposals.
    """
    model, path = subject.model, f"{subject.model_path}.second_stage_batch_size"
    proposals = model.first_stage_max_proposals
    if model.second_stage_batch_size > proposals:
        expected = f"at most {proposals}, the first_stage_max_proposals"
        yield Evidence(path, f"{model.second_stage_batch_size}", expected, (Edit(path=path, value=f"{proposals}"),))


@rule("CFG22", "error", "The engine stops when it builds the model.", source=_BUILDER, architecture="faster_rcnn")
def impossible_stages(subject: Subject) -> Iterator[Evidence]:
    """A number of Faster R-CNN is outside what the engine has.

    It has one to three stages; the first one's suppression has an IoU threshold between 0 and 1; batch normalisation is
    never updated in place; and the stride of features is one that the network can be cut at.
    """
    model, path = subject.model, subject.model_path
    if not 1 <= model.number_of_stages <= 3:
        yield Evidence(f"{path}.number_of_stages", f"{model.number_of_stages}", "1, 2 or 3")
    if not 0 <= model.first_stage_nms_iou_threshold <= 1:
        yield Evidence(f"{path}.first_stage_nms_iou_threshold", f"{model.first_stage_nms_iou_threshold:g}", "0 to 1")
    if model.inplace_batchnorm_update:
        field = f"{path}.inplace_batchnorm_update"
        yield Evidence(field, "true", "false", (Edit(path=field, value=None),))
    strides = _strides(subject)
    stride = model.feature_extractor.first_stage_features_stride
    if strides and stride not in strides:
        field = f"{path}.feature_extractor.first_stage_features_stride"
        yield Evidence(field, f"{stride}", f"{' or '.join(map(str, strides))} for {subject.extractor}")


def _strides(subject: Subject) -> tuple[int, ...]:
    """The strides that the feature extractor can have; none where that is not known."""
    extractor = subject.extractor
    if not extractors.is_engines("faster_rcnn", extractor):
        return ()
    return extractors.of(extractor).strides


@rule(
    "ANC11",
    "warning",
    "The engine leaves them out of training, and large objects have no anchors.",
    source="meta_architectures/faster_rcnn_meta_arch.py",
    architecture="faster_rcnn",
)
def anchors_across_the_border(subject: Subject) -> Iterator[Evidence]:
    """Most anchors reach beyond the border of the image.

    Such anchors are left out in training unless clip_anchors_to_image is true. The anchors of the published configs are
    for images of 600 pixels and more; 46 to 50 % of them lie inside. Looked at where the size of the input is fixed.
    """
    generator = subject.model.first_stage_anchor_generator
    size = _input_size(subject.model.image_resizer)
    if size is None or subject.model.clip_anchors_to_image or not generator.HasField("grid_anchor_generator"):
        return
    share = _share_inside(generator.grid_anchor_generator, *size)
    if share is not None and share < 0.4:
        path = f"{subject.model_path}.first_stage_anchor_generator.grid_anchor_generator"
        found = f"{share:.0%} of the anchors inside {size[0]} x {size[1]} pixels"
        yield Evidence(path, found, "smaller anchors (height, width, scales), or clip_anchors_to_image: true")


def _input_size(resizer: Any) -> tuple[int, int] | None:
    """Height and width of every image, in pixels; None where they differ."""
    if resizer.HasField("fixed_shape_resizer"):
        return resizer.fixed_shape_resizer.height, resizer.fixed_shape_resizer.width
    ratio = resizer.keep_aspect_ratio_resizer
    square = resizer.HasField("keep_aspect_ratio_resizer") and ratio.pad_to_max_dimension
    return (ratio.max_dimension, ratio.max_dimension) if square else None


def _share_inside(grid: Any, height: int, width: int) -> float | None:
    """The share of the anchors of `grid` that lie inside an image; None where there are no anchors.

    An anchor of scale s and aspect ratio a is s sqrt(a) base widths wide and s / sqrt(a) base heights high
    (anchor_generators/grid_anchor_generator.py).
    """
    inside = total = 0
    for scale in grid.scales:
        for ratio in grid.aspect_ratios:
            if min(ratio, grid.height_stride, grid.width_stride) <= 0:
                return None
            root = math.sqrt(ratio)
            rows = _inside(scale / root * grid.height, grid.height_stride, grid.height_offset, height)
            columns = _inside(scale * root * grid.width, grid.width_stride, grid.width_offset, width)
            inside += rows[0] * columns[0]
            total += rows[1] * columns[1]
    return inside / total if total else None


def _inside(length: float, stride: int, offset: int, side: int) -> tuple[int, int]:
    """How many positions along a side hold an anchor of `length` within the border, and of how many."""
    count = math.ceil(side / stride)
    first = max(0, math.ceil((length / 2 - offset) / stride))
    last = min(count - 1, math.floor((side - length / 2 - offset) / stride))
    return max(0, last - first + 1), count
