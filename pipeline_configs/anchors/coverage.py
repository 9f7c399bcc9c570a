"""Which objects a config's anchors cover: what each object would have to learn from, by the engine's own matching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline_configs.anchors import anchor_set, matcher, pairs
from pipeline_configs.anchors.anchor_set import AnchorSet
from pipeline_configs.anchors.matcher import ArgMax
from pipeline_configs.anchors.objects import Objects, framed
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError

Size = tuple[int, int]

# Below an object's best IoU, by as much as the two ways to compute it may differ.
_ROUNDING = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What the anchors are to each object.

    Attributes:
      threshold: the IoU from which an anchor learns an object without being forced to.
      best: highest IoU with an anchor, float32 [objects].
      positives: how many anchors learn the object, int [objects].
      sides: height and width of each object in pixels of the input, float32 [objects, 2].
      anchors: how many anchors an input of a size has, and how many of them are left in training.
      before_pruning: as `best`, if no anchor were left out at the border; None where none is.
    """

    threshold: float
    best: Any
    positives: Any
    sides: Any
    anchors: Mapping[Size, tuple[int, int]]
    before_pruning: Any

    @property
    def covered(self) -> Any:
        """Which objects have an anchor of an IoU of at least `threshold`, bool [objects]."""
        import numpy as np

        return self.best >= np.float32(self.threshold)


def of_config(config: Config, objects: Objects) -> Coverage:
    """How the anchors of the config's model cover `objects`.

    Raises:
      ConfigError: the model has no anchors, nobody knows its feature maps, or the engine would stop at its generator.
    """
    import numpy as np

    how = matcher.of_config(config)
    model = getattr(config.model, config.model.WhichOneof("model"))
    best: Any = np.zeros(len(objects), np.float32)
    positives: Any = np.zeros(len(objects), np.int64)
    sides: Any = np.zeros((len(objects), 2), np.float32)
    before: Any = np.zeros(len(objects), np.float32)
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


def nearest(config: Config, objects: Objects) -> Any:
    """The highest IoU of each object with an anchor, float32 [objects], as `Coverage.best` but for rounding.

    Where anchors are clipped at the border it may be higher. Takes a small part of the time of `of_config`.

    Raises:
      ConfigError: as `of_config`.
    """
    import numpy as np

    model = getattr(config.model, config.model.WhichOneof("model"))
    best: Any = np.zeros(len(objects), np.float32)
    for part in framed(objects, model.image_resizer):
        anchors = anchor_set.of_config(config, part.frame)
        best[part.rows] = pairs.nearest_iou(anchors.located(part.fractions), anchors)
    return best


def threshold(config: Config) -> float:
    """The IoU from which an anchor is an object's, with the matcher of `config`.

    Raises:
      ConfigError: the config has no such matcher.
    """
    return required(matcher.of_config(config))


def required(how: ArgMax) -> float:
    """The IoU from which an anchor is an object's.

    Raises:
      ConfigError: any IoU is enough.
    """
    if how.matched is None:
        raise ConfigError(
            "argmax_matcher.ignore_thresholds is true: every anchor learns an object, so all are covered."
        )
    return how.matched


def _matched(
    boxes: Any, anchors: AnchorSet, coordinates: Any, how: ArgMax, objects: Objects, first: int
) -> tuple[Any, Any]:
    """Highest IoU and number of positive anchors of each box; `first` is the first anchor that exists in training."""
    import numpy as np

    enough_iou = np.float32(required(how))
    reachable = np.minimum(pairs.nearest_iou(boxes, anchors), enough_iou)
    least = np.maximum(reachable * np.float32(1 - _ROUNDING), np.float32(1e-9))
    rows, columns, similarity = pairs.overlapping(boxes, anchors, coordinates, least)
    best: Any = np.zeros(len(boxes), np.float32)
    np.maximum.at(best, rows, similarity)
    # An anchor of an image is told from those of the others.
    keys = objects.image[rows].astype(np.int64) * anchors.count + columns
    enough = similarity >= enough_iou
    owned = _first_of_the_best(keys[enough], similarity[enough], rows[enough])
    if how.forced:
        top = similarity == best[rows]
        chosen = np.full(len(boxes), np.iinfo(np.int64).max)
        np.minimum.at(chosen, rows[top], columns[top])
        # An object that no anchor touches has the first one for its best, as the engine's argmax has it.
        chosen[chosen == np.iinfo(np.int64).max] = first
        valid = np.flatnonzero(objects.weight > 0)
        forced = _first_of_the_best(
            objects.image[valid].astype(np.int64) * anchors.count + chosen[valid], np.ones(len(valid)), valid
        )
        owned = _overridden(owned, forced)
    return best, np.bincount(owned[1], minlength=len(boxes))


def _first_of_the_best(keys: Any, values: Any, rows: Any) -> tuple[Any, Any]:
    """Each key once, with the row of its highest value; the lowest row of several."""
    import numpy as np

    unique, number = np.unique(keys, return_inverse=True)
    highest = np.full(len(unique), -np.inf)
    np.maximum.at(highest, number, values)
    top = values == highest[number]
    lowest = np.full(len(unique), np.iinfo(np.int64).max)
    np.minimum.at(lowest, number[top], rows[top])
    return unique, lowest


def _overridden(owned: tuple[Any, Any], forced: tuple[Any, Any]) -> tuple[Any, Any]:
    """Keys and rows of `owned`, where a key that is in `forced` has that one's row."""
    import numpy as np

    left = ~np.isin(owned[0], forced[0])
    return np.concatenate([owned[0][left], forced[0]]), np.concatenate([owned[1][left], forced[1]])
