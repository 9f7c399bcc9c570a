"""Finds the layers of a graph and quantises their weights.

Works in graphs of TensorFlow 2.x, for convolutions, depthwise convolutions and fully connected layers whose weights are
a variable (reference or resource), as tf-slim, tf-keras and `tf.layers` make them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tfod_tools.engine.shims.contrib.quantize import folding
from tfod_tools.engine.shims.contrib.quantize.ranges import Ranges

PRODUCTS = ("Conv2D", "DepthwiseConv2dNative", "MatMul")
_VARIABLES = ("VariableV2", "Variable", "VarHandleOp")
# May stand between a variable and the layer whose weights it holds.
_READING = ("Identity", "ReadVariableOp", "Reshape", "Transpose")
# May stand between a product and its bias or batch normalisation. A dilation brings BatchToSpaceND.
_BETWEEN = ("Identity", "BatchToSpaceND")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer, without its activation function.

    Attributes:
      name: its name scope.
      input: the tensor that it multiplies with its weights.
      output: the product plus its bias.
    """

    name: str
    input: Any
    output: Any


def quantise_weights(graph: Any, ranges: Ranges) -> list[Layer]:
    """Folds batch normalisation into the layers of `graph`, the default graph, and quantises their weights.

    Returns:
      The layers, in the order in which the graph was built.
    """
    products = [op for op in graph.get_operations() if op.type in PRODUCTS and _has_weights(op)]
    names = distinct([op.name.rpartition("/")[0] for op in products])
    return [_quantise(product, name, ranges) for product, name in zip(products, names, strict=True)]


def distinct(names: Sequence[str]) -> list[str]:
    """The names. A name that occurs again gets a number at its end."""
    seen: dict[str, int] = {}
    numbered = []
    for name in names:
        seen[name] = seen.get(name, -1) + 1
        numbered.append(f"{name}_{seen[name]}" if seen[name] else name)
    return numbered


def scoped(scope: str, name: str) -> str:
    """`name` inside `scope`, or `name` alone where the scope is empty."""
    return f"{scope}/{name}" if scope else name


def replace(tensor: Any, by: Any, readers: Sequence[Any]) -> None:
    """Makes the operations `readers` read `by` instead of `tensor`."""
    for op in readers:
        for index, read in enumerate(op.inputs):
            if read is tensor:
                op._update_input(index, by)


def _has_weights(product: Any) -> bool:
    op = product.inputs[1].op
    while op.type in _READING:
        op = op.inputs[0].op
    return op.type in _VARIABLES and product.outputs[0].dtype == "float32"


def _quantise(product: Any, name: str, ranges: Ranges) -> Layer:
    import tensorflow.compat.v1 as tf

    def quantised(weights: Any) -> Any:
        return ranges.weights(weights, scoped(name, "weights_quant"))

    between, end = _end(product)
    if end.type not in folding.NORMALISATIONS:
        product._update_input(1, quantised(product.inputs[1]))
        return Layer(name=name, input=product.inputs[0], output=end.outputs[0])
    readers = end.outputs[0].consumers()
    with tf.name_scope(scoped(name, "fold/")):
        output = folding.fold([product, *between], end, quantised)
    replace(end.outputs[0], output, readers)
    return Layer(name=name, input=product.inputs[0], output=output)


def _end(product: Any) -> tuple[list[Any], Any]:
    """The operations between a product and its bias or normalisation, and the latter.

    Without a bias or normalisation: an empty list and the product itself.
    """
    between: list[Any] = []
    while True:
        readers = (between or [product])[-1].outputs[0].consumers()
        for reader in readers:
            if reader.type == "BiasAdd" or reader.type in folding.NORMALISATIONS:
                return between, reader
        if len(readers) != 1 or readers[0].type not in _BETWEEN:
            return [], product
        between += readers
