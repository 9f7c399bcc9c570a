"""Folds batch normalisation into the weights of a convolution.

Section 3.2 of Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018 (arXiv:1712.05877). In training, equation 14 scales the weights by the moving average of the
variance, so that their range does not jump from batch to batch. The result is then scaled to the variance of the batch,
as in section 3.2.2 of Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference", 2018
(arXiv:1806.08342). So a layer with unquantised weights gives the same result as before, in training too.

Works in graphs of TensorFlow 2.x, with the batch normalisation of tf-slim and of tf-keras.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

NORMALISATIONS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")


def fold(product: Sequence[Any], norm: Any, quantise: Callable[[Any], Any]) -> Any:
    """Repeats a convolution with its batch normalisation folded into the weights.

    The original operations stay: they compute the statistics of the batch and update the moving averages.

    Args:
      product: a Conv2D or DepthwiseConv2dNative, then the operations between it and its normalisation.
      norm: the normalisation: a FusedBatchNorm that uses the statistics of the batch or their moving averages.
      quantise: turns folded weights into quantised ones.

    Returns:
      The tensor that replaces the result of the normalisation.
    """
    import tensorflow.compat.v1 as tf

    gamma, beta, mean, variance = norm.inputs[1:5]
    epsilon, data_format = norm.get_attr("epsilon"), norm.get_attr("data_format").decode()
    of_batch = norm.get_attr("is_training")
    scale = tf.rsqrt((_moving_variance(norm) if of_batch else variance) + epsilon)
    convolution, *between = product
    weights = _times(convolution, gamma * scale)
    result = _again(convolution, convolution.inputs[0], quantise(weights))
    for op in between:
        result = _again(op, result, *op.inputs[1:])
    if of_batch:
        channels_last = data_format == "NHWC"
        # FusedBatchNorm returns the statistics too, but no gradient passes through them.
        mean, variance = tf.nn.moments(norm.inputs[0], [0, 1, 2] if channels_last else [0, 2, 3])
        correction = tf.rsqrt(variance + epsilon) / scale
        result *= correction if channels_last else tf.reshape(correction, [-1, 1, 1])
        scale = tf.rsqrt(variance + epsilon)
    return tf.nn.bias_add(result, beta - gamma * mean * scale, data_format)


def _moving_variance(norm: Any) -> Any:
    """The moving average that the variance of the batch updates."""
    updates = [op for op in norm.outputs[2].consumers() if op.type == "Sub"]
    if not updates:
        raise ValueError(f"{norm.name} updates no moving averages, so it cannot be folded for quantisation.")
    return updates[0].inputs[0]


def _times(convolution: Any, scale: Any) -> Any:
    """The convolution's weights, multiplied by `scale` for each output channel."""
    import tensorflow.compat.v1 as tf

    weights = convolution.inputs[1]
    if convolution.type == "DepthwiseConv2dNative":
        # (height, width, channels, multiplier)
        scale = tf.reshape(scale, weights.shape[2:])
    return weights * scale


def _again(op: Any, *inputs: Any) -> Any:
    """The result of a copy of `op` with other inputs."""
    attributes = {name: value for name, value in op.node_def.attr.items() if not name.startswith("_")}
    types = [tensor.dtype for tensor in op.outputs]
    return op.graph.create_op(op.type, list(inputs), types, name=op.name.rpartition("/")[2], attrs=attributes).outputs[
        0
    ]
