"""Functions that are read in one go, and modules that are named after what they hold."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from contracts import sources

MAX_FUNCTION_LINES = 50
SAYS_NOTHING = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "core", "lib", "stuff"}


@pytest.mark.parametrize("file", sources.files())
def test_sizes(file: str) -> None:
    functions = [
        node for node in ast.walk(sources.tree(file)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lines = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert not {name: count for name, count in lines.items() if count > MAX_FUNCTION_LINES}


@pytest.mark.parametrize("file", sources.files())
def test_names_say_what_is_inside(file: str) -> None:
    words = {word for part in Path(file).with_suffix("").parts for word in part.split("_")}
    assert not words & SAYS_NOTHING
