"""`tf_keras.legacy_tf_layers`, the functional layers behind `tf.compat.v1.layers`.

Needed by: `tf_slim.layers`, which every slim feature extractor of the engine uses. TensorFlow looks for
`tf.compat.v1.layers` in `tf_keras.legacy_tf_layers`. tf-keras: 2.15 and later, which have these modules only in
`tf_keras.src.legacy_tf_layers`.
"""

import importlib
import importlib.util
import sys

NEEDED_ON = "tf-keras >= 2.15"


def needed(style: str) -> str | None:
    """Why it is needed here; None where it is not."""
    found = importlib.util.find_spec("tf_keras.legacy_tf_layers")
    return None if found else "there is no tf_keras.legacy_tf_layers"


def apply() -> None:
    """Makes the package and its modules importable under the name that TensorFlow uses."""
    source = "tf_keras.src.legacy_tf_layers"
    sys.modules["tf_keras.legacy_tf_layers"] = importlib.import_module(source)
    for name in ("base", "convolutional", "core", "normalization", "pooling"):
        sys.modules[f"tf_keras.legacy_tf_layers.{name}"] = importlib.import_module(f"{source}.{name}")
