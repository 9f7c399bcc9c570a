"""`tf_keras.legacy_tf_layers`, the functional layers behind `tf.compat.v1.layers`.

Needed by: `tf_slim.layers`, and through it every slim feature extractor of the engine: TensorFlow resolves
`tf.compat.v1.layers` to `tf_keras.legacy_tf_layers`. tf-keras: 2.16 and later keep these modules in
`tf_keras.src.legacy_tf_layers` only.
"""

import importlib
import sys


def apply() -> None:
    """Makes the package and its modules importable under the name that TensorFlow asks for."""
    try:
        importlib.import_module("tf_keras.legacy_tf_layers")
    except ModuleNotFoundError:
        source = "tf_keras.src.legacy_tf_layers"
        sys.modules["tf_keras.legacy_tf_layers"] = importlib.import_module(source)
        for name in ("base", "convolutional", "core", "normalization", "pooling"):
            sys.modules[f"tf_keras.legacy_tf_layers.{name}"] = importlib.import_module(f"{source}.{name}")
