"""The memory of feature maps, and the counts that it is computed from."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from support import tiny_run

from cloud.estimates import feature_maps

# Prints, for each backbone, millions of numbers that the convolutions of Keras's model put out for 224x224 pixels.
COUNT = """
import json
import tf_keras
models = tf_keras.applications
BUILDERS = {
    "mobilenet_v1": models.MobileNet, "mobilenet_v2": models.MobileNetV2,
    "mobilenet_v3_large": models.MobileNetV3Large, "mobilenet_v3_small": models.MobileNetV3Small,
    "resnet50": models.ResNet50, "resnet101": models.ResNet101, "resnet152": models.ResNet152,
    "resnet_v1_50": models.ResNet50, "resnet_v1_101": models.ResNet101,
    "resnet_v2_50": models.ResNet50V2, "resnet_v2_101": models.ResNet101V2,
    "inception_resnet_v2": models.InceptionResNetV2, "inception_v3": models.InceptionV3, "vgg16": models.VGG16,
    **{f"efficientnet-b{i}": getattr(models, f"EfficientNetB{i}") for i in range(8)},
}
CONVOLUTIONS = (tf_keras.layers.Conv2D, tf_keras.layers.DepthwiseConv2D)
def count(build):
    model = build(weights=None, include_top=False, input_shape=(224, 224, 3))
    shapes = [layer.output_shape for layer in model.layers if isinstance(layer, CONVOLUTIONS)]
    return sum(height * width * channels for _, height, width, channels in shapes) / 1e6
print(json.dumps({name: count(build) for name, build in BUILDERS.items()}))
"""


@pytest.mark.long
def test_the_counts_are_those_of_keras() -> None:
    done = subprocess.run([sys.executable, "-c", COUNT], env=tiny_run.environment(), capture_output=True, text=True,
                          check=True)  # fmt: skip
    counted = json.loads(done.stdout.splitlines()[-1])
    assert counted == pytest.approx(feature_maps.MILLIONS, abs=0.005)


def test_what_it_is_for_one_image() -> None:
    """ResNet-50: the first convolution, 112 x 112 x 64, and four groups of blocks of three convolutions each."""
    blocks = [(56, 64, 3), (28, 128, 4), (14, 256, 6), (7, 512, 3)]  # side, channels, how many
    counted = 112 * 112 * 64 + sum(
        side * side * (channels * 6 * number + channels * 4) for side, channels, number in blocks
    )
    assert feature_maps.MILLIONS["resnet50"] == pytest.approx(counted / 1e6, abs=0.005)
    one = feature_maps.gib("ssd_resnet50_v1_fpn_keras", 1.0, (224, 224), 1)
    assert one == pytest.approx(counted * 4 / 2**30, rel=1e-3)


def test_it_grows_with_pixels_images_and_width() -> None:
    one = feature_maps.gib("ssd_mobilenet_v2_keras", 1.0, (300, 300), 1)
    assert one
    assert feature_maps.gib("ssd_mobilenet_v2_keras", 1.0, (600, 300), 24) == pytest.approx(48 * one)
    assert feature_maps.gib("ssd_mobilenet_v2_keras", 0.5, (300, 300), 1) == pytest.approx(one / 2)


@pytest.mark.parametrize("extractor", ["hourglass_104", "ssd_mobiledet_cpu", "faster_rcnn_nas", "mine", ""])
def test_backbones_that_nobody_counted(extractor: str) -> None:
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
    millions = feature_maps.MILLIONS[backbone]
    assert feature_maps.gib(extractor, 1.0, (224, 224), 1) == pytest.approx(millions * 4e6 / 2**30)
