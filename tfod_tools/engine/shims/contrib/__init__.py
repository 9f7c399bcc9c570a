"""`tensorflow.contrib`: the few parts of it that the engine uses.

Needed by (TensorFlow: every 2.x, because 2.x has no contrib):

  * `image`: `bipartite_matcher` (which `matcher_builder` imports in TF1 style), and the rotations, shifts and shears of
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

from tfod_tools.engine.shims import _modules
from tfod_tools.engine.shims.contrib import hparams, image, optimizer, profiler, quantize
from tfod_tools.engine.shims.contrib.quantize import graph_matcher

NEEDED_ON = "TensorFlow >= 2.0"

_IMAGE = ("bipartite_match", "rotate", "transform", "translate")
_QUANTIZE = (
    *("create_training_graph", "create_eval_graph"),
    *("experimental_create_training_graph", "experimental_create_eval_graph"),
)
_TPU = ("initialize_system", "rewrite", "shutdown_system")


def needed(style: str) -> str | None:
    """Why it is needed here; None where it is not."""
    found = importlib.util.find_spec("tensorflow.contrib")
    return None if found else "there is no tensorflow.contrib"


def apply() -> None:
    """Makes `tensorflow.contrib` and its parts importable."""
    import tensorflow.compat.v1 as tf

    _module("", __path__=[])
    _module("image", __path__=[], **_members(image, _IMAGE))
    _module("image.python", __path__=[])
    _module("image.python.ops", __path__=[])
    _module("image.python.ops.image_ops", **_members(image, _IMAGE))
    _module("opt", MovingAverageOptimizer=optimizer.moving_average_optimizer())
    _module("training", HParams=hparams.HParams)
    _module("tfprof", model_analyzer=profiler.model_analyzer())
    _module("tpu", **_members(tf.tpu, _TPU))
    _module("quantize", __path__=[], **_members(quantize, _QUANTIZE))
    _module("quantize.python", __path__=[], graph_matcher=graph_matcher)


def _members(module: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(module, name) for name in names}


def _module(name: str, **members: Any) -> None:
    """Registers `tensorflow.contrib.<name>` and sets it as an attribute of its parent."""
    parent, _, leaf = f"tensorflow.contrib.{name}".rstrip(".").rpartition(".")
    module = _modules.register(f"{parent}.{leaf}", **members)
    if parent != "tensorflow":
        setattr(sys.modules[parent], leaf, module)
