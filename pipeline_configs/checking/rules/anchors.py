"""Rules about anchor generators: whether they fit the network, and whether their numbers make sense."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline_configs import extractors
from pipeline_configs.anchors import feature_maps, generators
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit
from tfod_tools.base.errors import ConfigError

_SSD = "anchor_generators/multiple_grid_anchor_generator.py"


def _path(subject: Subject) -> str:
    return f"{subject.model_path}.anchor_generator.ssd_anchor_generator"


@rule(
    "ANC01",
    "error",
    "The engine stops at the first image.",
    source="meta_architectures/ssd_meta_arch.py",
    architecture="ssd",
)
def layers_without_anchors(subject: Subject) -> Iterator[Evidence]:
    """There are not as many layers of anchors as the feature extractor has feature maps.

    An SSD predicts on six feature maps unless num_layers of the extractor says otherwise, one with a feature pyramid on
    the levels from min_level to max_level, which the anchors have to repeat.
    """
    maps = feature_maps.count(subject.model.feature_extractor)
    if maps is None or not extractors.is_engines("ssd", subject.extractor):
        return
    generator, fix = subject.model.anchor_generator, tuple[Edit, ...]()
    if generator.HasField("ssd_anchor_generator"):
        layers, path = generator.ssd_anchor_generator.num_layers, f"{_path(subject)}.num_layers"
        fix = (Edit(path=path, value=str(maps)),)
    elif generator.HasField("multiscale_anchor_generator"):
        levels = generator.multiscale_anchor_generator
        layers = levels.max_level - levels.min_level + 1
        path = f"{subject.model_path}.anchor_generator.multiscale_anchor_generator.max_level"
    elif generator.HasField("flexible_grid_anchor_generator"):
        layers = len(generator.flexible_grid_anchor_generator.anchor_grid)
        path = f"{subject.model_path}.anchor_generator.flexible_grid_anchor_generator.anchor_grid"
    else:
        return
    if layers != maps:
        yield Evidence(path, f"anchors for {layers} feature maps", f"{maps}, as {subject.extractor} has here", fix)


@rule("ANC02", "error", "The engine stops: it divides by zero.", source=_SSD, architecture="ssd")
def one_layer(subject: Subject) -> Iterator[Evidence]:
    """Scales are to be spread over a single layer.

    Between min_scale and max_scale lie num_layers - 1 steps. With one layer, give its scale in `scales`.
    """
    generator = subject.model.anchor_generator.ssd_anchor_generator
    if _has_ssd_anchors(subject) and generator.num_layers == 1 and not generator.scales:
        yield Evidence(f"{_path(subject)}.num_layers", "1, without scales", "scales, or more layers")


@rule(
    "ANC03",
    "error",
    "The engine builds anchors for some layers only, and stops at the first image.",
    source=_SSD,
    architecture="ssd",
)
def too_few_scales(subject: Subject) -> Iterator[Evidence]:
    """There are fewer scales than layers.

    Each layer of anchors has one scale; the layers beyond them get no anchors.
    """
    generator = subject.model.anchor_generator.ssd_anchor_generator
    if 0 < len(generator.scales) < generator.num_layers:
        yield Evidence(f"{_path(subject)}.scales", f"{len(generator.scales)}", f"{generator.num_layers}, as num_layers")


@rule("ANC04", "warning", "The engine ignores the last ones.", source=_SSD, architecture="ssd")
def too_many_scales(subject: Subject) -> Iterator[Evidence]:
    """There are more scales than layers.

    Each layer of anchors has one scale, in order; those that are left over have no layer. Only the first of them is
    used, for the anchor between the last layer's scale and the next.
    """
    generator = subject.model.anchor_generator.ssd_anchor_generator
    if len(generator.scales) > generator.num_layers:
        yield Evidence(f"{_path(subject)}.scales", f"{len(generator.scales)}", f"{generator.num_layers}, as num_layers")


@rule("ANC05", "warning", "The engine builds them.", source=_SSD, architecture="ssd")
def strange_scales(subject: Subject) -> Iterator[Evidence]:
    """Scales of anchors are not those of objects in an image.

    A scale is the side of a square anchor, as a part of the shorter side of the image: positive, about 1 at most, and
    smaller on the layers of higher resolution.
    """
    generator = subject.model.anchor_generator.ssd_anchor_generator
    if not _has_ssd_anchors(subject):
        return
    names = [f"scales[{i}]" for i in range(len(generator.scales))] or ["min_scale", "max_scale"]
    values = list(generator.scales) or [generator.min_scale, generator.max_scale]
    for name, value in zip(names, values, strict=True):
        if not 0 < value <= 1.5:
            yield Evidence(f"{_path(subject)}.{name}", f"{value:g}", "more than 0, and about 1 at most")
    if not generator.scales and generator.min_scale >= generator.max_scale:
        found = f"{generator.min_scale:g}, not below max_scale {generator.max_scale:g}"
        yield Evidence(f"{_path(subject)}.min_scale", found, "less than max_scale")


@rule("ANC06", "warning", "The engine builds anchors without a shape, or hardly any.", source=_SSD, architecture="ssd")
def strange_aspect_ratios(subject: Subject) -> Iterator[Evidence]:
    """Aspect ratios are missing, zero or negative.

    An aspect ratio is width / height. Without any, a layer has only its square of an interpolated scale; one that is
    not positive makes anchors of no number.
    """
    if not _has_ssd_anchors(subject):
        return
    ratios = subject.model.anchor_generator.ssd_anchor_generator.aspect_ratios
    path = f"{_path(subject)}.aspect_ratios"
    if not ratios:
        yield Evidence(path, "none", "such as 1, 2, 0.5, 3, 0.3333", (Edit(path=path, value="1, 2, 0.5, 3, 0.3333"),))
    for index, ratio in enumerate(ratios):
        if ratio <= 0:
            yield Evidence(f"{path}[{index}]", f"{ratio:g}", "more than 0")


@rule(
    "ANC07",
    "error",
    "The engine stops when it builds the box predictor.",
    source="builders/box_predictor_builder.py",
    architecture="ssd",
)
def shared_predictor_with_reduced_layer(subject: Subject) -> Iterator[Evidence]:
    """A box predictor that all layers share meets a first layer with fewer anchors.

    reduce_boxes_in_lowest_layer, true by default, gives the first layer three anchors a position, the others more. A
    predictor with shared weights needs the same number everywhere.
    """
    generator = subject.model.anchor_generator.ssd_anchor_generator
    shared = subject.model.box_predictor.HasField("weight_shared_convolutional_box_predictor")
    ratios = len(generator.aspect_ratios) + (generator.interpolated_scale_aspect_ratio > 0)
    if shared and _has_ssd_anchors(subject) and generator.reduce_boxes_in_lowest_layer and ratios != 3:
        path = f"{_path(subject)}.reduce_boxes_in_lowest_layer"
        yield Evidence(path, f"true, so 3 and {ratios} anchors", "false", (Edit(path=path, value="false"),))


@rule("ANC08", "error", "The engine stops when it builds the anchors.", source=_SSD, architecture="ssd")
def strides_of_some_layers(subject: Subject) -> Iterator[Evidence]:
    """Strides or offsets of anchors are given for some of the layers.

    Without any, the engine spreads the anchors evenly; otherwise each layer needs its own.
    """
    generator = subject.model.anchor_generator.ssd_anchor_generator
    for kind in ("stride", "offset"):
        given = min(len(getattr(generator, f"height_{kind}")), len(getattr(generator, f"width_{kind}")))
        if getattr(generator, f"height_{kind}") and given != generator.num_layers:
            path = f"{_path(subject)}.height_{kind}"
            yield Evidence(path, f"{given} of them", f"{generator.num_layers}, as num_layers, or none")


def _has_ssd_anchors(subject: Subject) -> bool:
    return bool(subject.model.anchor_generator.HasField("ssd_anchor_generator"))


@rule(
    "ANC12",
    "error",
    "The engine stops when it makes proposals.",
    source="anchor_generators/multiscale_grid_anchor_generator.py",
    architecture="faster_rcnn",
)
def normalised_proposals(subject: Subject) -> Iterator[Evidence]:
    """Faster R-CNN is given anchors in parts of the image.

    Its proposals are in pixels, and the generator is called without the image's size, by which it would divide.
    """
    generator = subject.model.first_stage_anchor_generator
    if (
        generator.HasField("multiscale_anchor_generator")
        and generator.multiscale_anchor_generator.normalize_coordinates
    ):
        path = f"{subject.model_path}.first_stage_anchor_generator.multiscale_anchor_generator.normalize_coordinates"
        yield Evidence(path, "true", "false", (Edit(path=path, value="false"),))


@rule(
    "ANC13",
    "error",
    "The engine lays the anchors beside the features that they belong to.",
    source="anchor_generators/grid_anchor_generator.py",
    architecture="faster_rcnn",
)
def drifting_anchors(subject: Subject) -> Iterator[Evidence]:
    """The anchors' stride is not that of the features.

    Anchor i of a row lies i strides from the border, the feature that predicts it i times
    first_stage_features_stride. Where they differ, boxes are learnt from features far away.
    """
    generator = subject.model.first_stage_anchor_generator.grid_anchor_generator
    if not subject.model.first_stage_anchor_generator.HasField("grid_anchor_generator"):
        return
    stride = subject.model.feature_extractor.first_stage_features_stride
    for name in ("height_stride", "width_stride"):
        if getattr(generator, name) != stride:
            path = f"{subject.model_path}.first_stage_anchor_generator.grid_anchor_generator.{name}"
            expected = f"{stride}, as first_stage_features_stride"
            yield Evidence(path, str(getattr(generator, name)), expected, (Edit(path=path, value=str(stride)),))


@rule("ANC14", "error", "The engine stops: when it builds the model, in TF1 style at the first step.", source="core/")
def positions_without_anchors(subject: Subject) -> Iterator[Evidence]:
    """A feature map is left without anchors.

    The positions of a feature map have an anchor for each scale with each aspect ratio. Neither list has a default: one
    that is left out makes none.
    """
    if subject.architecture not in ("ssd", "faster_rcnn"):
        return
    field = "anchor_generator" if subject.architecture == "ssd" else "first_stage_anchor_generator"
    generator = getattr(subject.model, field)
    kind = generator.WhichOneof("anchor_generator_oneof")
    try:
        counts = generators.per_position(generator) if kind else []
    except ConfigError:
        return  # ANC02 and ANC05 tell
    empty = [number for number, count in enumerate(counts) if count < 1]
    if empty:
        found = f"no anchors on feature map {', '.join(map(str, empty))} of {len(counts)}, counted from 0"
        yield Evidence(f"{subject.model_path}.{field}.{kind}", found, "aspect ratios and scales for each")
