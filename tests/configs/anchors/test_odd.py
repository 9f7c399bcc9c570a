"""No config is too odd: its anchors are computed, or one line says why they cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from campaigns.models.bases import BASES
from configs import case_records
from configs.anchors.made_objects import made

from pipeline_configs.anchors import coverage, search
from pipeline_configs.checking import check
from pipeline_configs.dataset import Dataset, Split
from pipeline_configs.making import template
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text import schema
from tfod_tools.base.errors import ConfigError

SSD = "model.ssd.anchor_generator.ssd_anchor_generator"
GRID = "model.faster_rcnn.first_stage_anchor_generator.grid_anchor_generator"
PYRAMID = "model.ssd.anchor_generator.multiscale_anchor_generator"
FPN = "model.ssd.feature_extractor.fpn"
FIXED = "{{fixed_shape_resizer {{height: {0} width: {1}}}}}"

STARTS = {
    "ssd": template.read("ssd_mobilenet_v2_300x300"),
    "faster_rcnn": template.read("faster_rcnn_resnet50"),
    "pyramid": BASES["ssd_fpn"].small(),
}
CASES = [
    *(("ssd", f"{SSD}.{field}", value) for field, value in (
        ("aspect_ratios", "0, 1"), ("aspect_ratios", "-1, 1"), ("aspect_ratios", ""), ("num_layers", "0"),
        ("num_layers", "-3"), ("min_scale", "-0.2"), ("scales", "0,0,0,0,0,0"), ("scales", "-1,-1,0.3,0.4,0.5,0.6"),
        ("scales", "nan,1,1,1,1,1"), ("height_stride", "0,0,0,0,0,0"), ("base_anchor_height", "0"),
        ("interpolated_scale_aspect_ratio", "-2"),
    )),
    *(("ssd", f"model.ssd.{field}", value) for field, value in (
        ("image_resizer", FIXED.format(0, 0)), ("image_resizer", FIXED.format(-5, 7)),
        ("image_resizer", FIXED.format(1, 1)),
        ("image_resizer", "{keep_aspect_ratio_resizer {min_dimension: 0 max_dimension: 0}}"),
        ("image_resizer", "{conditional_shape_resizer {size_threshold: 0 condition: GREATER}}"),
        ("feature_extractor.num_layers", "0"), ("feature_extractor.num_layers", "-1"),
        ("feature_extractor.pad_to_multiple", "0"), ("feature_extractor.pad_to_multiple", "-3"),
        ("matcher.argmax_matcher.matched_threshold", "0"), ("matcher.argmax_matcher.matched_threshold", "nan"),
        ("matcher.argmax_matcher.matched_threshold", "2"), ("anchor_generator", "{}"), ("matcher", "{}"),
    )),
    *(("faster_rcnn", f"{GRID}.{field}", value) for field, value in (
        ("scales", ""), ("aspect_ratios", "0"), ("height_stride", "0"), ("height_stride", "-16"), ("height", "0"),
        ("height", "-256"),
    )),
    ("faster_rcnn", "model.faster_rcnn.feature_extractor.first_stage_features_stride", "0"),
    ("faster_rcnn", "model.faster_rcnn.feature_extractor.first_stage_features_stride", "-8"),
    *(("pyramid", f"{PYRAMID}.{field}", value) for field, value in (
        ("min_level", "9"), ("min_level", "-2"), ("max_level", "70"), ("scales_per_octave", "0"), ("anchor_scale", "0"),
        ("aspect_ratios", ""),
    )),
    ("pyramid", f"{FPN}.max_level", "2"), ("pyramid", f"{FPN}.max_level", "2000"),
    ("pyramid", f"{FPN}.min_level", "-2"),
]  # fmt: skip


def changed(start: str, path: str, value: str) -> Any:
    return ConfigPatch(edits=(Edit(path=path, value=value),)).apply(STARTS[start])


@pytest.mark.parametrize(("start", "path", "value"), CASES)
def test_anchors_or_one_line(start: str, path: str, value: str) -> None:
    config, objects = changed(start, path, value), made(20, 4)
    try:
        assert 0 <= coverage.of_config(config, objects).covered.mean() <= 1
        assert search.fit(config, objects).anchors >= 0
    except ConfigError as error:
        assert error.message.endswith((".", "?"))


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    file = tmp_path_factory.mktemp("records") / "train"
    case_records.write(file, [{"boxes": [[0.1, 0.2, 0.5, 0.9], [0, 0, 0.05, 0.03]]}, {"image": {"width": 300}}])
    split = Split(pattern=str(file), images=2, most_boxes=2)
    return Dataset(label_map_path="", num_classes=2, train=split, val=None).with_contents(case_records.read)


@pytest.mark.parametrize(("start", "path", "value"), CASES)
def test_it_can_be_checked(start: str, path: str, value: str, records: Dataset) -> None:
    findings = check.check(schema.dump(changed(start, path, value)), records=records).findings
    assert all(finding.problem for finding in findings)
