"""The size that the engine's image resizers give to an image.

Source: builders/image_resizer_builder.py, core/preprocessor.py (resize_to_range, resize_to_min_dimension,
resize_to_max_dimension, resize_pad_to_multiple) of the engine, and `preserve_aspect_ratio` of TensorFlow's
tf.image.resize, all in float32.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tfod_tools.base.errors import ConfigError

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Resized:
    """Sizes in pixels, height first.

    Attributes:
      content: the resized image.
      frame: the network's input. It is larger than `content` if the image is padded at the right and at the bottom.
    """

    content: Size
    frame: Size


def resized(resizer: Any, image: Size) -> Resized:
    """The sizes of an image of height and width `image` after the `ImageResizer` message.

    Raises:
      ConfigError: there is no resizer, the engine would refuse it, or no pixel would be left.
    """
    found = _resized(resizer, image)
    if min(*found.content, *found.frame) < 1:
        shown = " x ".join(map(str, found.content))
        raise ConfigError(f"image_resizer makes an image of {shown} pixels. Each side must have at least one pixel.")
    return found


def _resized(resizer: Any, image: Size) -> Resized:
    kind = resizer.WhichOneof("image_resizer_oneof")
    message: Any = getattr(resizer, kind) if kind else None
    if kind == "fixed_shape_resizer":
        return Resized(*[(message.height, message.width)] * 2)
    if kind == "keep_aspect_ratio_resizer":
        return _kept_aspect_ratio(message, image)
    if kind == "identity_resizer":
        return Resized(image, image)
    if kind == "conditional_shape_resizer":
        return Resized(*[_conditional(message, image)] * 2)
    if kind == "pad_to_multiple_resizer":
        multiple = message.multiple
        if multiple < 1:
            raise ConfigError(f"pad_to_multiple_resizer.multiple is {multiple}. It must be 1 or more.")
        height, width = (math.ceil(side / multiple) * multiple for side in image)
        return Resized(image, (height, width))
    raise ConfigError("the model has no image_resizer. Set one, such as fixed_shape_resizer.")


def frame(resizer: Any) -> Size | None:
    """Height and width of the input if all images get the same; None if they depend on the image."""
    if resizer.HasField("fixed_shape_resizer"):
        return resizer.fixed_shape_resizer.height, resizer.fixed_shape_resizer.width
    ratio = resizer.keep_aspect_ratio_resizer
    square = resizer.HasField("keep_aspect_ratio_resizer") and ratio.pad_to_max_dimension
    return (ratio.max_dimension, ratio.max_dimension) if square else None


def _kept_aspect_ratio(message: Any, image: Size) -> Resized:
    import numpy as np

    low, high = message.min_dimension, message.max_dimension
    if low > high:
        raise ConfigError(
            f"keep_aspect_ratio_resizer has min_dimension {low} above max_dimension {high}. Exchange them."
        )
    wanted = (low, high) if image[0] < image[1] else (high, low)
    factor = min(np.float32(wanted[axis]) / np.float32(image[axis]) for axis in (0, 1))
    content = (int(np.round(factor * np.float32(image[0]))), int(np.round(factor * np.float32(image[1]))))
    return Resized(content, (high, high) if message.pad_to_max_dimension else content)


def _conditional(message: Any, image: Size) -> Size:
    import numpy as np

    greater = (
        message.condition == message.DESCRIPTOR.enum_types_by_name["ResizeCondition"].values_by_name["GREATER"].number
    )
    if greater:
        side, target = max(image), min(max(image), message.size_threshold)
    else:
        side, target = min(image), max(min(image), message.size_threshold)
    ratio = np.float32(target) / np.float32(side)
    return int(np.float32(image[0]) * ratio), int(np.float32(image[1]) * ratio)
