"""Which objects the anchors of a config cover, by the engine's own matching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline_configs.anchors import anchor_set, matcher, pairs
from pipeline_configs.anchors.anchor_set import AnchorSet
from pipeline_configs.anchors.matcher import ArgMax
from pipeline_configs.anchors.objects import Objects, framed
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy import typing as npt

Size = tuple[int, int]

# The two ways to compute an object's best IoU may differ by this share.
_ROUNDING = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How well each object is covered.

    Attributes:
      threshold: the lowest IoU at which an anchor learns an object without being forced to.
      best: the highest IoU with an anchor [objects].
      positives: how many anchors learn the object [objects].
      sides: height and width of each object in pixels of the input [objects, 2].
      anchors: for each size of the input, how many anchors it has, and how many of them take part in training.
      before_pruning: what `best` would be if no anchor were left out at the border; None if none is left out.
    """

    threshold: float
    best: npt.NDArray[np.float32]
    positives: npt.NDArray[np.int64]
    sides: npt.NDArray[np.float32]
    anchors: Mapping[Size, tuple[int, int]]
    before_pruning: npt.NDArray[np.float32] | None

    @property
    def covered(self) -> npt.NDArray[np.bool_]:
        """Which objects have an anchor with an IoU of at least `threshold` [objects]."""
        import numpy as np

        return np.asarray(self.best >= np.float32(self.threshold))


def of_config(config: Config, objects: Objects) -> Coverage:
    """How the anchors of the config's model cover `objects`.

    Raises:
      ConfigError: the model has no anchors, its feature maps are not known, or the engine would refuse its generator.
    """
    import numpy as np

    how = matcher.of_config(config)
    model = getattr(config.model, config.model.WhichOneof("model"))
    best: npt.NDArray[np.float32] = np.zeros(len(objects), np.float32)
    positives: npt.NDArray[np.int64] = np.zeros(len(objects), np.int64)
    sides: npt.NDArray[np.float32] = np.zeros((len(objects), 2), np.float32)
    before: npt.NDArray[np.float32] = np.zeros(len(objects), np.float32)
    counts, pruned = {}, False
    for part in framed(objects, model.image_resizer):
        anchors = anchor_set.of_config(config, part.frame)
        coordinates = anchors.boxes()
        kept = np.flatnonzero(anchors.kept(coordinates))
        counts[part.frame] = (anchors.count, len(kept))
        boxes = anchors.located(part.fractions)
        if len(kept):
            some = objects.chosen(part.rows)
            best[part.rows], positives[part.rows] = _matched(boxes, anchors, coordinates, how, some, int(kept[0]))
        pixels = part.pixels()
        sides[part.rows] = pixels[:, 2:] - pixels[:, :2]
        if anchors.border == "pruned":
            pruned = True
            before[part.rows] = pairs.nearest_iou(boxes, replace(anchors, border="free"))
    return Coverage(
        threshold=required(how),
        best=best,
        positives=positives,
        sides=sides,
        anchors=counts,
        before_pruning=np.maximum(before, best) if pruned else None,
    )


def nearest(config: Config, objects: Objects) -> npt.NDArray[np.float32]:
    """The highest IoU of each object with an anchor [objects]: `Coverage.best` up to rounding, in much less time.

    It may be higher than the exact value where anchors are clipped at the border.

    Raises:
      ConfigError: as `of_config`.
    """
    import numpy as np

    model = getattr(config.model, config.model.WhichOneof("model"))
    best: npt.NDArray[np.float32] = np.zeros(len(objects), np.float32)
    for part in framed(objects, model.image_resizer):
        anchors = anchor_set.of_config(config, part.frame)
        best[part.rows] = pairs.nearest_iou(anchors.located(part.fractions), anchors)
    return best


def threshold(config: Config) -> float:
    """The lowest IoU at which an anchor learns an object, with the matcher of `config`.

    Raises:
      ConfigError: the config has no matcher with a threshold.
    """
    return required(matcher.of_config(config))


def required(how: ArgMax) -> float:
    """The lowest IoU at which an anchor learns an object.

    Raises:
      ConfigError: every IoU is enough.
    """
    if how.matched is None:
        raise ConfigError(
            "argmax_matcher.ignore_thresholds is true. Every anchor learns an object, so all objects are covered."
        )
    return how.matched


def _matched(
    boxes: npt.NDArray[np.float32],
    anchors: AnchorSet,
    coordinates: npt.NDArray[np.float32],
    how: ArgMax,
    objects: Objects,
    first: int,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Highest IoU and number of positive anchors of each box; `first` is the first anchor that exists in training."""
    import numpy as np

    enough_iou = np.float32(required(how))
    reachable = np.minimum(pairs.nearest_iou(boxes, anchors), enough_iou)
    least = np.maximum(reachable * np.float32(1 - _ROUNDING), np.float32(1e-9))
    rows, columns, similarity = pairs.overlapping(boxes, anchors, coordinates, least)
    best: npt.NDArray[np.float32] = np.zeros(len(boxes), np.float32)
    np.maximum.at(best, rows, similarity)
    # Each anchor of each image gets a number of its own.
    keys = objects.image[rows].astype(np.int64) * anchors.count + columns
    enough = similarity >= enough_iou
    owned = _first_of_the_best(keys[enough], similarity[enough], rows[enough])
    if how.forced:
        top = similarity == best[rows]
        chosen = np.full(len(boxes), np.iinfo(np.int64).max)
        np.minimum.at(chosen, rows[top], columns[top])
        # If no anchor touches an object, the engine's argmax returns the first anchor.
        chosen[chosen == np.iinfo(np.int64).max] = first
        valid = np.flatnonzero(objects.weight > 0)
        forced = _first_of_the_best(
            objects.image[valid].astype(np.int64) * anchors.count + chosen[valid], np.ones(len(valid)), valid
        )
        owned = _overridden(owned, forced)
    return best, np.bincount(owned[1], minlength=len(boxes))


def _first_of_the_best(
    keys: npt.NDArray[np.int64], values: npt.NDArray[np.floating], rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Each key once, with the row of its highest value. If several rows have it, the lowest one counts."""
    import numpy as np

    unique, number = np.unique(keys, return_inverse=True)
    highest = np.full(len(unique), -np.inf)
    np.maximum.at(highest, number, values)
    top = values == highest[number]
    lowest = np.full(len(unique), np.iinfo(np.int64).max)
    np.minimum.at(lowest, number[top], rows[top])
    return unique, lowest


def _overridden(
    owned: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    forced: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Keys and rows of both; a key that is in both has the row of `forced`."""
    import numpy as np

    left = ~np.isin(owned[0], forced[0])
    return np.concatenate([owned[0][left], forced[0]]), np.concatenate([owned[1][left], forced[1]])
