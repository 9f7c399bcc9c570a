"""TensorFlow 1 behaviour: graphs, sessions and reference variables.

Needed by: `object_detection.utils.tf_version.is_tf1`, which calls `tensorflow.python.tf2.enabled()` when the engine's
modules are imported. The answer chooses between slim extractors and Keras extractors. TensorFlow: every 2.x.
"""

NEEDED_ON = "TensorFlow >= 2.0"


def needed(style: str) -> str | None:
    """Why it is needed here; None where it is not."""
    from tensorflow.python import tf2

    return "TensorFlow 2 behaviour is on" if tf2.enabled() else None


def apply() -> None:
    """Turns TensorFlow 2 behaviour off for this process."""
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
