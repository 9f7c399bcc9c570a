"""The memory of feature maps."""

from __future__ import annotations

import pytest

from cloud.estimates import feature_maps
from pipeline_configs.extractors import BACKBONES


def test_what_it_is_for_one_image() -> None:
    """ResNet-50: the first convolution, 112 x 112 x 64, and four groups of blocks of three convolutions each."""
    blocks = [(56, 64, 3), (28, 128, 4), (14, 256, 6), (7, 512, 3)]  # side, channels, how many
    counted = 112 * 112 * 64 + sum(
        side * side * (channels * 6 * number + channels * 4) for side, channels, number in blocks
    )
    assert BACKBONES["resnet50"].millions == pytest.approx(counted / 1e6, abs=0.005)
    one = feature_maps.gib("ssd_resnet50_v1_fpn_keras", 1.0, (224, 224), 1)
    assert one == pytest.approx(counted * 4 / 2**30, rel=1e-3)


def test_it_grows_with_pixels_images_and_width() -> None:
    one = feature_maps.gib("ssd_mobilenet_v2_keras", 1.0, (300, 300), 1)
    assert one
    assert feature_maps.gib("ssd_mobilenet_v2_keras", 1.0, (600, 300), 24) == pytest.approx(48 * one)
    assert feature_maps.gib("ssd_mobilenet_v2_keras", 0.5, (300, 300), 1) == pytest.approx(one / 2)


@pytest.mark.parametrize("extractor", ["hourglass_104", "ssd_mobiledet_cpu", "faster_rcnn_nas", "mine", ""])
def test_base_networks_that_were_not_counted(extractor: str) -> None:
    assert feature_maps.gib(extractor, 1.0, (300, 300), 1) is None


@pytest.mark.parametrize(
    ("extractor", "backbone"),
    [
        ("faster_rcnn_inception_resnet_v2_keras", "inception_resnet_v2"),
        ("faster_rcnn_resnet101", "resnet101"),
        ("ssd_efficientnet-b3_bifpn_keras", "efficientnet-b3"),
        ("embedded_ssd_mobilenet_v1", "mobilenet_v1"),
        ("ssd_mobilenet_v3_small", "mobilenet_v3_small"),
        ("resnet_v1_50_fpn", "resnet_v1_50"),
    ],
)
def test_each_extractor_has_its_backbone(extractor: str, backbone: str) -> None:
    millions = BACKBONES[backbone].millions
    assert millions
    assert feature_maps.gib(extractor, 1.0, (224, 224), 1) == pytest.approx(millions * 4e6 / 2**30)
