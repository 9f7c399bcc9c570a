"""Keras 2 behind `tf.keras`.

Needed by: every Keras feature extractor and optimizer of the engine in TF2 style, and by `model_lib.model_fn` in TF1
style, which calls `tf.keras.backend.set_learning_phase`. TensorFlow: 2.16 and later, where `tf.keras` is Keras 3 unless
this variable is set before the first import and the package `tf-keras` of the same minor version is installed. Also
2.15 in TF2 style: there tf-models-official already uses `tf_keras`, and its EfficientNet works with no other Keras.
"""

import importlib.metadata
import os

NEEDED_ON = "TensorFlow >= 2.15"


def needed(style: str) -> str | None:
    """Why it is needed here; None where it is not."""
    tensorflow = importlib.metadata.version("tensorflow")
    if tuple(map(int, tensorflow.split(".")[:2])) >= (2, 16):
        return "tf.keras is Keras 3"
    return "tf.keras is not the tf-keras of tf-models-official" if style == "tf2" else None


def apply() -> None:
    """Makes TensorFlow use `tf-keras`."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
