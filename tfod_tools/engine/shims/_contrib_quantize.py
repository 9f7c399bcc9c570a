"""`tensorflow.contrib.quantize`: quantisation-aware training of the graph that the engine has built.

The engine's `graph_rewriter_builder` calls it for a config with `graph_rewriter`, in TF1 style; no TensorFlow 2 has it.
The scheme is that of Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference", CVPR 2018 (arXiv:1712.05877). Works with TensorFlow 2.x in graphs, tried with 2.20.

A graph for training and one for evaluation have the same ranges under the same names, `min` and `max` in
`LAYER/weights_quant`, `LAYER/act_quant` and the like. That does not hold for Mask R-CNN, which runs its second stage
once more in evaluation. The image itself is not quantised: where it comes from 8-bit pixels it is so already.

TensorFlow Lite makes of the graph for evaluation a model of uint8; one of int8 needs `symmetric`, which the engine does
not pass on.
"""

from __future__ import annotations

from typing import Any

from tfod_tools.engine.shims import _contrib_quantize_layers as layers
from tfod_tools.engine.shims import _contrib_quantize_placing as placing
from tfod_tools.engine.shims._contrib_quantize_ranges import Ranges


def experimental_create_training_graph(
    input_graph: Any = None,
    weight_bits: int = 8,
    activation_bits: int = 8,
    symmetric: bool = False,
    quant_delay: int = 0,
) -> None:
    """Makes a graph simulate integer arithmetic while it is trained, before its gradients are built.

    Args:
      input_graph: the graph; the default one if None.
      weight_bits: bits of a weight, 2 to 16.
      activation_bits: bits of an activation, 2 to 16.
      symmetric: whether 0 is the middle of every range.
      quant_delay: the global step at which quantisation begins; ranges are learned from the first step.
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
    """Makes a graph simulate integer arithmetic in the ranges of a checkpoint.

    Args:
      input_graph: the graph; the default one if None.
      weight_bits: bits of a weight, 2 to 16.
      activation_bits: bits of an activation, 2 to 16.
      symmetric: has no effect, since ranges are only read.
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
