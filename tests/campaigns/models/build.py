"""Builds models and the graphs that run them with the engine, several in one process, and prints the results.

    python -m campaigns.models.build STYLE CONFIG ...

As soon as a config is built, prints a line of JSON: its name, the seconds, and `detections` (the shapes of the model's
outputs for one image), or `why` it was not built.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfod_tools.engine import extractors, shims

_LONGEST_REASON = 300


def main(style: str, *configs: str) -> None:
    """Builds the model of each of the files `configs`, for training and with its graph for running."""
    shims.apply(style)  # type: ignore[arg-type]
    for config in configs:
        started = time.monotonic()
        try:
            found = {"detections": _built(style, config)}
        except Exception as error:  # noqa: BLE001  # the other configs are still built
            found = {"why": f"{type(error).__name__}: {' '.join(str(error).split())[:_LONGEST_REASON]}"}
        gc.collect()
        line = {"name": Path(config).stem, "seconds": round(time.monotonic() - started, 1), **found}
        print(json.dumps(line), flush=True)


def _built(style: str, config: str) -> dict[str, list[int | None]]:
    import tensorflow as tf
    from object_detection.builders import model_builder
    from object_detection.utils import config_util

    extractors.provide(config, None)
    model_config = config_util.get_configs_from_pipeline_file(config)["model"]
    if style == "tf1":
        with tf.Graph().as_default():
            model_builder.build(model_config, is_training=True)
        with tf.Graph().as_default():
            detect = _detect(model_builder.build(model_config, is_training=False), model_config)
            return _shapes(detect(tf.compat.v1.placeholder(tf.float32, [1, None, None, 3])))
    tf.compat.v1.keras.backend.clear_session()
    model_builder.build(model_config, is_training=True)
    detect = _detect(model_builder.build(model_config, is_training=False), model_config)
    image = tf.TensorSpec([1, None, None, 3], tf.float32)
    return _shapes(tf.function(detect).get_concrete_function(image).structured_outputs)


def _detect(model: Any, model_config: Any) -> Callable[[Any], dict[str, Any]]:
    """The path of an image through the model, as the engine's exporters build it."""

    def detect(images: Any) -> dict[str, Any]:
        inputs, true_shapes = model.preprocess(images)
        return dict(model.postprocess(model.predict(inputs, true_shapes, **_context(model_config)), true_shapes))

    return detect


def _context(model_config: Any) -> dict[str, Any]:
    """The other inputs of a Context R-CNN: features of one other image."""
    import tensorflow as tf

    if not model_config.faster_rcnn.HasField("context_config"):
        return {}
    length = model_config.faster_rcnn.context_config.context_feature_length
    return {"context_features": tf.zeros([1, 1, length]), "valid_context_size": tf.ones([1], tf.int32)}


def _shapes(outputs: dict[str, Any]) -> dict[str, list[int | None]]:
    return {
        name: list(tensor.shape.as_list() if tensor.shape.rank is not None else [])
        for name, tensor in outputs.items()
        if hasattr(tensor, "shape")
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
