"""How much memory of a GPU the feature maps of a base network need at least during training.

Training keeps the output of each convolution until the gradients are known, because batch normalisation and the next
layer need it. Activations, the detector's own layers, weights, optimizer and libraries need more memory on top. So this
is a lower bound.
"""

from __future__ import annotations

from pipeline_configs import extractors

_SIDE = 224  # of the images that `extractors.Backbone.millions` is for
_BYTES = 4  # float32


def gib(extractor: str, width: float, pixels: tuple[int, int], images: float) -> float | None:
    """The lower bound for `images` images, in GiB; None for a base network that was not counted.

    Args:
      extractor: type of the feature extractor, as the config has it.
      width: its depth_multiplier, which multiplies the channels of every layer.
      pixels: height and width of the images.
      images: batch of one GPU.
    """
    millions = extractors.of(extractor).backbone.millions
    if millions is None:
        return None
    height, breadth = pixels
    return millions * 1e6 * width * (height * breadth / _SIDE**2) * images * _BYTES / 2**30
