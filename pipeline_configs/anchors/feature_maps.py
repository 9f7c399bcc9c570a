"""How many cells the feature maps of an extractor have, for an input of a given size.

A convolution or pooling of stride 2 that pads ("SAME") halves a side and rounds up, so that a map of stride s has
ceil(side / s) cells. Some networks begin without padding. `pipeline_configs.extractors` says which network does what.
Source: models/ of the engine and `nets` of slim. tests/engine/test_anchors.py compares each type with the engine.
"""

from __future__ import annotations

import math
from typing import Any

from pipeline_configs import extractors
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError

Size = tuple[int, int]

_FASTER_RCNN_FPN_MULTIPLE = 32  # models/faster_rcnn_resnet_v1_fpn_keras_feature_extractor.py


def sizes(config: Config, frame: Size) -> list[Size]:
    """Height and width of each feature map, in cells, for an input of `frame` pixels.

    Raises:
      ConfigError: the model has no anchors, the feature maps of its extractor are not known, or the input is too small.
    """
    kind = config.model.WhichOneof("model")
    if kind not in ("ssd", "faster_rcnn"):
        raise ConfigError(f"model.{kind} has no anchors." if kind else "the config has no model, and so no anchors.")
    extractor = getattr(config.model, kind).feature_extractor
    if extractor.type not in extractors.known()[kind] or extractors.of(extractor.type).maps == "unknown":
        raise ConfigError(
            f"the feature maps of the extractor '{extractor.type}' are not known here, so its anchors cannot be"
            " computed."
        )
    heights, widths = (_ssd(extractor, side) if kind == "ssd" else _faster_rcnn(extractor, side) for side in frame)
    if min([*heights, *widths], default=1) < 1:
        raise ConfigError(f"an input of {frame[0]} x {frame[1]} pixels is too small for {extractor.type}. Enlarge it.")
    return list(zip(heights, widths, strict=True))


def count(extractor: Any) -> int | None:
    """How many feature maps the `feature_extractor` message of an SSD asks for; None where that is not known."""
    kind = extractors.of(extractor.type)
    if kind.maps == "unknown":
        return None
    if kind.pyramid:
        return len(_levels(extractor))
    return kind.map_count or int(extractor.num_layers)


def _ssd(message: Any, side: int) -> list[int]:
    kind, padded = extractors.of(message.type), _padded(side, message.pad_to_multiple)
    if kind.pyramid:
        return [_halved(padded, level) for level in _checked_levels(message)]
    layers = kind.map_count or int(message.num_layers)
    if kind.maps == "vgg16":
        return _vgg16(padded)[:layers]
    if kind.maps == "inception_v3":
        return _inception_v3(padded)[:layers]
    first = padded - 2 if kind.maps == "unpadded" else padded
    return [_halved(first, 4 + layer) for layer in range(layers)]


def _faster_rcnn(message: Any, side: int) -> list[int]:
    kind, stride = extractors.of(message.type), message.first_stage_features_stride
    if stride < 1:
        raise ConfigError(f"first_stage_features_stride is {stride}. Use 8 or 16.")
    if kind.pyramid:
        return [_halved(_padded(side, _FASTER_RCNN_FPN_MULTIPLE), level) for level in _checked_levels(message)]
    return [_halved(side - 2, 4)] if kind.maps == "unpadded" else [math.ceil(side / stride)]


def _levels(message: Any) -> range:
    """The levels of the feature pyramid."""
    kind = extractors.of(message.type)
    if kind.levels:
        return kind.levels
    pyramid = getattr(message, kind.pyramid)
    return range(pyramid.min_level, pyramid.max_level + 1)


def _checked_levels(message: Any) -> range:
    levels = _levels(message)
    if levels.start < 0:
        raise ConfigError(f"min_level of the pyramid is {levels.start}. Use 2 or more.")
    return levels


def _padded(side: int, multiple: int) -> int:
    return math.ceil(side / multiple) * multiple if multiple > 1 else side


def _halved(side: int, times: int) -> int:
    return math.ceil(side / (1 << times))


def _unpadded(side: int, kernel: int, stride: int) -> int:
    """A side after a convolution or pooling without padding ("VALID")."""
    return max(0, (side - kernel) // stride + 1)


def _inception_v3(side: int) -> list[int]:
    """Mixed_5d, Mixed_6e, Mixed_7c, and three maps that halve the last one (slim's inception_v3_base)."""
    for kernel, stride in ((3, 2), (3, 1), (3, 2), (3, 1), (3, 2)):
        side = _unpadded(side, kernel, stride)
    mixed_6e = _unpadded(side, 3, 2)
    mixed_7c = _unpadded(mixed_6e, 3, 2)
    return [side, mixed_6e, *(_halved(mixed_7c, times) for times in range(4))]


def _vgg16(side: int) -> list[int]:
    """conv4_3, fc7, two maps that halve, two that lose their border (tfod_tools/engine/extractors)."""
    conv7 = _halved(side, 6)
    conv8 = _unpadded(conv7, 3, 1)
    return [_halved(side, 3), _halved(side, 4), _halved(side, 5), conv7, conv8, _unpadded(conv8, 3, 1)]
