"""Sizes of feature maps that were measured on built models; tests/engine/test_anchors.py compares all types."""

from __future__ import annotations

from typing import Any

import pytest
from campaigns.models import catalogue

from pipeline_configs import extractors
from pipeline_configs.anchors import feature_maps
from pipeline_configs.text import schema
from tfod_tools.base.errors import ConfigError


def config(kind: str, extractor: str) -> Any:
    return schema.parse(f"model {{ {kind} {{ feature_extractor {{ {extractor} }} }} }}")


@pytest.mark.parametrize(
    ("kind", "extractor", "side", "expected"),
    [
        ("ssd", "type: 'ssd_mobilenet_v2'", 300, [19, 10, 5, 3, 2, 1]),
        ("ssd", "type: 'ssd_mobilenet_v2' num_layers: 4", 300, [19, 10, 5, 3]),
        ("ssd", "type: 'ssd_mobilenet_v3_large'", 320, [20, 10, 5, 3, 2, 1]),
        ("ssd", "type: 'embedded_ssd_mobilenet_v1'", 256, [16, 8, 4, 2, 1]),
        ("ssd", "type: 'ssd_inception_v3'", 300, [35, 17, 8, 4, 2, 1]),
        ("ssd", "type: 'ssd_vgg16_keras'", 300, [38, 19, 10, 5, 3, 1]),
        ("ssd", "type: 'ssd_mobilenet_v2_fpn_keras' fpn { min_level: 3 max_level: 7 }", 320, [40, 20, 10, 5, 3]),
        ("ssd", "type: 'ssd_mobilenet_v2_mnasfpn'", 320, [40, 20, 10, 5]),
        ("ssd", "type: 'ssd_efficientnet-b0_bifpn_keras' bifpn { min_level: 3 max_level: 7 }", 512, [64, 32, 16, 8, 4]),
        ("ssd", "type: 'ssd_mobilenet_v1' pad_to_multiple: 32", 300, [20, 10, 5, 3, 2, 1]),
        ("faster_rcnn", "type: 'faster_rcnn_resnet50' first_stage_features_stride: 16", 600, [38]),
        ("faster_rcnn", "type: 'faster_rcnn_resnet50' first_stage_features_stride: 8", 600, [75]),
        (
            "faster_rcnn", "type: 'faster_rcnn_resnet50_fpn_keras' fpn { min_level: 2 max_level: 6 }", 640,
            [160, 80, 40, 20, 10],
        ),
    ],
)  # fmt: skip
def test_sizes(kind: str, extractor: str, side: int, expected: list[int]) -> None:
    assert feature_maps.sizes(config(kind, extractor), (side, side)) == [(cells, cells) for cells in expected]


@pytest.mark.parametrize(
    ("kind", "extractor", "expected"),
    [
        ("ssd", "type: 'ssd_mine_keras'", "'ssd_mine_keras' are not known"),
        ("ssd", "type: 'ssd_spaghettinet'", "ssd_spaghettinet"),
        ("center_net", "type: 'hourglass_104'", "no anchors"),
    ],
)
def test_what_is_not_known(kind: str, extractor: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        feature_maps.sizes(config(kind, extractor), (512, 512))


@pytest.mark.parametrize("kind", ["ssd", "faster_rcnn"])
def test_every_other_extractor_is_known(kind: str) -> None:
    configs = {model.type: model.config for model in catalogue.models()}
    for name in extractors.known()[kind].keys() - {"ssd_spaghettinet"}:
        read = schema.read(configs[name])
        getattr(read.model, kind).feature_extractor.type = name
        assert feature_maps.sizes(read, (384, 512))
