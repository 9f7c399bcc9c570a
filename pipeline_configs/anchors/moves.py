"""Changes to a config's anchors that are worth trying, one set after the other.

A move is a few edits. Each function yields the moves of one kind from a config; which is the best is for `search`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

from pipeline_configs import extractors
from pipeline_configs.anchors import generators
from pipeline_configs.patches.patch import Edit
from pipeline_configs.text.text_proto import Config

Move = tuple[Edit, ...]

_MIN_SCALES = (0.03, 0.05, 0.07, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3)
_MAX_SCALES = (0.5, 0.65, 0.8, 0.95)
_STEPS = (0.7, 0.8, 0.9, 1.1, 1.25, 1.4)
_ANCHOR_SCALES = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0)
_PER_OCTAVE = (1, 2, 3, 4)
_LARGEST_LEVEL = 8
_MOST_LAYERS = 6
# Aspect ratios that people write.
_RATIOS = (0.1, 0.125, 0.2, 0.25, 0.3333, 0.4, 0.5, 0.67, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 8.0, 10.0)
_MOST_RATIOS = 6
_USUAL = ((1.0,), (0.5, 1.0, 2.0), (0.3333, 0.5, 1.0, 2.0, 3.0), (0.4, 0.67, 1.0, 1.5, 2.5))
_COUNTS_WITH_SPAN = (2, 3, 5)


def generator_path(config: Config) -> str:
    """The path of the anchor generator, with its kind."""
    ssd = config.model.HasField("ssd")
    path = "model.ssd.anchor_generator" if ssd else "model.faster_rcnn.first_stage_anchor_generator"
    return f"{path}.{generator(config).WhichOneof('anchor_generator_oneof')}"


def generator(config: Config) -> Any:
    """The `AnchorGenerator` message."""
    model = config.model
    return model.ssd.anchor_generator if model.HasField("ssd") else model.faster_rcnn.first_stage_anchor_generator


def kinds(config: Config) -> tuple[Callable[[Config, Sequence[float]], Iterator[Move]], ...]:
    """The kinds of moves for the config's generator: functions of a config and of log(width / height) of objects."""
    return {
        "ssd_anchor_generator": (_span, _ratios, _one_ratio, _layers, _scales),
        "multiscale_anchor_generator": (_octaves, _ratios, _one_ratio, _levels),
        "grid_anchor_generator": (_sizes, _ratios, _one_ratio, _scales),
        "flexible_grid_anchor_generator": (_base_sizes,),
    }.get(generator(config).WhichOneof("anchor_generator_oneof"), ())


def _span(config: Config, shapes: Sequence[float]) -> Iterator[Move]:
    """Other smallest and largest scales, with other aspect ratios or without, on the first layer too or not."""
    path, message = generator_path(config), generator(config).ssd_anchor_generator
    if message.scales or message.num_layers < 2:
        return
    others = sorted({_typical(shapes, count) for count in _COUNTS_WITH_SPAN})
    ratios: list[Move] = [(), *((_numbers(f"{path}.aspect_ratios", values),) for values in others)]
    lowest = f"{path}.reduce_boxes_in_lowest_layer"
    for reduced, of_ratios in product(sorted({False, message.reduce_boxes_in_lowest_layer}), ratios):
        for low, high in product(_MIN_SCALES, _MAX_SCALES):
            span = _number(f"{path}.min_scale", low), _number(f"{path}.max_scale", high)
            yield (*span, *of_ratios, Edit(path=lowest, value=str(reduced).lower()))


def _layers(config: Config, shapes: Sequence[float]) -> Iterator[Move]:
    """One layer more or fewer, of the extractor and of the anchors, where the extractor leaves that to the config."""
    message, extractor = generator(config).ssd_anchor_generator, config.model.ssd.feature_extractor
    if message.scales or not extractors.of(extractor.type).uses_num_layers:
        return
    for layers in (message.num_layers - 1, message.num_layers + 1):
        if 2 <= layers <= _MOST_LAYERS:
            yield (
                Edit(path=f"{generator_path(config)}.num_layers", value=str(layers)),
                Edit(path="model.ssd.feature_extractor.num_layers", value=str(layers)),
            )


def _scales(config: Config, shapes: Sequence[float]) -> Iterator[Move]:
    """One scale smaller or larger than it is."""
    path, kind = generator_path(config), generator(config).WhichOneof("anchor_generator_oneof")
    message = getattr(generator(config), kind)
    present = generators.ssd_scales(message) if kind == "ssd_anchor_generator" else list(message.scales)
    for index in range(len(present)):
        for step in _STEPS:
            scales = [*present]
            scales[index] *= step
            if scales == sorted(scales) and (kind != "ssd_anchor_generator" or scales[-1] <= 1):
                yield (_numbers(f"{path}.scales", scales),)


def _sizes(config: Config, shapes: Sequence[float]) -> Iterator[Move]:
    """Scales of Faster R-CNN's grid from another smallest one on, each a factor larger than the last."""
    path = generator_path(config)
    message = generator(config).grid_anchor_generator
    for count in sorted({max(1, len(message.scales) + change) for change in (-1, 0, 1)}):
        for smallest in (0.0625, 0.09, 0.125, 0.18, 0.25, 0.35, 0.5):
            for factor in (1.41, 1.6, 1.8, 2.0):
                yield (_numbers(f"{path}.scales", [smallest * factor**i for i in range(count)]),)


def _ratios(config: Config, shapes: Sequence[float]) -> Iterator[Move]:
    """Aspect ratios that lie where the objects' do, or that are usual, more of them or fewer."""
    path, kind = generator_path(config), generator(config).WhichOneof("anchor_generator_oneof")
    sets = {*_USUAL, *(_typical(shapes, count) for count in range(1, _MOST_RATIOS + 1))}
    for ratios in sorted(sets, key=lambda ratios: (len(ratios), ratios)):
        move = (_numbers(f"{path}.aspect_ratios", ratios),)
        yield move
        if kind == "ssd_anchor_generator" and generator(config).ssd_anchor_generator.reduce_boxes_in_lowest_layer:
            yield (*move, Edit(path=f"{path}.reduce_boxes_in_lowest_layer", value="false"))


def _one_ratio(config: Config, shapes: Sequence[float]) -> Iterator[Move]:
    """One aspect ratio less, or the next wider or taller one in its place."""
    path, kind = generator_path(config), generator(config).WhichOneof("anchor_generator_oneof")
    present = list(getattr(generator(config), kind).aspect_ratios)
    for index, ratio in enumerate(present):
        others = [*present[:index], *present[index + 1 :]]
        taller = [other for other in _RATIOS if other < ratio * 0.99]
        wider = [other for other in _RATIOS if other > ratio * 1.01]
        for put in (taller[-1:], wider[:1], []):
            if (put or others) and not any(math.isclose(one, other, rel_tol=0.01) for one in put for other in others):
                yield (_numbers(f"{path}.aspect_ratios", sorted([*others, *put])),)


def _octaves(config: Config, shapes: Sequence[float]) -> Iterator[Move]:
    """Another size on each level, and another number of sizes."""
    path = generator_path(config)
    for count in _PER_OCTAVE:
        for scale in _ANCHOR_SCALES:
            yield (
                _number(f"{path}.anchor_scale", scale),
                Edit(path=f"{path}.scales_per_octave", value=str(count)),
            )


def _levels(config: Config, shapes: Sequence[float]) -> Iterator[Move]:
    """One level of the pyramid more or fewer, at either end, and the anchors with it."""
    path, message = generator_path(config), generator(config).multiscale_anchor_generator
    model = "ssd" if config.model.HasField("ssd") else "faster_rcnn"
    kind = extractors.of(getattr(config.model, model).feature_extractor.type)
    if kind.levels:
        return
    pyramid = kind.pyramid or "fpn"
    least = 3 if pyramid == "bifpn" else 2
    for name, change in (("min_level", -1), ("min_level", 1), ("max_level", -1), ("max_level", 1)):
        levels = {"min_level": message.min_level, "max_level": message.max_level}
        levels[name] += change
        if least <= levels["min_level"] <= 5 <= levels["max_level"] <= _LARGEST_LEVEL:
            value = str(levels[name])
            yield (
                Edit(path=f"{path}.{name}", value=value),
                Edit(path=f"model.{model}.feature_extractor.{pyramid}.{name}", value=value),
            )


def _base_sizes(config: Config, shapes: Sequence[float]) -> Iterator[Move]:
    """The sizes of one layer, all smaller or larger than they are."""
    path = generator_path(config)
    for index, layer in enumerate(generator(config).flexible_grid_anchor_generator.anchor_grid):
        for step in _STEPS:
            yield (_numbers(f"{path}.anchor_grid[{index}].base_sizes", [size * step for size in layer.base_sizes]),)


def _typical(shapes: Sequence[float], count: int) -> tuple[float, ...]:
    """`count` aspect ratios or fewer that lie where `shapes`, logarithms in rising order, do: means of equal parts."""
    parts = [shapes[len(shapes) * i // count : len(shapes) * (i + 1) // count] for i in range(count)]
    means = [sum(part) / len(part) for part in parts if len(part)]
    return tuple(sorted({min(_RATIOS, key=lambda ratio: abs(math.log(ratio) - mean)) for mean in means}))


def _number(path: str, value: float) -> Edit:
    return Edit(path=path, value=f"{value:.3g}")


def _numbers(path: str, values: Sequence[float]) -> Edit:
    return Edit(path=path, value=", ".join(f"{value:.4g}" for value in values))
