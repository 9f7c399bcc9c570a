"""The rules by which the engine matches anchors with objects, and its IoU.

Source: matchers/argmax_matcher.py and core/box_list_ops.py (iou) of the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy import typing as npt


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgMax:
    """How anchors are matched: each one with the object that it overlaps most, if the IoU is high enough.

    Attributes:
      matched: the lowest IoU at which an anchor learns the object; None where any IoU is enough.
      unmatched: an anchor with a lower IoU is background.
      forced: whether each object also gets the anchor that overlaps it most, even with a low IoU.
      background_below: true if an anchor below `unmatched` is background, and one between `unmatched` and `matched` is
        ignored; false if it is the other way round.
    """

    matched: float | None
    unmatched: float | None
    forced: bool
    background_below: bool = True


# The first stage of Faster R-CNN (core/target_assigner.py): fixed in the engine's code.
FIRST_STAGE = ArgMax(matched=0.7, unmatched=0.3, forced=True)


def of_config(config: Config) -> ArgMax:
    """The matcher of the config's model.

    Raises:
      ConfigError: the model has another kind of matcher, or no anchors.
    """
    kind = config.model.WhichOneof("model")
    if kind == "faster_rcnn":
        return FIRST_STAGE
    if kind != "ssd" or not config.model.ssd.matcher.HasField("argmax_matcher"):
        raise ConfigError("the model has no argmax_matcher, and only this matcher has thresholds to judge anchors by.")
    message = config.model.ssd.matcher.argmax_matcher
    return ArgMax(
        matched=None if message.ignore_thresholds else message.matched_threshold,
        unmatched=None if message.ignore_thresholds else message.unmatched_threshold,
        forced=message.force_match_for_each_row,
        background_below=message.negatives_lower_than_unmatched,
    )


def iou(boxes: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Intersection over union of boxes [..., 4] and others [..., 4], by broadcasting."""
    import numpy as np

    zero = np.float32(0)
    height = np.maximum(zero, np.minimum(boxes[..., 2], others[..., 2]) - np.maximum(boxes[..., 0], others[..., 0]))
    width = np.maximum(zero, np.minimum(boxes[..., 3], others[..., 3]) - np.maximum(boxes[..., 1], others[..., 1]))
    both = height * width
    union = area(boxes) + area(others) - both
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(both == 0, zero, both / union))


def area(boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The areas of boxes [..., 4]."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
