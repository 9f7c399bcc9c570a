"""Which activations of a graph are quantised, for `_contrib_quantize`.

"Activations are quantized at points where they would be during inference, e.g. after the activation function is applied
to a convolutional or fully connected layer's output, or after a bypass connection adds or concatenates the outputs of
several layers together" (section 3 of Jacob et al. 2018, arXiv:1712.05877). Beyond the layers themselves, these points
are where values are computed on the way from a layer to the next. What becomes of the predictions (losses, decoding,
non-maximum suppression) is not on such a way and stays as it is.

Works with TensorFlow 2.x in graphs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tfod_tools.engine.shims._contrib_quantize_layers import PRODUCTS, Layer, distinct, replace, scoped
from tfod_tools.engine.shims._contrib_quantize_ranges import Ranges

# Integer kernels apply these within the operation before them (section 2.4), whose result is not rounded in between.
_FUSED = ("Relu", "Relu6")
_COMPUTING = (
    *_FUSED,
    *("Add", "AddN", "AddV2", "Maximum", "Mean", "Minimum", "Mul", "Sub", "Sum"),
    *("ConcatV2", "FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"),
    *("Elu", "LeakyRelu", "Selu", "Sigmoid", "Softplus", "Tanh"),
)
# The values of their result are values of their input, or means of them.
_PASSING = (
    *("AvgPool", "BatchToSpaceND", "CropAndResize", "DepthToSpace", "ExpandDims", "Identity", "Max", "MaxPool"),
    *("MirrorPad", "Pack", "Pad", "PadV2", "Reshape", "ResizeBilinear", "ResizeNearestNeighbor", "Slice"),
    *("SpaceToBatchND", "SpaceToDepth", "Split", "SplitV", "Squeeze", "StridedSlice", "Tile", "Transpose", "Unpack"),
    *("FakeQuantWithMinMaxArgs", "FakeQuantWithMinMaxVars"),
)


def quantise_activations(graph: Any, layers: Sequence[Layer], ranges: Ranges) -> None:
    """Quantises the results of the layers, and what is computed of them for further layers, in the default graph."""
    names = {_activated(layer.output): scoped(layer.name, "act_quant") for layer in layers}
    for tensor, layer in _between(graph, layers):
        kind = tensor.op.type.removesuffix("V2").lower()
        names.setdefault(tensor, scoped(layer.name, f"{kind}_quant"))
    for tensor, name in zip(names, distinct(list(names.values())), strict=True):
        readers = tensor.consumers()
        replace(tensor, ranges.activations(tensor, name), readers)


def _activated(tensor: Any) -> Any:
    """The result of the activation function that is fused with the operation of `tensor`, or `tensor` itself."""
    readers = [op for op in tensor.consumers() if op.type in _COMPUTING + _PASSING + PRODUCTS]
    if len(readers) == 1 and readers[0].type in _FUSED:
        return readers[0].outputs[0]
    if len(readers) == 1 and readers[0].type == "Identity":
        activated = _activated(readers[0].outputs[0])
        return activated if activated.op.type in _FUSED else tensor
    return tensor


def _between(graph: Any, layers: Sequence[Layer]) -> Iterator[tuple[Any, Layer]]:
    """What is computed between layers, and the predictions of several put together.

    Yields:
      each such tensor, and the last layer that it is computed of. Layers give these ranges their names, since the names
      of other operations depend on what else was built before.
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
    """The concatenations of nothing but predictions, of several layers, as those of all feature maps are.

    Args:
      operations: those of the graph that compute and pass values.
      predictions: results of layers that feed no other layer, and the layers' names.
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
    """The inputs that carry values; the boxes of CropAndResize do not."""
    return list(op.inputs[:1] if op.type == "CropAndResize" else op.inputs)
