"""The engine's matchers, exactly: which anchor is to find which object of an image.

Source: matchers/argmax_matcher.py, matchers/bipartite_matcher.py, core/box_list_ops.py (iou) of the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError

BACKGROUND, IGNORED = -1, -2


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgMax:
    """How anchors are matched: each to the object that it overlaps most, if that is enough.

    Attributes:
      matched: an IoU from which an anchor is the object's; None where any is.
      unmatched: an IoU below which it is background.
      forced: whether each object also gets the anchor that overlaps it most, however little that is.
      background_below: whether background is what lies below `unmatched`, and what lies between is ignored; otherwise
        the other way round.
    """

    matched: float | None
    unmatched: float | None
    forced: bool
    background_below: bool = True


# The first stage of Faster R-CNN (core/target_assigner.py): fixed in the engine's code.
FIRST_STAGE = ArgMax(matched=0.7, unmatched=0.3, forced=True)


def of_config(config: Config) -> ArgMax:
    """The matcher with which the config's model learns from its anchors.

    Raises:
      ConfigError: the model is matched in another way, or without anchors.
    """
    kind = config.model.WhichOneof("model")
    if kind == "faster_rcnn":
        return FIRST_STAGE
    if kind != "ssd" or not config.model.ssd.matcher.HasField("argmax_matcher"):
        raise ConfigError("the model has no argmax_matcher, by whose thresholds anchors are judged.")
    message = config.model.ssd.matcher.argmax_matcher
    return ArgMax(
        matched=None if message.ignore_thresholds else message.matched_threshold,
        unmatched=None if message.ignore_thresholds else message.unmatched_threshold,
        forced=message.force_match_for_each_row,
        background_below=message.negatives_lower_than_unmatched,
    )


def iou(boxes: Any, others: Any) -> Any:
    """Intersection over union of each pair that broadcasting makes of [..., 4] and [..., 4], float32."""
    import numpy as np

    zero = np.float32(0)
    height = np.maximum(zero, np.minimum(boxes[..., 2], others[..., 2]) - np.maximum(boxes[..., 0], others[..., 0]))
    width = np.maximum(zero, np.minimum(boxes[..., 3], others[..., 3]) - np.maximum(boxes[..., 1], others[..., 1]))
    both = height * width
    union = area(boxes) + area(others) - both
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(both == 0, zero, both / union)


def area(boxes: Any) -> Any:
    """Areas of [..., 4]."""
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def argmax(similarity: Any, how: ArgMax, valid: Any = None) -> Any:
    """The number of its object for each anchor, or `BACKGROUND` or `IGNORED`, int64 [anchors].

    Args:
      similarity: float32 [objects, anchors].
      how: the matcher.
      valid: bool [objects], those that are forced to an anchor where `how` says so; all by default. They are the ones
        of a weight above 0.
    """
    import numpy as np

    objects, anchors = similarity.shape
    if not objects:
        return np.full(anchors, BACKGROUND)
    matches, best = similarity.argmax(0), similarity.max(0)
    if how.matched is not None and how.unmatched is not None:
        below, between = (BACKGROUND, IGNORED) if how.background_below else (IGNORED, BACKGROUND)
        matches[best < np.float32(how.matched)] = between
        matches[best < np.float32(how.unmatched)] = below
    if how.forced:
        # Where several objects have the same best anchor, the first one gets it.
        for row in range(objects - 1, -1, -1):
            if valid is None or valid[row]:
                matches[similarity[row].argmax()] = row
    return matches


def bipartite(similarity: Any, valid: Any = None) -> Any:
    """The number of its object for each anchor, or `BACKGROUND`: pairs are formed from the most similar one down.

    Objects are numbered as the engine does: the valid ones first, and only those get an anchor.

    Args:
      similarity: float32 [objects, anchors].
      valid: bool [objects]; all by default.
    """
    import numpy as np

    rows = similarity if valid is None else similarity[valid]
    matches = np.full(similarity.shape[1], BACKGROUND)
    left = rows.astype(np.float32, copy=True)
    for _ in range(min(left.shape)):
        row, column = np.unravel_index(left.argmax(), left.shape)
        matches[column] = row
        left[row, :] = left[:, column] = -np.inf
    return matches
