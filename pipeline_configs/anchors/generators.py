"""The engine's four anchor generators: from a message of the config to grids of anchors.

Source: builders/anchor_generator_builder.py and anchor_generators/ of the engine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from pipeline_configs.anchors.grid import Grid
from tfod_tools.base.errors import ConfigError

Size = tuple[int, int]

# Scale and aspect ratio of the first layer's anchors if reduce_boxes_in_lowest_layer is true, in place of the config's
# aspect ratios. None stands for the layer's scale.
_LOWEST_LAYER = ((0.1, 1.0), (None, 2.0), (None, 0.5))


def grids(generator: Any, maps: Sequence[Size], image: Size | None, *, known_beforehand: bool = True) -> list[Grid]:
    """The anchors on the feature maps `maps`, in the engine's order.

    Args:
      generator: an `AnchorGenerator` message.
      maps: (height, width) of each feature map, in cells.
      image: height and width in pixels, if the engine passes them to the generator; None if not, as in Faster R-CNN.
      known_beforehand: whether all images have this size, so that the engine knows it when it builds the graph.

    Raises:
      ConfigError: the engine would refuse the generator.
    """
    kind = generator.WhichOneof("anchor_generator_oneof")
    message = getattr(generator, kind) if kind else None
    if kind == "ssd_anchor_generator":
        return _ssd(message, maps, image or (1, 1))
    if kind == "multiscale_anchor_generator":
        return _multiscale(message, maps, image, known_beforehand=known_beforehand)
    if kind == "grid_anchor_generator":
        return _grid(message, maps)
    if kind == "flexible_grid_anchor_generator":
        return _flexible(message, maps, image)
    raise ConfigError("the model has no anchor generator. Set one, such as ssd_anchor_generator.")


def per_position(generator: Any) -> list[int]:
    """How many anchors each position of each feature map has."""
    kind = generator.WhichOneof("anchor_generator_oneof")
    message = getattr(generator, kind)
    if kind == "ssd_anchor_generator":
        return [len(layer) for layer in ssd_shapes(message)]
    if kind == "multiscale_anchor_generator":
        return [len(message.aspect_ratios) * message.scales_per_octave] * (message.max_level - message.min_level + 1)
    if kind == "grid_anchor_generator":
        return [len(message.scales) * len(message.aspect_ratios)]
    return [len(layer.base_sizes) for layer in message.anchor_grid]


def ssd_scales(message: Any) -> list[float]:
    """The scale of each layer of an `SsdAnchorGenerator`, as a fraction of the image's shorter side.

    Raises:
      ConfigError: there is one layer and no `scales`, so that the engine divides by zero; or a scale is negative.
    """
    if message.num_layers == 1 and not message.scales:
        raise ConfigError("ssd_anchor_generator has num_layers 1 and no scales. Give the scale in scales.")
    low, span = message.min_scale, message.max_scale - message.min_scale
    scales = list(message.scales) or [low + span * i / (message.num_layers - 1) for i in range(message.num_layers)]
    if min(scales, default=0.0) < 0:
        raise ConfigError(f"ssd_anchor_generator has the scale {min(scales):g}. It must be more than 0.")
    return scales


def ssd_shapes(message: Any) -> list[list[tuple[float, float]]]:
    """(scale, aspect ratio) of each anchor of a position, layer by layer.

    As in the engine's `create_ssd_anchors`, the last anchor has a scale between the layer's and the next layer's (1
    after the last layer), unless interpolated_scale_aspect_ratio is 0.
    """
    layers = []
    scales = [*ssd_scales(message), 1.0]
    for layer, (scale, after) in zip(range(message.num_layers), pairwise(scales), strict=False):
        if layer == 0 and message.reduce_boxes_in_lowest_layer:
            layers.append([(scale if own is None else own, ratio) for own, ratio in _LOWEST_LAYER])
            continue
        shapes = [(scale, float(ratio)) for ratio in message.aspect_ratios]
        if message.interpolated_scale_aspect_ratio > 0:
            shapes.append((math.sqrt(scale * after), float(message.interpolated_scale_aspect_ratio)))
        layers.append(shapes)
    return layers


def _ssd(message: Any, maps: Sequence[Size], image: Size) -> list[Grid]:
    import numpy as np

    layers = ssd_shapes(message)
    strides = list(zip(message.height_stride, message.width_stride, strict=False))
    offsets = list(zip(message.height_offset, message.width_offset, strict=False))
    for what, count in (("feature maps", len(maps)), ("strides", len(strides)), ("offsets", len(offsets))):
        if count != len(layers) and (count or what == "feature maps"):
            raise ConfigError(
                f"ssd_anchor_generator has {len(layers)} layers, but there are {count} {what}. Make the numbers equal."
            )
    height, width = np.float32(image[0]), np.float32(image[1])
    shorter = np.minimum(height, width)
    base = (message.base_anchor_height, message.base_anchor_width)
    found = []
    for layer, (shapes, (rows, columns)) in enumerate(zip(layers, maps, strict=True)):
        if strides:
            stride: Any = (np.float32(strides[layer][0]) / height, np.float32(strides[layer][1]) / width)
        else:
            stride = np.float32(1) / np.float32(rows), np.float32(1) / np.float32(columns)
        offset: Any = (np.float32(0.5) * stride[0], np.float32(0.5) * stride[1])
        if offsets:
            offset = np.float32(offsets[layer][0]) / height, np.float32(offsets[layer][1]) / width
        found.append(
            Grid(
                rows=rows,
                columns=columns,
                stride=stride,
                offset=offset,
                scales=tuple(scale for scale, _ in shapes),
                aspect_ratios=tuple(ratio for _, ratio in shapes),
                base=(shorter / height * np.float32(base[0]), shorter / width * np.float32(base[1])),
            )
        )
    return found


def _multiscale(message: Any, maps: Sequence[Size], image: Size | None, *, known_beforehand: bool) -> list[Grid]:
    octave = [2 ** (scale / message.scales_per_octave) for scale in range(message.scales_per_octave)]
    unit = _unit(message, image)
    found = []
    for level, (rows, columns) in zip(range(message.min_level, message.max_level + 1), maps, strict=False):
        stride = 2**level
        # If the engine knows a side, and the stride does not divide it, the first centre lies on the border.
        offset = [
            stride / 2 if image is None or not known_beforehand or side % stride == 0 else 0.0
            for side in image or (1, 1)
        ]
        found.append(
            Grid(
                rows=rows,
                columns=columns,
                stride=(stride, stride),
                offset=(offset[0], offset[1]),
                base=(stride * message.anchor_scale,) * 2,
                unit=unit,
                **_crossed(octave, message.aspect_ratios),
            )
        )
    return found


def _grid(message: Any, maps: Sequence[Size]) -> list[Grid]:
    if len(maps) != 1:
        raise ConfigError(
            f"grid_anchor_generator is for one feature map, but there are {len(maps)}. Use another generator."
        )
    ((rows, columns),) = maps
    return [
        Grid(
            rows=rows,
            columns=columns,
            stride=(message.height_stride, message.width_stride),
            offset=(message.height_offset, message.width_offset),
            base=(message.height, message.width),
            **_crossed(message.scales, message.aspect_ratios),
        )
    ]


def _flexible(message: Any, maps: Sequence[Size], image: Size | None) -> list[Grid]:
    unit = _unit(message, image)
    found = []
    for layer, (rows, columns) in zip(message.anchor_grid, maps, strict=False):
        if len(layer.base_sizes) != len(layer.aspect_ratios):
            counts = f"{len(layer.base_sizes)} base_sizes and {len(layer.aspect_ratios)} aspect_ratios"
            raise ConfigError(f"an anchor_grid has {counts}. Make the numbers equal.")
        found.append(
            Grid(
                rows=rows,
                columns=columns,
                stride=(layer.height_stride, layer.width_stride),
                offset=(layer.height_offset, layer.width_offset),
                scales=tuple(layer.base_sizes),
                aspect_ratios=tuple(layer.aspect_ratios),
                base=(1.0, 1.0),
                unit=unit,
            )
        )
    return found


def _unit(message: Any, image: Size | None) -> Any:
    import numpy as np

    if not message.normalize_coordinates:
        return 1.0, 1.0
    if image is None or 1 in image:
        raise ConfigError(
            "normalize_coordinates is true, but Faster R-CNN does not pass the size of the image. Set it to false."
        )
    return np.float32(1) / np.float32(image[0]), np.float32(1) / np.float32(image[1])


def _crossed(scales: Sequence[float], ratios: Sequence[float]) -> dict[str, Any]:
    """Every scale with every aspect ratio: all scales of the first ratio, then of the next."""
    return {
        "scales": tuple(float(scale) for _ in ratios for scale in scales),
        "aspect_ratios": tuple(float(ratio) for ratio in ratios for _ in scales),
    }
