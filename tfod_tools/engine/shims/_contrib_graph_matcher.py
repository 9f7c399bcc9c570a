"""`tensorflow.contrib.quantize.python.graph_matcher`: finds operations of a graph by the shape of what feeds them.

The engine's `exporter.rewrite_nn_resize_op` looks in this way for nearest-neighbour resizing that was spelled out for
TPUs, in every TFLite export of a TF1 model with a feature pyramid.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any


class OpTypePattern:
    """An operation of certain types, fed by operations that match patterns of their own."""

    def __init__(
        self,
        op_type: str,
        name: str | None = None,
        inputs: Sequence[OpTypePattern | str] | None = None,
        ordered_inputs: bool = True,
    ) -> None:
        """States the pattern.

        Args:
          op_type: a type of operation, several joined by `|`, or `*` for any.
          name: a name under which `MatchResult` knows the operation.
          inputs: a pattern, or a type, for each input; None if the inputs do not matter.
          ordered_inputs: whether the inputs must match in their order.
        """
        self.op_types = op_type.split("|")
        self.name = name
        self.ordered_inputs = ordered_inputs
        self.inputs: list[OpTypePattern] | None = None
        if inputs is not None:
            self.inputs = [OpTypePattern(item) if isinstance(item, str) else item for item in inputs]

    def fits(self, op: Any) -> bool:
        """Whether the operation is of one of the types."""
        return "*" in self.op_types or op.type in self.op_types


class MatchResult:
    """Which operation and tensor each pattern stands for, in one place of the graph."""

    def __init__(self, found: dict[OpTypePattern, tuple[Any, Any]]) -> None:
        """Keeps operation and tensor by pattern."""
        self._found = found

    def get_op(self, pattern_or_name: OpTypePattern | str) -> Any:
        """The operation of a pattern, or None."""
        return self._get(pattern_or_name)[0]

    def get_tensor(self, pattern_or_name: OpTypePattern | str) -> Any:
        """The tensor through which that operation feeds the next, or None."""
        return self._get(pattern_or_name)[1]

    def _get(self, wanted: OpTypePattern | str) -> tuple[Any, Any]:
        for pattern, found in self._found.items():
            if wanted in (pattern, pattern.name):
                return found
        return None, None


class GraphMatcher:
    """Looks for the places of a graph where a pattern fits."""

    def __init__(self, pattern: OpTypePattern) -> None:
        """Looks for `pattern`."""
        self._pattern = pattern

    def match_graph(self, graph: Any) -> Iterator[MatchResult]:
        """All places of the graph as it is now."""
        for op in graph.get_operations():
            match = self.match_op(op)
            if match is not None:
                yield match

    def match_op(self, op: Any) -> MatchResult | None:
        """The place that ends in `op`, or None."""
        found = _match(self._pattern, op, op.outputs[0] if op.outputs else None, {})
        return None if found is None else MatchResult(found)


_Found = dict[OpTypePattern, tuple[Any, Any]]


def _match(pattern: OpTypePattern, op: Any, tensor: Any, found: _Found) -> _Found | None:
    """`found` and what `pattern` adds to it, or None; a pattern that stands in two places means the same operation."""
    if pattern in found:
        return found if found[pattern][0] is op else None
    if not pattern.fits(op):
        return None
    found = {**found, pattern: (op, tensor)}
    if pattern.inputs is None:
        return found
    if len(pattern.inputs) != len(op.inputs):
        return None
    orders = [tuple(op.inputs)] if pattern.ordered_inputs else itertools.permutations(op.inputs)
    for tensors in orders:
        matched = _match_inputs(pattern.inputs, tensors, found)
        if matched is not None:
            return matched
    return None


def _match_inputs(patterns: list[OpTypePattern], tensors: Sequence[Any], found: _Found) -> _Found | None:
    matched: _Found | None = found
    for pattern, tensor in zip(patterns, tensors, strict=True):
        if matched is None:
            return None
        matched = _match(pattern, tensor.op, tensor, matched)
    return matched
