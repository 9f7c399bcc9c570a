"""Simulates quantisation with ranges that are stored in the checkpoint.

Sections 2.1 and 3 of Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018 (arXiv:1712.05877). Works in graphs of TensorFlow 2.x, with reference and resource variables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# TensorBoard shows the variables of this collection: the engine calls `slim.summarize_collection("quant_vars")`.
COLLECTION = "quant_vars"

# "Close to 1, so that observed ranges are smoothed across thousands of training steps" (section 3.1).
_DECAY = 0.999
# The range before the first step: that of the activation ReLU6, on both sides of 0.
_INITIAL = 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranges:
    """Quantises tensors of the default graph, each with a range of its own.

    Attributes:
      training: whether ranges are learned. If not, they are only read.
      started: a bool tensor: whether quantisation has begun; None if it begins at once. Ranges are learned before too.
      weight_bits: bits of a weight.
      activation_bits: bits of an activation.
      symmetric: whether 0 is the middle of the quantised values.
    """

    training: bool
    started: Any = None
    weight_bits: int = 8
    activation_bits: int = 8
    symmetric: bool = False

    def weights(self, tensor: Any, name: str) -> Any:
        """`tensor`, quantised in its own range at this step (section 3.1).

        The lowest value is not used, so that a product of int8 weights is never (-128) * (-128) (appendix B).

        Args:
          tensor: weights, float32.
          name: the variable scope of the range's `min` and `max`.
        """
        return self._quantise(tensor, name, bits=self.weight_bits, weights=True)

    def activations(self, tensor: Any, name: str) -> Any:
        """`tensor`, quantised in the exponential moving average of its range (section 3.1).

        The average is corrected for its start: after the first step it is the range of that step.

        Args:
          tensor: activations, float32.
          name: the variable scope of the range's `min` and `max`.
        """
        return self._quantise(tensor, name, bits=self.activation_bits, weights=False)

    def _quantise(self, tensor: Any, name: str, *, bits: int, weights: bool) -> Any:
        import tensorflow.compat.v1 as tf

        with tf.variable_scope(name):
            low, high = _variable("min", -_INITIAL), _variable("max", _INITIAL)
            if self.training:
                seen = self._range(tensor, bits=bits, weights=weights)
                low, high = (_follow(*pair, weights=weights) for pair in zip((low, high), seen, strict=True))

            def quantised() -> Any:
                return tf.quantization.fake_quant_with_min_max_vars(tensor, low, high, bits, narrow_range=weights)

            return quantised() if self.started is None else tf.cond(self.started, quantised, lambda: tensor)

    def _range(self, tensor: Any, *, bits: int, weights: bool) -> tuple[Any, Any]:
        """The smallest range that holds the values of `tensor` and 0, which padding needs (section 2.1)."""
        import tensorflow.compat.v1 as tf

        tensor = tf.stop_gradient(tensor)
        low, high = tf.minimum(tf.reduce_min(tensor), 0.0), tf.maximum(tf.reduce_max(tensor), 0.0)
        if self.symmetric:
            high = tf.maximum(-low, high)
            most = 2 ** (bits - 1) - 1
            # Two's complement has one more value below 0 than above; weights do not use it.
            low = -high if weights else -high * (most + 1) / most
        return low, high


def _variable(name: str, value: float) -> Any:
    import tensorflow.compat.v1 as tf

    # Not in MOVING_AVERAGE_VARIABLES: evaluation with use_moving_averages would ask for averages of them too.
    collections = [tf.GraphKeys.GLOBAL_VARIABLES, tf.GraphKeys.MODEL_VARIABLES, COLLECTION]
    return tf.get_variable(
        name, [], tf.float32, tf.constant_initializer(value), trainable=False, collections=collections
    )


def _follow(variable: Any, value: Any, *, weights: bool) -> Any:
    """The value of `variable` after it was set to `value` (weights) or moved towards it (activations)."""
    import tensorflow.compat.v1 as tf
    from tensorflow.python.training import moving_averages

    if weights:
        return tf.identity(variable.assign(value))
    return tf.identity(moving_averages.assign_moving_average(variable, value, _DECAY, zero_debias=True))
