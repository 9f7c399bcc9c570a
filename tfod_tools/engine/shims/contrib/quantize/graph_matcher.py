"""`tensorflow.contrib.quantize.python.graph_matcher`: finds operations of a graph by their types and their inputs.

The engine's `exporter.rewrite_nn_resize_op` calls it in every TFLite export of a TF1 model with a feature pyramid. It
looks for nearest-neighbour resizing that was written as several operations for TPUs.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any


class OpTypePattern:
    """A pattern: the types that an operation may have, and the patterns of its inputs."""

    def __init__(
        self,
        op_type: str,
        name: str | None = None,
        inputs: Sequence[OpTypePattern | str] | None = None,
        ordered_inputs: bool = True,
    ) -> None:
        """Keeps the pattern.

        Args:
          op_type: a type of operation; several joined by `|`; or `*` for any.
          name: the name by which `MatchResult` finds the operation.
          inputs: a pattern or a type for each input; None if the inputs do not matter.
          ordered_inputs: whether the inputs must match in this order.
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
    """One place of a graph that matches: the operation and tensor of each pattern."""

    def __init__(self, found: dict[OpTypePattern, tuple[Any, Any]]) -> None:
        """Keeps the operation and tensor of each pattern."""
        self._found = found

    def get_op(self, pattern_or_name: OpTypePattern | str) -> Any:
        """The operation of a pattern; None if there is no such pattern."""
        return self._get(pattern_or_name)[0]

    def get_tensor(self, pattern_or_name: OpTypePattern | str) -> Any:
        """The output of that operation that the next one reads; None if there is no such pattern."""
        return self._get(pattern_or_name)[1]

    def _get(self, wanted: OpTypePattern | str) -> tuple[Any, Any]:
        for pattern, found in self._found.items():
            if wanted in (pattern, pattern.name):
                return found
        return None, None


class GraphMatcher:
    """Looks for the places of a graph that match a pattern."""

    def __init__(self, pattern: OpTypePattern) -> None:
        """Keeps the pattern to look for."""
        self._pattern = pattern

    def match_graph(self, graph: Any) -> Iterator[MatchResult]:
        """All places that match, in the graph as it is now."""
        for op in graph.get_operations():
            match = self.match_op(op)
            if match is not None:
                yield match

    def match_op(self, op: Any) -> MatchResult | None:
        """The place that ends in `op`; None if it does not match."""
        found = _match(self._pattern, op, op.outputs[0] if op.outputs else None, {})
        return None if found is None else MatchResult(found)


_Found = dict[OpTypePattern, tuple[Any, Any]]


def _match(pattern: OpTypePattern, op: Any, tensor: Any, found: _Found) -> _Found | None:
    """`found` with what `pattern` adds to it; None if it does not match.

    A pattern that is used in two places means the same operation in both.
    """
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
