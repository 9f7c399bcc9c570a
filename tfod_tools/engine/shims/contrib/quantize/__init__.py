"""`tensorflow.contrib.quantize`: quantisation-aware training of the graph that the engine has built.

The engine's `graph_rewriter_builder` calls it in TF1 style for a config with `graph_rewriter`. TensorFlow: no 2.x has
it. The scheme is that of Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018 (arXiv:1712.05877). It works in graphs of TensorFlow 2.x and was tried
with 2.20.

The training graph and the evaluation graph store the same ranges under the same names: `min` and `max` in
`LAYER/weights_quant`, `LAYER/act_quant` and so on. This is not true for Mask R-CNN, because evaluation runs its second
stage twice. The image itself is not quantised, because its pixels have 8 bits already.

TensorFlow Lite turns the evaluation graph into a uint8 model. An int8 model would need `symmetric`, which the engine
does not pass on.
"""

from __future__ import annotations

from typing import Any

from tfod_tools.engine.shims.contrib.quantize import layers, placing
from tfod_tools.engine.shims.contrib.quantize.ranges import Ranges


def experimental_create_training_graph(
    input_graph: Any = None,
    weight_bits: int = 8,
    activation_bits: int = 8,
    symmetric: bool = False,
    quant_delay: int = 0,
) -> None:
    """Makes a graph simulate integer arithmetic during training. Call it before the gradients are built.

    Args:
      input_graph: the graph; the default one if None.
      weight_bits: bits of a weight, 2 to 16.
      activation_bits: bits of an activation, 2 to 16.
      symmetric: whether 0 is the middle of every range.
      quant_delay: the global step at which quantisation begins. Ranges are learned from the first step on.
    """
    import tensorflow.compat.v1 as tf

    graph = input_graph or tf.get_default_graph()
    with graph.as_default():
        started = tf.train.get_or_create_global_step() >= quant_delay if quant_delay else None
    ranges = Ranges(
        training=True,
        started=started,
        weight_bits=weight_bits,
        activation_bits=activation_bits,
        symmetric=symmetric,
    )
    _quantise(graph, ranges)


def experimental_create_eval_graph(
    input_graph: Any = None,
    weight_bits: int = 8,
    activation_bits: int = 8,
    symmetric: bool = False,
) -> None:
    """Makes a graph simulate integer arithmetic with the ranges that a checkpoint holds.

    Args:
      input_graph: the graph; the default one if None.
      weight_bits: bits of a weight, 2 to 16.
      activation_bits: bits of an activation, 2 to 16.
      symmetric: has no effect, because ranges are only read.
    """
    import tensorflow.compat.v1 as tf

    del symmetric
    ranges = Ranges(training=False, weight_bits=weight_bits, activation_bits=activation_bits)
    _quantise(input_graph or tf.get_default_graph(), ranges)


def create_training_graph(input_graph: Any = None, quant_delay: int = 0) -> None:
    """`experimental_create_training_graph` with 8 bits."""
    experimental_create_training_graph(input_graph, quant_delay=quant_delay)


def create_eval_graph(input_graph: Any = None) -> None:
    """`experimental_create_eval_graph` with 8 bits."""
    experimental_create_eval_graph(input_graph)


def _quantise(graph: Any, ranges: Ranges) -> None:
    with graph.as_default():
        found = layers.quantise_weights(graph, ranges)
        placing.quantise_activations(graph, found, ranges)
