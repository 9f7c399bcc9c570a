"""`tensorflow.contrib.tfprof.model_analyzer` on `tf.compat.v1.profiler`."""

import types
from typing import Any


def model_analyzer() -> Any:
    """A namespace with the two sets of options and the one function that the engine's exporter uses."""
    import tensorflow.compat.v1 as tf

    builder = tf.profiler.ProfileOptionBuilder

    def print_model_analysis(graph: Any, tfprof_options: dict[str, Any]) -> Any:
        return tf.profiler.profile(graph, options=tfprof_options)

    return types.SimpleNamespace(
        TRAINABLE_VARS_PARAMS_STAT_OPTIONS=builder.trainable_variables_parameter(),
        FLOAT_OPS_OPTIONS=builder.float_operation(),
        print_model_analysis=print_model_analysis,
    )
