"""`tensorflow_io.experimental.color.rgb_to_lab`.

Needed by: `object_detection.meta_architectures.deepmac_meta_arch`, which `model_builder` imports for every TF2 model.
It calls only this one function. TensorFlow: every 2.x. The package tensorflow-io has no wheels for Python 3.13, and its
kernels do not load on TensorFlow 2.17 and later, so it is not installed.
"""

import importlib.util
from types import SimpleNamespace
from typing import Any

from tfod_tools.engine.shims import _modules

NEEDED_ON = "TensorFlow >= 2.0"

# From sRGB (IEC 61966-2-1) to CIE XYZ with D65 white and the two-degree observer; then CIE 1976 L*a*b*.
_XYZ_OF_RGB = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
_WHITE = (0.95047, 1.0, 1.08883)


def rgb_to_lab(image: Any) -> Any:
    """Converts sRGB to CIE L*a*b* (D65).

    Args:
      image: float tensor of shape [..., 3] with values in 0..1.

    Returns:
      A tensor of the same shape: L* in 0..100, a* and b* about -128..127.
    """
    import tensorflow as tf

    linear = tf.where(image > 0.04045, tf.pow((image + 0.055) / 1.055, 2.4), image / 12.92)
    xyz = tf.einsum("...c,dc->...d", linear, tf.constant(_XYZ_OF_RGB, image.dtype)) / tf.constant(_WHITE, image.dtype)
    f = tf.where(xyz > 0.008856, tf.pow(tf.maximum(xyz, 1e-12), 1 / 3), 7.787 * xyz + 16 / 116)
    x, y, z = tf.unstack(f, axis=-1)
    return tf.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def needed(style: str) -> str | None:
    """Why it is needed here; None where it is not."""
    if importlib.util.find_spec("tensorflow_io") is None:
        return "tensorflow-io is not installed"
    return "tensorflow-io loads on one version of TensorFlow only"


def apply() -> None:
    """Puts a module of that name in the place of the package."""
    _modules.register("tensorflow_io", experimental=SimpleNamespace(color=SimpleNamespace(rgb_to_lab=rgb_to_lab)))
