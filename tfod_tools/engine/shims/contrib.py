"""`tensorflow.contrib`: the few parts of it that the engine uses.

Needed by (TensorFlow: every 2.x, which has no contrib):

  * `image`: `bipartite_matcher` (imported by `matcher_builder` in TF1 style), and the rotations, shifts and shears of
    `autoaugment_utils`;
  * `opt`: `optimizer_builder`, when `optimizer.use_moving_average` is true, which is the default of every TF1 config;
  * `training`: the hyperparameters of `nets.nasnet`, `model_hparams` and `autoaugment_utils`;
  * `tfprof`: `exporter.profile_inference_graph`, at the end of every TF1 export;
  * `tpu`: `object_detection.utils.test_case`, the base of most of the engine's own tests;
  * `quantize`: `graph_rewriter_builder`, for quantisation-aware training in TF1 style; `exporter.rewrite_nn_resize_op`
    uses its graph matcher, for TF1 models with a feature pyramid.
"""

import importlib.util
import sys
from typing import Any

from tfod_tools.engine.shims import (
    _contrib_graph_matcher,
    _contrib_hparams,
    _contrib_image,
    _contrib_optimizer,
    _contrib_profiler,
    _contrib_quantize,
    _modules,
)

NEEDED_ON = "TensorFlow >= 2.0"


def needed(style: str) -> str | None:
    """Why it is needed here; None where it is not."""
    found = importlib.util.find_spec("tensorflow.contrib")
    return None if found else "there is no tensorflow.contrib"


def apply() -> None:
    """Makes `tensorflow.contrib` and its parts importable."""
    import tensorflow.compat.v1 as tf

    stages = ("training", "eval")
    quantize = {
        name: getattr(_contrib_quantize, name)
        for name in (f"{status}create_{stage}_graph" for status in ("", "experimental_") for stage in stages)
    }
    image = {name: getattr(_contrib_image, name) for name in ("bipartite_match", "rotate", "transform", "translate")}
    _module("", __path__=[])
    _module("image", __path__=[], **image)
    _module("image.python", __path__=[])
    _module("image.python.ops", __path__=[])
    _module("image.python.ops.image_ops", **image)
    _module("opt", MovingAverageOptimizer=_contrib_optimizer.moving_average_optimizer())
    _module("training", HParams=_contrib_hparams.HParams)
    _module("tfprof", model_analyzer=_contrib_profiler.model_analyzer())
    _module("tpu", **{name: getattr(tf.tpu, name) for name in ("initialize_system", "rewrite", "shutdown_system")})
    _module("quantize", __path__=[], **quantize)
    _module("quantize.python", __path__=[], graph_matcher=_contrib_graph_matcher)


def _module(name: str, **members: Any) -> None:
    """Registers `tensorflow.contrib.<name>` and binds it in its parent."""
    parent, _, leaf = f"tensorflow.contrib.{name}".rstrip(".").rpartition(".")
    module = _modules.register(f"{parent}.{leaf}", **members)
    if parent != "tensorflow":
        setattr(sys.modules[parent], leaf, module)
