"""`tensorflow.contrib`: the few parts of it that the engine uses.

Needed by (TensorFlow: every 2.x, which has no contrib):

  * `image`: `bipartite_matcher` (imported by `matcher_builder` in TF1 style), and the rotations, shifts and shears of
    `autoaugment_utils`;
  * `opt`: `optimizer_builder`, when `optimizer.use_moving_average` is true, which is the default of every TF1 config;
  * `training`: the hyperparameters of `nets.nasnet`, `model_hparams` and `autoaugment_utils`;
  * `tfprof`: `exporter.profile_inference_graph`, at the end of every TF1 export;
  * `quantize`: `graph_rewriter_builder`. Quantisation-aware rewriting is not available; it says so.
"""

import sys
import types
from typing import Any

from tfod_tools.engine.shims import _contrib_hparams, _contrib_image, _contrib_optimizer, _contrib_profiler


def _quantization_is_gone(*args: Any, **kwargs: Any) -> None:
    raise ValueError(
        "graph_rewriter needs tf.contrib.quantize, which no TensorFlow 2 has. Remove graph_rewriter from the config "
        "and quantise after training."
    )


def apply() -> None:
    """Makes `tensorflow.contrib` and its parts importable."""
    quantize: dict[str, Any] = {
        "experimental_create_training_graph": _quantization_is_gone,
        "experimental_create_eval_graph": _quantization_is_gone,
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
    _module("quantize", **quantize)


def _module(name: str, **members: Any) -> None:
    """Registers `tensorflow.contrib.<name>` and binds it in its parent."""
    parent, _, leaf = f"tensorflow.contrib.{name}".rstrip(".").rpartition(".")
    module = types.ModuleType(f"{parent}.{leaf}")
    vars(module).update(members)
    sys.modules[module.__name__] = module
    if parent != "tensorflow":
        setattr(sys.modules[parent], leaf, module)
