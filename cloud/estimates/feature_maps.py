"""How much memory of a GPU the feature maps of a backbone take at least while it is trained.

Training keeps what each convolution puts out until the gradients are known: batch normalisation and the next layer need
it. Activations, the detector's own layers, weights, optimizer and libraries come on top, so that this is a lower bound.
"""

from __future__ import annotations

from collections.abc import Mapping

# Millions of numbers that the convolutions of a backbone put out for one image of 224x224, as
# tests/cloud/test_feature_maps.py counts them in Keras's own models. A feature extractor's name holds its backbone's.
MILLIONS: Mapping[str, float] = {
    "mobilenet_v1": 5.043,
    "mobilenet_v2": 6.678,
    "mobilenet_v3_large": 4.405,
    "mobilenet_v3_small": 1.416,
    "resnet50": 10.587,
    "resnet101": 15.705,
    "resnet152": 22.027,
    "resnet_v1_50": 10.587,
    "resnet_v1_101": 15.705,
    "resnet_v2_50": 9.270,
    "resnet_v2_101": 14.388,
    "inception_resnet_v2": 12.568,
    "inception_v3": 4.648,
    "vgg16": 13.548,
    "efficientnet-b0": 6.747,
    "efficientnet-b1": 9.355,
    "efficientnet-b2": 9.808,
    "efficientnet-b3": 13.006,
    "efficientnet-b4": 17.045,
    "efficientnet-b5": 23.420,
    "efficientnet-b6": 29.965,
    "efficientnet-b7": 40.092,
}
_SIDE = 224
_BYTES = 4  # float32


def gib(extractor: str, width: float, pixels: tuple[int, int], images: float) -> float | None:
    """The lower bound for `images` images, in GiB; None for a backbone that was not counted.

    Args:
      extractor: type of the feature extractor, as the config has it.
      width: its depth_multiplier, by which the channels of every layer are multiplied.
      pixels: height and width of the images.
      images: batch of one GPU.
    """
    name = extractor.removesuffix("_keras")
    millions = next((count for backbone, count in MILLIONS.items() if backbone in name), None)
    if millions is None:
        return None
    height, breadth = pixels
    return millions * 1e6 * width * (height * breadth / _SIDE**2) * images * _BYTES / 2**30
