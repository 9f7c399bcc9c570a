"""COCO metrics against cases worked out by hand, and against published results."""

import json
from pathlib import Path
from typing import Any

import pytest

from tfod_tools.engine import coco_metrics

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "zoo_globox_voc100" / "data" / "test_coco_eval"

CATEGORIES = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
BOX = [10.0, 10.0, 40.0, 40.0]


def truth(number: int, category_id: int = 1, image_id: int = 7, iscrowd: int = 0) -> dict[str, Any]:
    box = [BOX[0] + 60 * number, *BOX[1:]]
    return {"id": number + 1, "image_id": image_id, "category_id": category_id, "bbox": box, "area": 1600.0} | {
        "iscrowd": iscrowd
    }


def detection(number: int, score: float, category_id: int = 1, shift: float = 0.0) -> dict[str, Any]:
    box = [BOX[0] + 60 * number + shift, *BOX[1:]]
    return {"image_id": 7, "category_id": category_id, "bbox": box, "score": score}


def test_everything_found_scores_one() -> None:
    metrics = coco_metrics.compute(CATEGORIES, [7], [truth(0), truth(1, 2)], [detection(0, 0.9), detection(1, 0.8, 2)])
    assert [metrics[name] for name in ("AP", "AP50", "AR_100")] == pytest.approx([1.0, 1.0, 1.0])
    assert [(c["name"], c["groundtruth"], c["AP"]) for c in metrics["per_class"]] == [
        ("cat", 1, pytest.approx(1)),
        ("dog", 1, pytest.approx(1)),
    ]


def test_a_class_without_objects_has_no_score_and_does_not_count() -> None:
    metrics = coco_metrics.compute(CATEGORIES, [7], [truth(0)], [detection(0, 0.9), detection(3, 0.9, 2)])
    assert metrics["AP"] == pytest.approx(1.0)
    assert metrics["per_class"][1] == {"name": "dog", "groundtruth": 0, "AP": None, "AP50": None}
    assert metrics["AP_large"] is None


def test_no_detection_at_all_scores_zero() -> None:
    metrics = coco_metrics.compute(CATEGORIES, [7, 8], [truth(0), truth(1, 2)], [])
    assert metrics["AP"] == metrics["AR_100"] == 0.0
    assert (metrics["images"], metrics["boxes"], metrics["detections"]) == (2, 2, 0)


def test_a_better_scored_false_positive_halves_the_precision() -> None:
    # Precision is 1/2 at every recall, whatever the IoU threshold.
    metrics = coco_metrics.compute(CATEGORIES[:1], [7], [truth(0)], [detection(4, 0.9), detection(0, 0.5)])
    assert metrics["AP"] == pytest.approx(0.5)


def test_iou_decides_at_which_thresholds_a_box_counts() -> None:
    # Shifted by 8 of 40 pixels: IoU = 32 / 48 = 0.667, so it counts at .50, .55, .60 and .65 of the ten thresholds.
    metrics = coco_metrics.compute(CATEGORIES[:1], [7], [truth(0)], [detection(0, 0.9, shift=8.0)])
    assert metrics["AP50"] == pytest.approx(1.0)
    assert metrics["AP75"] == 0.0
    assert metrics["AP"] == pytest.approx(0.4)
    assert metrics["per_class"][0]["AP"] == pytest.approx(0.4)


def test_crowds_are_neither_missed_nor_counted() -> None:
    metrics = coco_metrics.compute(CATEGORIES[:1], [7], [truth(0), truth(1, iscrowd=1)], [detection(0, 0.9)])
    assert metrics["AP"] == pytest.approx(1.0)
    assert metrics["per_class"][0]["groundtruth"] == 1


@pytest.mark.skipif(not SHARED.is_dir(), reason="the COCO sample of globox is not beside this checkout")
def test_published_results_of_a_coco_sample() -> None:
    # The figures of pycocotools for this sample, as the tests of globox, where it comes from, state them.
    groundtruth = json.loads((SHARED / "gts" / "sampled_gts_bbox_area.json").read_text())
    detections = json.loads((SHARED / "cocoapi_results.json").read_text())
    image_ids = [image["id"] for image in groundtruth["images"]]
    metrics = coco_metrics.compute(groundtruth["categories"], image_ids, groundtruth["annotations"], detections)
    published = [0.503647, 0.696973, 0.571667, 0.593252, 0.557991, 0.489363]
    published += [0.386813, 0.593680, 0.595353, 0.654764, 0.603130, 0.553744]
    assert [metrics[name] for name in coco_metrics.SUMMARY] == pytest.approx(published, abs=1e-6)
