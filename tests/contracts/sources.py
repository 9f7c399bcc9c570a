"""The project's own source files, as the contracts look at them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("tfod_tools", "record_builders", "pipeline_configs", "cloud")


def files() -> list[str]:
    """Every Python file of the four packages, below the root, sorted."""
    return sorted(path.relative_to(ROOT).as_posix() for name in PACKAGES for path in (ROOT / name).rglob("*.py"))


def tree(file: str) -> ast.Module:
    """The syntax tree of `file`."""
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), file)


def module(file: str) -> str:
    """Dotted name of the module in `file`; a package is called by its own name."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(node: ast.AST) -> Iterator[str]:
    """Every dotted name that an import statement in `node` may load: for `from a import b`, both `a` and `a.b`."""
    for statement in ast.walk(node):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            assert not statement.level, f"line {statement.lineno}: a relative import"
            yield statement.module or ""
            yield from (f"{statement.module}.{alias.name}" for alias in statement.names)


def imported_at_once(node: ast.AST) -> Iterator[str]:
    """As `imported`, without what stands in a function or under `if TYPE_CHECKING:`."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from imported(node)
    elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        only_for_types = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in node.orelse if only_for_types else ast.iter_child_nodes(node):
            yield from imported_at_once(child)
