"""What the engine can do wrong without stopping. Each check looks at what the stages of a config left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from campaigns.verdicts.stages import Stages

_DOZENS = 24


def _no_first_batch(stages: Stages) -> bool:
    return stages.waits


def _nothing_loaded(stages: Stages) -> bool:
    return stages.loaded == 0


def _rate_is_no_number(stages: Stages) -> bool:
    return any(rate != rate for rate in stages.rates)


def _classes(stages: Stages) -> Any:
    """The one-hot class of each box of the batch."""
    labels = stages.first[1]
    rows = zip(labels["groundtruth_classes"], labels["num_groundtruth_boxes"], strict=True)
    return np.concatenate([classes[:boxes] for classes, boxes in rows])


def _boxes_of_no_class(stages: Stages) -> bool:
    return bool((_classes(stages).sum(axis=1) == 0).any())


def _classes_without_boxes(stages: Stages) -> bool:
    """Each image of the records has an object of each class."""
    return bool((_classes(stages).sum(axis=0) == 0).any())


def _all_of_the_last_class(stages: Stages) -> bool:
    """In records whose boxes have no name."""
    number_of_each = _classes(stages).sum(axis=0)
    return bool(number_of_each[-1] > 0 and not number_of_each[:-1].any())


def _boxes_beside_the_image(stages: Stages) -> bool:
    return bool(stages.first[1]["groundtruth_boxes"].max() > 1)


def _box_loss_of_dozens(stages: Stages) -> bool:
    """That of ordinary boxes, before training, is about one."""
    return any("localization" in name and loss > _DOZENS for name, loss in stages.losses.items())


def _no_output_for_any_class(stages: Stages) -> bool:
    """The first output is the background's."""
    return bool(stages.predictions["class_predictions_with_background"].shape[-1] <= 1)


def _classes_mixed_up(stages: Stages) -> bool:
    from object_detection.utils import label_map_util

    path = stages.configs["train_input_config"].label_map_path
    items = len(label_map_util.load_labelmap(path).item)
    by_name, by_id = label_map_util.get_label_map_dict(path), label_map_util.create_category_index_from_labelmap(path)
    return len(by_name) < items or len(by_id) < items


def _anchors_beside_their_features(stages: Stages) -> bool:
    """The last anchor of a row lies more than a feature's width beside the last feature."""
    height, width = stages.predictions["rpn_features_to_crop"].shape[1:3]
    anchors = stages.anchors_on(height, width)
    last = anchors[:, 1::2].mean(axis=1).max()
    wide = stages.first[0]["image"].shape[2] / width
    return bool(abs(last - (width - 1) * wide) > wide)


CHECKS: dict[str, Callable[[Stages], bool]] = {
    "no first batch": _no_first_batch,
    "nothing loaded": _nothing_loaded,
    "a learning rate that is no number": _rate_is_no_number,
    "boxes of no class": _boxes_of_no_class,
    "classes without boxes": _classes_without_boxes,
    "boxes of the last class only": _all_of_the_last_class,
    "boxes beside the image": _boxes_beside_the_image,
    "a box loss of dozens": _box_loss_of_dozens,
    "no output for any class": _no_output_for_any_class,
    "classes mixed up": _classes_mixed_up,
    "anchors beside their features": _anchors_beside_their_features,
}
