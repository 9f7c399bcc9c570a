"""Batch normalisation inside the weights of a convolution, for `_contrib_quantize`.

Section 3.2 of Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018 (arXiv:1712.05877). In training, equation 14 scales the weights by the moving average of the
variance, so that their range does not jump from batch to batch; the result is then scaled to the variance of the batch,
as in section 3.2.2 of Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference", 2018
(arXiv:1806.08342). So a layer whose weights are not quantised yields what it did before, in training too.

Works with TensorFlow 2.x in graphs, and with the batch normalisation of tf-slim and of tf-keras.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

NORMALISATIONS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")


def fold(product: Sequence[Any], norm: Any, quantise: Callable[[Any], Any]) -> Any:
    """Repeats a convolution with the batch normalisation of its result inside its weights.

    What was there stays, for the statistics of the batch and the updates of their moving averages.

    Args:
      product: a Conv2D or DepthwiseConv2dNative, and the operations between it and its normalisation.
      norm: the normalisation, a FusedBatchNorm with the statistics of the batch or with their moving averages.
      quantise: makes quantised weights of folded ones.

    Returns:
      the tensor that stands for the result of the normalisation.
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
        # FusedBatchNorm yields the statistics too, but lets no gradient pass through them.
        mean, variance = tf.nn.moments(norm.inputs[0], [0, 1, 2] if channels_last else [0, 2, 3])
        correction = tf.rsqrt(variance + epsilon) / scale
        result *= correction if channels_last else tf.reshape(correction, [-1, 1, 1])
        scale = tf.rsqrt(variance + epsilon)
    return tf.nn.bias_add(result, beta - gamma * mean * scale, data_format)


def _moving_variance(norm: Any) -> Any:
    """The moving average that the variance of the batch is taken from, where it is updated."""
    updates = [op for op in norm.outputs[2].consumers() if op.type == "Sub"]
    if not updates:
        raise ValueError(f"{norm.name} updates no moving averages, so that it cannot be folded for quantisation.")
    return updates[0].inputs[0]


def _times(convolution: Any, scale: Any) -> Any:
    """The convolution's weights, times `scale` for each channel of its result."""
    import tensorflow.compat.v1 as tf

    weights = convolution.inputs[1]
    if convolution.type == "DepthwiseConv2dNative":
        # (height, width, channels, multiplier)
        scale = tf.reshape(scale, weights.shape[2:])
    return weights * scale


def _again(op: Any, *inputs: Any) -> Any:
    """The result of an operation like `op` with other inputs."""
    attributes = {name: value for name, value in op.node_def.attr.items() if not name.startswith("_")}
    types = [tensor.dtype for tensor in op.outputs]
    return op.graph.create_op(op.type, list(inputs), types, name=op.name.rpartition("/")[2], attrs=attributes).outputs[
        0
    ]
