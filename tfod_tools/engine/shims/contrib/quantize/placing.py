"""Chooses the activations of a graph that are quantised.

"Activations are quantized at points where they would be during inference, e.g. after the activation function is applied
to a convolutional or fully connected layer's output, or after a bypass connection adds or concatenates the outputs of
several layers together" (section 3 of Jacob et al. 2018, arXiv:1712.05877). So these are the results of layers, and
the values that are computed between one layer and the next. What follows the predictions (losses, decoding,
non-maximum suppression) does not lie between two layers and stays as it is.

Works in graphs of TensorFlow 2.x.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tfod_tools.engine.shims.contrib.quantize.layers import PRODUCTS, Layer, distinct, replace, scoped
from tfod_tools.engine.shims.contrib.quantize.ranges import Ranges

# Integer kernels apply these inside the operation before them (section 2.4), without rounding in between.
_FUSED = ("Relu", "Relu6")
_COMPUTING = (
    *_FUSED,
    *("Add", "AddN", "AddV2", "Maximum", "Mean", "Minimum", "Mul", "Sub", "Sum"),
    *("ConcatV2", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"),
    *("Elu", "LeakyRelu", "Selu", "Sigmoid", "Softplus", "Tanh"),
)
# Their results are values of their input, or means of such values.
_PASSING = (
    *("AvgPool", "BatchToSpaceND", "CropAndResize", "DepthToSpace", "ExpandDims", "Identity", "Max", "MaxPool"),
    *("MirrorPad", "Pack", "Pad", "PadV2", "Reshape", "ResizeBilinear", "ResizeNearestNeighbor", "Slice"),
    *("SpaceToBatchND", "SpaceToDepth", "Split", "SplitV", "Squeeze", "StridedSlice", "Tile", "Transpose", "Unpack"),
    *("FakeQuantWithMinMaxArgs", "FakeQuantWithMinMaxVars"),
)


def quantise_activations(graph: Any, layers: Sequence[Layer], ranges: Ranges) -> None:
    """Quantises the results of the layers and the values between layers, in the default graph."""
    names = {_activated(layer.output): scoped(layer.name, "act_quant") for layer in layers}
    for tensor, layer in _between(graph, layers):
        kind = tensor.op.type.removesuffix("V2").lower()
        names.setdefault(tensor, scoped(layer.name, f"{kind}_quant"))
    for tensor, name in zip(names, distinct(list(names.values())), strict=True):
        readers = tensor.consumers()
        replace(tensor, ranges.activations(tensor, name), readers)


def _activated(tensor: Any) -> Any:
    """The result of the activation function that is fused with the operation of `tensor`; else `tensor` itself."""
    readers = [op for op in tensor.consumers() if op.type in _COMPUTING + _PASSING + PRODUCTS]
    if len(readers) == 1 and readers[0].type in _FUSED:
        return readers[0].outputs[0]
    if len(readers) == 1 and readers[0].type == "Identity":
        activated = _activated(readers[0].outputs[0])
        return activated if activated.op.type in _FUSED else tensor
    return tensor


def _between(graph: Any, layers: Sequence[Layer]) -> Iterator[tuple[Any, Layer]]:
    """The tensors that are computed between layers, and the concatenated predictions of several layers.

    Yields:
      Each such tensor, and the last layer from which it is computed. That layer names its range, because the names of
      other operations depend on what was built before.
    """
    operations = [op for op in graph.get_operations() if op.type in _COMPUTING + _PASSING]
    last = {layer.output: index for index, layer in enumerate(layers)}
    for op in operations:
        before = [last[tensor] for tensor in _values(op) if tensor in last]
        if before:
            for tensor in op.outputs:
                last.setdefault(tensor, max(before))
    needed = {layer.input for layer in layers}
    for op in reversed(operations):
        if needed.intersection(op.outputs):
            needed.update(_values(op))
    ends = {_activated(layer.output): layer.name for layer in layers}
    predictions = {tensor: name for tensor, name in ends.items() if tensor not in needed}
    wanted = needed | _joined(operations, predictions)
    for op in operations:
        result = op.outputs[0]
        if op.type in _COMPUTING and result in last and result in wanted and _activated(result) is result:
            yield result, layers[last[result]]


def _joined(operations: Sequence[Any], predictions: Mapping[Any, str]) -> set[Any]:
    """The concatenations that hold only predictions of several layers, such as those of all feature maps.

    Args:
      operations: operations of the graph that compute or pass values.
      predictions: results of layers that feed no other layer, with the layers' names.
    """
    of: dict[Any, str | None] = dict(predictions)
    joined = set()
    for op in operations:
        layers = {of.get(tensor) for tensor in op.inputs if tensor.dtype.is_floating}
        if op.type in _PASSING and len(layers) == 1:
            of.update(dict.fromkeys(op.outputs, *layers))
        elif op.type == "ConcatV2" and len(layers) > 1 and None not in layers:
            joined.add(op.outputs[0])
    return joined


def _values(op: Any) -> list[Any]:
    """The inputs that carry values. The boxes of CropAndResize do not."""
    return list(op.inputs[:1] if op.type == "CropAndResize" else op.inputs)
