"""How many cells the feature maps have on which a model predicts, by what its network does to a side.

A convolution or pooling of stride 2 that pads ("SAME") leaves half of a side, rounded up; so that a map of stride s has
ceil(side / s) cells. Three networks begin without padding. Source: models/ of the engine and `nets` of slim.
tests/engine/test_anchors.py compares each type with the engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pipeline_configs import style
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError

Size = tuple[int, int]

_FASTER_RCNN_FPN_MULTIPLE = 32  # models/faster_rcnn_resnet_v1_fpn_keras_feature_extractor.py


def sizes(config: Config, frame: Size) -> list[Size]:
    """Height and width of each feature map, in cells, for an input of `frame` pixels.

    Raises:
      ConfigError: the model has no anchors, or nobody knows the feature maps of its extractor.
    """
    kind = config.model.WhichOneof("model")
    if kind not in ("ssd", "faster_rcnn"):
        raise ConfigError(f"model.{kind or 'nothing'} has no anchors, expected ssd or faster_rcnn.")
    extractor = getattr(config.model, kind).feature_extractor
    if extractor.type not in style.extractors()[kind]:
        raise ConfigError(
            f"the feature maps of '{extractor.type}' are not known: only the extractors of the engine and of this"
            " package are. Its anchors cannot be computed."
        )
    along = _ssd(extractor) if kind == "ssd" else _faster_rcnn(extractor)
    heights, widths = (along(side) for side in frame)
    if min([*heights, *widths], default=1) < 1:
        raise ConfigError(f"an input of {frame[0]} x {frame[1]} pixels is too small for {extractor.type}. Enlarge it.")
    return list(zip(heights, widths, strict=True))


Along = Callable[[int], list[int]]


def _ssd(message: Any) -> Along:
    name = message.type
    if name == "ssd_spaghettinet":
        raise ConfigError(
            "the feature maps of ssd_spaghettinet are those of its architecture, which are not known here."
        )
    if name == "ssd_vgg16_keras":
        return lambda side: _vgg16(_padded(side, message.pad_to_multiple))[: message.num_layers]
    levels = _levels(message)
    if levels:
        return lambda side: [_halved(_padded(side, message.pad_to_multiple), level) for level in levels]
    first, count = 4, _layers(message)
    if name == "ssd_inception_v3":
        return lambda side: _inception_v3(_padded(side, message.pad_to_multiple))[:count]
    if name == "ssd_pnasnet":
        return lambda side: [
            _halved(_padded(side, message.pad_to_multiple) - 2, first + layer) for layer in range(count)
        ]
    return lambda side: [_halved(_padded(side, message.pad_to_multiple), first + layer) for layer in range(count)]


def _levels(message: Any) -> range:
    """The levels of a feature pyramid; none where the extractor has no pyramid."""
    if "mnasfpn" in message.type:
        return range(3, 7)
    pyramid = message.bifpn if "bifpn" in message.type else message.fpn if "_fpn" in message.type else None
    if pyramid and pyramid.min_level < 0:
        raise ConfigError(f"min_level of the pyramid is {pyramid.min_level}, expected 2 or more.")
    return range(pyramid.min_level, pyramid.max_level + 1) if pyramid else range(0)


def has_num_layers(name: str) -> bool:
    """Whether an SSD extractor asks the config how many feature maps it is to have."""
    counted = ("ssd_inception", "ssd_mobilenet_v1", "ssd_mobilenet_v2", "ssd_pnasnet", "ssd_resnet", "ssd_vgg16")
    return name.startswith(counted) and name != "ssd_mobilenet_v1_ppn" and "fpn" not in name


def _layers(message: Any) -> int:
    """How many maps an extractor without a pyramid has."""
    if message.type.startswith("embedded_ssd"):
        return 5
    return int(message.num_layers) if has_num_layers(message.type) else 6


def _faster_rcnn(message: Any) -> Along:
    name, stride = message.type, message.first_stage_features_stride
    if stride < 1:
        raise ConfigError(f"first_stage_features_stride is {stride}, expected 8 or 16.")
    if "_fpn_" in name:
        levels = _levels(message)
        return lambda side: [_halved(_padded(side, _FASTER_RCNN_FPN_MULTIPLE), level) for level in levels]
    if name in ("faster_rcnn_nas", "faster_rcnn_pnas"):
        return lambda side: [_halved(side - 2, 4)]
    return lambda side: [math.ceil(side / stride)]


def _padded(side: int, multiple: int) -> int:
    return math.ceil(side / multiple) * multiple if multiple > 1 else side


def _halved(side: int, times: int) -> int:
    return math.ceil(side / (1 << times))


def _unpadded(side: int, kernel: int, stride: int) -> int:
    """What a convolution or pooling without padding ("VALID") leaves of a side."""
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
