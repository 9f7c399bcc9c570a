"""COCO detection metrics, of all classes together and of each class, computed by pycocotools."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# The twelve numbers of COCOeval.summarize, in its order, under the names of https://cocodataset.org/#detection-eval
SUMMARY = (
    "AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large",
    "AR_1", "AR_10", "AR_100", "AR_small", "AR_medium", "AR_large",
)  # fmt: skip
_FIRST_THRESHOLD = 0  # of the ten IoU thresholds .50, .55, ..., .95
_ALL_AREAS = 0
_HUNDRED_DETECTIONS = 2

Metrics = dict[str, Any]


def compute(
    categories: Sequence[dict[str, Any]],
    image_ids: Sequence[int],
    groundtruth: Sequence[dict[str, Any]],
    detections: Sequence[dict[str, Any]],
) -> Metrics:
    """COCO's summary, and the average precision of each class.

    Args:
      categories: `{"id": ..., "name": ...}` for each class.
      image_ids: every image that was evaluated.
      groundtruth: COCO annotations: id, image_id, category_id, bbox [x, y, width, height] in pixels, area, iscrowd.
      detections: COCO results: image_id, category_id, bbox, score.

    Returns:
      The names of `SUMMARY` with numbers in 0..1, or None where there is no object to find; `per_class`: for each class
      its name, `groundtruth` (number of its boxes, without crowds), `AP` and `AP50`; the numbers of `images`, `boxes`
      and `detections`.
    """
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = _coco(categories, image_ids, groundtruth)
        evaluation = COCOeval(truth, _results(truth, categories, image_ids, detections), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    metrics: Metrics = {name: _number(value) for name, value in zip(SUMMARY, evaluation.stats, strict=True)}
    precision = evaluation.eval["precision"]  # [thresholds, recalls, classes, areas, detections an image]
    metrics["per_class"] = [
        {
            "name": names["name"],
            "groundtruth": sum(a["category_id"] == names["id"] and not a["iscrowd"] for a in groundtruth),
            "AP": _mean(precision[:, :, index, _ALL_AREAS, _HUNDRED_DETECTIONS]),
            "AP50": _mean(precision[_FIRST_THRESHOLD, :, index, _ALL_AREAS, _HUNDRED_DETECTIONS]),
        }
        for index, names in enumerate(sorted(categories, key=lambda category: category["id"]))
    ]
    metrics.update(images=len(image_ids), boxes=len(groundtruth), detections=len(detections))
    return metrics


def _coco(categories: Sequence[Any], image_ids: Sequence[int], annotations: Sequence[Any]) -> Any:
    from pycocotools.coco import COCO

    coco = COCO()
    coco.dataset = {
        "images": [{"id": image_id} for image_id in image_ids],
        "categories": [dict(category) for category in categories],
        "annotations": [dict(annotation) for annotation in annotations],
    }
    coco.createIndex()
    return coco


def _results(truth: Any, categories: Sequence[Any], image_ids: Sequence[int], detections: Sequence[Any]) -> Any:
    if detections:
        return truth.loadRes([dict(detection) for detection in detections])
    return _coco(categories, image_ids, [])  # loadRes fails on an empty list


def _mean(values: npt.NDArray[np.float64]) -> float | None:
    known = values[values > -1]  # -1 marks classes without groundtruth
    return float(known.mean()) if known.size else None


def _number(value: float) -> float | None:
    return float(value) if value > -1 else None
