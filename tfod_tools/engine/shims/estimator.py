"""`tensorflow.compat.v1.estimator`.

Needed by: `object_detection.model_lib`, which `model_main` and `model_lib_v2` import, so both styles need it.
TensorFlow: 2.16 and later, which removed the Estimator. The package tensorflow-estimator 2.15.0 still has it, but its
`__init__` needs Keras modules that are gone, and its export decorator needs a removed part of TensorFlow. So its
modules are loaded one by one: without that `__init__`, with a decorator that does nothing, and without the distribute
coordinator, which only `RunConfig(experimental_distribute=...)` would use.
"""

import importlib
import importlib.util
from pathlib import Path
from typing import Any

from tfod_tools.base.errors import MissingPackageError
from tfod_tools.engine.shims import _modules

NEEDED_ON = "TensorFlow >= 2.16"

_ROOT = "tensorflow_estimator"


def needed(style: str) -> str | None:
    """Why it is needed here; None where it is not."""
    import tensorflow.compat.v1 as tf

    return None if "estimator" in dir(tf) else "tf.compat.v1.estimator is gone"


def apply() -> None:
    """Makes the Estimator available under the name that it has in TensorFlow 2.15 and earlier."""
    import tensorflow as tf
    import tensorflow.compat.v1 as tf1

    _package_without_init()
    _modules.register(f"{_ROOT}.python.estimator.estimator_export", estimator_export=_export_nothing)
    _coordinator_that_is_never_used()
    namespace = _namespace()
    for api in (tf1, tf.compat.v1):
        api.estimator = namespace


def _package_without_init() -> None:
    spec = importlib.util.find_spec(_ROOT)
    if spec is None or not spec.submodule_search_locations:
        raise MissingPackageError("tensorflow-estimator", "train")
    _modules.register(_ROOT, __path__=[str(Path(location)) for location in spec.submodule_search_locations])


def _export_nothing(*names: str, **versions: Any) -> Any:
    return lambda symbol: symbol


def _coordinator_that_is_never_used() -> None:
    def init_run_config(config: Any, tf_config: Any) -> None:
        if tf_config and config._train_distribute:
            raise ValueError(
                "RunConfig(train_distribute=...) with a TF_CONFIG cluster needs TensorFlow's distribute coordinator, "
                "which TensorFlow 2.16 removed. Use parameter servers, or a Keras model (TF2 style)."
            )
        config._distribute_coordinator_mode = None

    _modules.register(
        "tensorflow.python.distribute.estimator_training",
        init_run_config=init_run_config,
        should_run_distribute_coordinator=lambda config: False,
    )


def _namespace() -> Any:
    """A module with the public names of the Estimator that the engine uses."""

    def part(name: str) -> Any:
        return importlib.import_module(f"{_ROOT}.python.estimator.{name}")

    public: Any = _modules.register("tensorflow.compat.v1.estimator")
    public.Estimator = part("estimator").Estimator
    public.WarmStartSettings = part("estimator").WarmStartSettings
    public.EstimatorSpec = part("model_fn").EstimatorSpec
    public.ModeKeys = part("mode_keys").ModeKeys
    public.RunConfig = part("run_config").RunConfig
    for name in ("TrainSpec", "EvalSpec", "train_and_evaluate"):
        setattr(public, name, getattr(part("training"), name))
    for name in ("Exporter", "FinalExporter", "LatestExporter", "BestExporter"):
        setattr(public, name, getattr(part("exporter"), name))
    public.export = part("export.export_lib")
    return public
