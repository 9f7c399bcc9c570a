"""The package `keras` as Keras 2.

Needed by: `object_detection.models.keras_models.resnet_v1` (`keras.applications.resnet.ResNet`, for CenterNet with a
ResNet-18 or ResNet-34) and `object_detection.models.ssd_efficientnet_bifpn_feature_extractor` (`keras.backend`), which
import `keras` by its own name, not through TensorFlow. TensorFlow: 2.15 and later, where `keras` is not the Keras 2
behind `tf.keras`. Its layers cannot be used in such a model, and it has no public `ResNet`.
"""

import importlib
import sys

NEEDED_ON = "TensorFlow >= 2.15"


def needed(style: str) -> str | None:
    """Why it is needed here. It always is, because tf.keras comes from another package, tf-keras."""
    return "the package keras is not the Keras behind tf.keras"


def apply() -> None:
    """Makes `import keras` load `tf_keras`."""
    for name in ("", ".backend", ".applications", ".applications.resnet"):
        sys.modules[f"keras{name}"] = importlib.import_module(f"tf_keras.src{name}")
