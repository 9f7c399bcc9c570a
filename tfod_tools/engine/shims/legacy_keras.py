"""Keras 2 behind `tf.keras`.

Needed by: every Keras feature extractor and optimizer of the engine in TF2 style, and by `model_lib.model_fn` in TF1
style, which calls `tf.keras.backend.set_learning_phase`. TensorFlow: 2.16 and later, where `tf.keras` is Keras 3 unless
this variable is set before the first import and the package `tf-keras` of the same minor version is installed.
"""

import os


def apply() -> None:
    """Asks TensorFlow for `tf-keras`."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
