"""Rules about anchors: whether they fit the network and the objects, and whether their numbers make sense.

The rules about objects need the records, which `check_config --records` reads. `fit_anchors` says more about them, and
finds better anchors.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pipeline_configs import extractors
from pipeline_configs.anchors import coverage, feature_maps, generators
from pipeline_configs.anchors.objects import Objects, framed
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit
from tfod_tools.base.errors import ConfigError

_SSD = "anchor_generators/multiple_grid_anchor_generator.py"

_ENOUGH = 0.95
# The threshold of the second stage of Faster R-CNN. The 0.7 of the first stage is reached only after regression: even
# the published anchors are far below it.
_SECOND_STAGE = 0.5
_MANY = 0.1
# Halfway, in ratios, from 2 to 3, which is the next usual aspect ratio.
_FAR_FROM_2 = math.sqrt(2 * 3)


def _path(subject: Subject) -> str:
    field = "anchor_generator" if subject.architecture == "ssd" else "first_stage_anchor_generator"
    return f"{subject.model_path}.{field}"


def _ssd_path(subject: Subject) -> str:
    return f"{_path(subject)}.ssd_anchor_generator"


def _has_ssd_anchors(subject: Subject) -> bool:
    return bool(subject.model.anchor_generator.HasField("ssd_anchor_generator"))


@rule(
    "ANC01",
    "error",
    "The engine stops at the first image.",
    source="meta_architectures/ssd_meta_arch.py",
    architecture="ssd",
)
def layers_without_anchors(subject: Subject) -> Iterator[Evidence]:
    """The number of anchor layers is not the number of feature maps.

    An SSD predicts on six feature maps unless num_layers of the extractor says another number. An extractor with a
    feature pyramid predicts on the levels from min_level to max_level. The anchors need the same number of layers.
    """
    maps = feature_maps.count(subject.model.feature_extractor)
    if maps is None or not extractors.is_engines("ssd", subject.extractor):
        return
    generator, fix = subject.model.anchor_generator, tuple[Edit, ...]()
    if generator.HasField("ssd_anchor_generator"):
        layers, path = generator.ssd_anchor_generator.num_layers, f"{_ssd_path(subject)}.num_layers"
        advice, fix = f"Set num_layers to {maps}.", (Edit(path=path, value=str(maps)),)
    elif generator.HasField("multiscale_anchor_generator"):
        levels = generator.multiscale_anchor_generator
        layers = levels.max_level - levels.min_level + 1
        path = f"{_path(subject)}.multiscale_anchor_generator.max_level"
        advice = "Set min_level and max_level to the levels of the feature extractor."
    elif generator.HasField("flexible_grid_anchor_generator"):
        layers = len(generator.flexible_grid_anchor_generator.anchor_grid)
        path = f"{_path(subject)}.flexible_grid_anchor_generator.anchor_grid"
        advice = "Add one anchor_grid for each feature map."
    else:
        return
    if layers != maps:
        problem = (
            f"The number of anchor layers is {layers}, but {subject.extractor} has {maps} feature maps in this config."
        )
        yield Evidence(path, problem, advice, fix)


@rule(
    "ANC02",
    "error",
    "The engine stops, because it divides by num_layers - 1.",
    source=_SSD,
    architecture="ssd",
)
def one_layer(subject: Subject) -> Iterator[Evidence]:
    """There is one layer of anchors, but no scale for it.

    If scales is not set, the engine computes the scales in num_layers - 1 steps from min_scale to max_scale. With one
    layer there is no step.
    """
    generator = subject.model.anchor_generator.ssd_anchor_generator
    if _has_ssd_anchors(subject) and generator.num_layers == 1 and not generator.scales:
        advice = "Set scales to the scale of this layer, or use more layers."
        yield Evidence(f"{_ssd_path(subject)}.num_layers", "num_layers is 1, and scales is not set.", advice)


@rule(
    "ANC03",
    "error",
    "The engine builds anchors only for the first layers, and stops at the first image.",
    source=_SSD,
    architecture="ssd",
)
def too_few_scales(subject: Subject) -> Iterator[Evidence]:
    """There are fewer scales than layers of anchors.

    Each layer of anchors needs one scale. A layer without a scale gets no anchors.
    """
    generator = subject.model.anchor_generator.ssd_anchor_generator
    if 0 < len(generator.scales) < generator.num_layers:
        yield _scales(subject)


@rule("ANC04", "warning", "The extra scales get no layer of their own.", source=_SSD, architecture="ssd")
def too_many_scales(subject: Subject) -> Iterator[Evidence]:
    """There are more scales than layers of anchors.

    Each layer of anchors has one scale, in order. The engine uses only the first of the extra scales: it computes the
    interpolated scale of the last layer from it.
    """
    generator = subject.model.anchor_generator.ssd_anchor_generator
    if len(generator.scales) > generator.num_layers:
        yield _scales(subject)


def _scales(subject: Subject) -> Evidence:
    generator = subject.model.anchor_generator.ssd_anchor_generator
    problem = f"The number of scales is {len(generator.scales)}, but num_layers is {generator.num_layers}."
    return Evidence(f"{_ssd_path(subject)}.scales", problem, "Set one scale for each layer.")


@rule("ANC05", "warning", "The engine builds such anchors, but they fit no object.", source=_SSD, architecture="ssd")
def strange_scales(subject: Subject) -> Iterator[Evidence]:
    """A scale of the anchors is out of range.

    A scale is the side of a square anchor, as a part of the shorter side of the image. It is above 0, at most about 1,
    and smaller on the layers with a higher resolution.
    """
    generator = subject.model.anchor_generator.ssd_anchor_generator
    if not _has_ssd_anchors(subject):
        return
    names = [f"scales[{i}]" for i in range(len(generator.scales))] or ["min_scale", "max_scale"]
    values = list(generator.scales) or [generator.min_scale, generator.max_scale]
    for name, value in zip(names, values, strict=True):
        if not 0 < value <= 1.5:
            problem = f"{name} is {value:g}, but it must be above 0 and at most about 1."
            advice = "Set it to the side of the anchors divided by the shorter side of the image."
            yield Evidence(f"{_ssd_path(subject)}.{name}", problem, advice)
    if not generator.scales and generator.min_scale >= generator.max_scale:
        problem = f"min_scale is {generator.min_scale:g}, but max_scale is only {generator.max_scale:g}."
        meaning = "The layers for small objects do not get the smallest anchors."
        yield Evidence(f"{_ssd_path(subject)}.min_scale", problem, "Set min_scale below max_scale.", meaning=meaning)


@rule("ANC06", "warning", "The engine builds anchors without a useful shape.", source=_SSD, architecture="ssd")
def strange_aspect_ratios(subject: Subject) -> Iterator[Evidence]:
    """Aspect ratios are missing, zero or negative.

    An aspect ratio is the width divided by the height. Without aspect ratios a layer has only the anchor of the
    interpolated scale. With a ratio of 0 or below, sides of anchors are 0, infinite or NaN (not a number).
    """
    if not _has_ssd_anchors(subject):
        return
    ratios = subject.model.anchor_generator.ssd_anchor_generator.aspect_ratios
    path = f"{_ssd_path(subject)}.aspect_ratios"
    if not ratios:
        advice, usual = "Set aspect ratios such as 1, 2, 0.5, 3 and 0.3333.", "1, 2, 0.5, 3, 0.3333"
        meaning = "Most layers get at most one anchor for each position."
        yield Evidence(path, "aspect_ratios is empty.", advice, (Edit(path=path, value=usual),), meaning=meaning)
    for index, ratio in enumerate(ratios):
        if ratio <= 0:
            problem = f"The aspect ratio is {ratio:g}, but it must be above 0."
            yield Evidence(f"{path}[{index}]", problem, "Set it to the width of the objects divided by their height.")


@rule(
    "ANC07",
    "error",
    "A box predictor with shared weights needs the same number of anchors in all layers, so the engine stops.",
    source="builders/box_predictor_builder.py",
    architecture="ssd",
)
def shared_predictor_with_reduced_layer(subject: Subject) -> Iterator[Evidence]:
    """A box predictor with shared weights gets layers with different numbers of anchors.

    reduce_boxes_in_lowest_layer, which is true by default, gives the first layer three anchors for each position. The
    other layers have one for each aspect ratio, and one for the interpolated scale.
    """
    generator = subject.model.anchor_generator.ssd_anchor_generator
    shared = subject.model.box_predictor.HasField("weight_shared_convolutional_box_predictor")
    ratios = len(generator.aspect_ratios) + (generator.interpolated_scale_aspect_ratio > 0)
    if shared and _has_ssd_anchors(subject) and generator.reduce_boxes_in_lowest_layer and ratios != 3:
        path, name = f"{_ssd_path(subject)}.reduce_boxes_in_lowest_layer", "reduce_boxes_in_lowest_layer"
        problem = (
            f"{name} is {_true(generator, name)}, so each position has 3 anchors in the first layer, and {ratios} in"
            " the others."
        )
        yield Evidence(path, problem, f"Set {name} to false.", (Edit(path=path, value="false"),))


def _true(message: Any, field: str) -> str:
    """How to name the value of a field that is true, and may be true only by default."""
    return "true" if message.HasField(field) else "true by default"


@rule("ANC08", "error", "The engine stops when it builds the anchors.", source=_SSD, architecture="ssd")
def strides_of_some_layers(subject: Subject) -> Iterator[Evidence]:
    """Strides or offsets of the anchors are not set for every layer.

    Without strides and offsets the engine spreads the anchors evenly. If they are set, each layer needs its own.
    """
    generator = subject.model.anchor_generator.ssd_anchor_generator
    for kind in ("stride", "offset"):
        heights, widths = (len(getattr(generator, f"{side}_{kind}")) for side in ("height", "width"))
        if heights and min(heights, widths) != generator.num_layers:
            problem = (
                f"num_layers is {generator.num_layers}, but the number of values is {heights} in height_{kind} and"
                f" {widths} in width_{kind}."
            )
            advice = "Set one value of each for every layer, or remove both fields."
            yield Evidence(f"{_ssd_path(subject)}.height_{kind}", problem, advice)


@rule(
    "ANC09",
    "warning",
    "The model can learn little from the other objects.",
    source="matchers/argmax_matcher.py",
)
def objects_without_anchors(subject: Subject) -> Iterator[Evidence]:
    """The anchors fit too few of the objects.

    An anchor learns an object if they overlap with an IoU of matched_threshold or more. 95% of the objects should have
    such an anchor. The others have at best the one anchor that fits least badly. This is checked on the training
    records, without augmentation. For Faster R-CNN the threshold is 0.5, and anchors across the border that training
    leaves out do not count.
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
        return  # other rules report it, or the anchors are not known here
    if len(learnt) and share < _ENOUGH:
        problem = f"Only {share:.1%} of the {len(learnt)} objects have an anchor with an IoU of {threshold:g} or more."
        yield Evidence(_path(subject), problem, "Find better anchors with tfod fit_anchors, or use a larger input.")


@rule(
    "ANC10",
    "warning",
    "The finest layer has only the aspect ratios 1, 2 and 0.5, so its anchors do not fit these objects.",
    source="anchor_generators/",
    architecture="ssd",
)
def shapes_missing_on_the_first_layer(subject: Subject) -> Iterator[Evidence]:
    """Many small objects have a shape that the first layer of anchors does not have.

    With reduce_boxes_in_lowest_layer, which is true by default, the finest layer has the aspect ratios 1, 2 and 0.5,
    and the engine ignores aspect_ratios there. An object counts if its size is nearer to this layer than to the next,
    and its shape is nearer to 3 or 1/3 than to 2 or 1/2. More than 10% of all objects are many.
    """
    contents = subject.records.train.contents if subject.records else None
    generator = subject.model.anchor_generator.ssd_anchor_generator
    if contents is None or not contents.objects or not _has_ssd_anchors(subject):
        return
    if not generator.reduce_boxes_in_lowest_layer or generator.num_layers < 1:
        return
    try:
        scales = [*generators.ssd_scales(generator), 1.0]
        share = _small_and_long(subject.model, Objects.of(contents.objects), math.sqrt(scales[0] * scales[1]))
    except ConfigError:
        return  # other rules report it
    if share > _MANY:
        name = "reduce_boxes_in_lowest_layer"
        problem = (
            f"{share:.0%} of the objects are small and very wide or very tall, and {name} is {_true(generator, name)}."
        )
        yield Evidence(f"{_ssd_path(subject)}.{name}", problem, f"Set {name} to false.")


def _small_and_long(model: Any, objects: Objects, largest: float) -> float:
    """The share of the objects to learn that are very wide or tall, and smaller than `largest` of the shorter side."""
    import numpy as np

    count = 0
    learnt = objects.chosen(objects.weight > 0)
    for part in framed(learnt, model.image_resizer):
        boxes = part.pixels()
        heights, widths = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        small = np.sqrt(heights * widths) < largest * min(part.frame)
        count += int((small & (np.abs(np.log(widths / heights)) > math.log(_FAR_FROM_2))).sum())
    return count / max(len(learnt), 1)


@rule(
    "ANC11",
    "warning",
    "The engine leaves the other anchors out of training, so large objects have no anchors.",
    source="meta_architectures/faster_rcnn_meta_arch.py",
    architecture="faster_rcnn",
)
def anchors_across_the_border(subject: Subject) -> Iterator[Evidence]:
    """Most anchors reach beyond the border of the image.

    Training leaves such anchors out unless clip_anchors_to_image is true. The anchors of the published configs are for
    images of 600 pixels and more, where 46 to 50% of them lie inside. This is checked if the size of the input is
    fixed.
    """
    generator = subject.model.first_stage_anchor_generator
    size = _input_size(subject.model.image_resizer)
    if size is None or subject.model.clip_anchors_to_image or not generator.HasField("grid_anchor_generator"):
        return
    share = share_inside(generator.grid_anchor_generator, *size)
    if share is not None and share < 0.4:
        problem = f"Only {share:.0%} of the anchors lie inside the image of {size[0]} x {size[1]} pixels."
        advice = "Use smaller anchors (height, width, scales), or set clip_anchors_to_image to true."
        yield Evidence(f"{_path(subject)}.grid_anchor_generator", problem, advice)


def _input_size(resizer: Any) -> tuple[int, int] | None:
    """Height and width of every image, in pixels; None where they differ."""
    if resizer.HasField("fixed_shape_resizer"):
        return resizer.fixed_shape_resizer.height, resizer.fixed_shape_resizer.width
    ratio = resizer.keep_aspect_ratio_resizer
    square = resizer.HasField("keep_aspect_ratio_resizer") and ratio.pad_to_max_dimension
    return (ratio.max_dimension, ratio.max_dimension) if square else None


def share_inside(grid: Any, height: int, width: int) -> float | None:
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
    """How many positions along a side have an anchor of `length` within the border, and how many there are."""
    count = math.ceil(side / stride)
    first = max(0, math.ceil((length / 2 - offset) / stride))
    last = min(count - 1, math.floor((side - length / 2 - offset) / stride))
    return max(0, last - first + 1), count


@rule(
    "ANC12",
    "error",
    "The engine stops when it makes proposals.",
    source="anchor_generators/multiscale_grid_anchor_generator.py",
    architecture="faster_rcnn",
)
def normalised_proposals(subject: Subject) -> Iterator[Evidence]:
    """The anchors of Faster R-CNN are not in pixels.

    The proposals of Faster R-CNN are in pixels. With normalize_coordinates the generator divides by the size of the
    image, but Faster R-CNN does not give it this size.
    """
    path = f"{_path(subject)}.multiscale_anchor_generator.normalize_coordinates"
    generator = subject.model.first_stage_anchor_generator
    levels = generator.multiscale_anchor_generator
    if generator.HasField("multiscale_anchor_generator") and levels.normalize_coordinates:
        value = _true(levels, "normalize_coordinates")
        problem = f"normalize_coordinates is {value}, but Faster R-CNN needs anchors in pixels."
        yield Evidence(path, problem, "Set it to false.", (Edit(path=path, value="false"),))


@rule(
    "ANC13",
    "error",
    "The anchors do not lie where the features are that predict them, so the model learns from the wrong places.",
    source="anchor_generators/grid_anchor_generator.py",
    architecture="faster_rcnn",
)
def drifting_anchors(subject: Subject) -> Iterator[Evidence]:
    """The stride of the anchors is not the stride of the features.

    Anchor number i of a row lies i strides from the border. The feature that predicts it lies i times
    first_stage_features_stride from the border. If the two strides differ, the distance grows along the row.
    """
    generator = subject.model.first_stage_anchor_generator.grid_anchor_generator
    if not subject.model.first_stage_anchor_generator.HasField("grid_anchor_generator"):
        return
    stride = subject.model.feature_extractor.first_stage_features_stride
    for name in ("height_stride", "width_stride"):
        if getattr(generator, name) != stride:
            path = f"{_path(subject)}.grid_anchor_generator.{name}"
            problem = f"{name} is {getattr(generator, name)}, but first_stage_features_stride is {stride}."
            yield Evidence(path, problem, f"Set {name} to {stride}.", (Edit(path=path, value=str(stride)),))


@rule(
    "ANC14",
    "error",
    "The engine stops when it builds the model, or in TF1 style at the first step.",
    source="core/",
)
def positions_without_anchors(subject: Subject) -> Iterator[Evidence]:
    """A feature map has no anchors.

    Each position of a feature map has one anchor for each scale with each aspect ratio. Neither list has a default: an
    empty list makes no anchors.
    """
    if subject.architecture not in ("ssd", "faster_rcnn"):
        return
    field = "anchor_generator" if subject.architecture == "ssd" else "first_stage_anchor_generator"
    generator = getattr(subject.model, field)
    kind = generator.WhichOneof("anchor_generator_oneof")
    try:
        counts = generators.per_position(generator) if kind else []
    except ConfigError:
        return  # ANC02 and ANC05 report it
    empty = [str(number) for number, count in enumerate(counts) if count < 1]
    if empty:
        which = f"Feature map {empty[0]} has" if len(empty) == 1 else f"Feature maps {', '.join(empty)} have"
        problem = f"{which} no anchors (counted from 0, of {len(counts)})."
        advice = "Set scales and aspect ratios so that every feature map gets anchors."
        yield Evidence(f"{_path(subject)}.{kind}", problem, advice)
