"""The fast way to match a hundred thousand objects says what the exact one says of each image, and known figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from campaigns.models.bases import BASES
from configs.anchors.made_objects import made, squares
from hypothesis import given
from hypothesis import strategies as st
from support import plain_matcher

from pipeline_configs.anchors import anchor_set, coverage, matcher, report
from pipeline_configs.anchors.objects import Objects, framed
from pipeline_configs.making import template
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text import schema
from tfod_tools.base.errors import ConfigError

SSD = "model.ssd.anchor_generator.ssd_anchor_generator"
PYRAMID = BASES["ssd_fpn"].small()
SSD_300 = template.read("ssd_mobilenet_v2_300x300")


def changed(config: Any, values: dict[str, str]) -> Any:
    return ConfigPatch(edits=tuple(Edit(path=path, value=value) for path, value in values.items())).apply(config)


CONFIGS = {
    "ssd": SSD_300,
    "unforced": changed(SSD_300, {"model.ssd.matcher.argmax_matcher.force_match_for_each_row": "false"}),
    "vgg16": template.read("ssd_vgg16_300x300_keras"),
    "pyramid": PYRAMID,
    "faster_rcnn": template.read("faster_rcnn_resnet50"),
    "clipped": changed(template.read("faster_rcnn_resnet50"), {"model.faster_rcnn.clip_anchors_to_image": "true"}),
    "small": BASES["faster_rcnn"].small(),
}


def by_images(config: Any, objects: Objects) -> tuple[Any, Any]:
    """Highest IoU and number of positives of each object, from every pair of each image."""
    best, positives = np.zeros(len(objects), np.float32), np.zeros(len(objects), np.int64)
    how = matcher.of_config(config)
    for part in framed(objects, getattr(config.model, schema.architecture(config)).image_resizer):
        anchors = anchor_set.of_config(config, part.frame)
        boxes, coordinates = anchors.located(part.fractions), anchors.boxes()
        coordinates = coordinates[anchors.kept(coordinates)]
        for image in np.unique(objects.image[part.rows]):
            here = objects.image[part.rows] == image
            rows, similarity = part.rows[here], matcher.iou(boxes[here][:, None], coordinates[None])
            if similarity.size:
                matches = plain_matcher.argmax(similarity, how, objects.weight[rows] > 0)
                best[rows], positives[rows] = similarity.max(1), np.bincount(matches[matches >= 0], minlength=len(rows))
    return best, positives


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGS)
@given(seed=st.integers(0, 1000))
def test_the_same_as_image_by_image(name: str, seed: int) -> None:
    objects = made(40, 8, seed=seed, sizes=((480, 640), (333, 500), (700, 200)))
    found = coverage.of_config(CONFIGS[name], objects)
    best, positives = by_images(CONFIGS[name], objects)
    assert np.array_equal(found.best, best)
    assert np.array_equal(found.positives, positives)
    near = coverage.nearest(CONFIGS[name], objects)
    assert near == pytest.approx(best, abs=1e-5) if name != "clipped" else (near <= best + 1e-5).all()


@pytest.mark.parametrize(("side_px", "share"), [(20, 0.0), (30, 0.79), (40, 0.82), (50, 0.91), (60, 1.0), (150, 1.0)])
def test_the_default_ssd_and_squares(side_px: int, share: float) -> None:
    """The shares were counted with a dense matrix, on other random places."""
    found = coverage.of_config(SSD_300, squares(side_px, 4000))
    assert found.covered.mean() == pytest.approx(share, abs=0.03)


def test_a_min_scale_that_loses_objects_of_50_pixels() -> None:
    found = coverage.of_config(changed(SSD_300, {f"{SSD}.min_scale": "0.05"}), squares(50, 4000))
    assert found.covered.mean() == pytest.approx(0.54, abs=0.03)


def test_what_is_left_at_the_border() -> None:
    """45.7 % of the anchors lie inside 640 x 640 pixels, as check_config's ANC11 counts them."""
    config = changed(
        CONFIGS["faster_rcnn"], {"model.faster_rcnn.image_resizer": "{fixed_shape_resizer {height: 640 width: 640}}"}
    )
    found = coverage.of_config(config, made(200, 20))
    ((count, left),) = found.anchors.values()
    assert left / count == pytest.approx(0.457, abs=0.0006)
    assert (found.before_pruning >= found.best).all()
    assert (found.before_pruning > found.best).any()
    assert coverage.of_config(SSD_300, made(20, 2)).before_pruning is None


def test_an_image_without_room_for_any_anchor() -> None:
    config = changed(
        CONFIGS["faster_rcnn"], {"model.faster_rcnn.image_resizer": "{fixed_shape_resizer {height: 40 width: 40}}"}
    )
    found = coverage.of_config(config, made(20, 2))
    assert found.anchors == {(40, 40): (108, 0)}
    assert not found.best.any()
    assert not found.positives.any()


def test_thresholds_that_are_ignored_cover_everything() -> None:
    config = changed(SSD_300, {"model.ssd.matcher.argmax_matcher.ignore_thresholds": "true"})
    with pytest.raises(ConfigError, match="ignore_thresholds"):
        coverage.of_config(config, made(20, 2))


def test_rows_of_the_report() -> None:
    objects = made(500, 50)
    found = coverage.of_config(SSD_300, objects)
    learnt = int((objects.weight > 0).sum())
    whole = report.all_of(found, objects)
    assert (whole.name, whole.objects) == ("all", learnt)
    assert whole.covered == pytest.approx(found.covered[objects.weight > 0].mean())
    coco, finer = report.by_coco_size(found, objects), report.by_side(found, objects)
    assert [row.name for row in coco] == ["small", "medium", "large"]
    for rows in (coco, finer, report.by_aspect_ratio(found, objects), report.by_class(found, objects)):
        assert sum(row.objects for row in rows) == learnt
        assert sum(row.without for row in rows) == whole.without
    assert [row.name for row in report.by_class(found, objects)] == ["cat", "dog"]
    missed = report.without_anchor(coverage.of_config(CONFIGS["unforced"], objects), objects)
    assert len(missed) > 0
    areas = found.sides[missed].prod(axis=1)
    assert (np.diff(areas) >= 0).all()
