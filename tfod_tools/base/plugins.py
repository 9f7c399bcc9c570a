"""Plug-ins are files, or packages, in a folder: the listing of the folder is the registry."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

from tfod_tools.base.errors import UsageError


def names(folder: Path, suffix: str = ".py") -> tuple[str, ...]:
    """The names of the plug-ins in `folder`, sorted, found without importing any."""
    files = [path.stem for path in folder.glob(f"*{suffix}")]
    packages = [path.parent.name for path in folder.glob("*/__init__.py")] if suffix == ".py" else []
    return tuple(sorted(name for name in (*files, *packages) if not name.startswith("_")))


def load(package: str, folder: Path, name: str, kind: str) -> ModuleType:
    """Imports the plug-in `name` of `package`.

    Args:
      package: dotted name of the package, such as `record_builders.formats`.
      folder: the package's folder.
      name: the wanted plug-in.
      kind: what a plug-in of this package is called in messages, such as "annotation format".

    Raises:
      UsageError: there is no such file or package. Errors inside it come through as they are.
    """
    there = (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()
    if not (name.isidentifier() and name[0] != "_" and there):
        raise UsageError(f"no {kind} is called '{name}'. {suggestion(name, names(folder))}")
    return importlib.import_module(f"{package}.{name}")


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """A sentence that names the closest of `known`, or all of them where none is close."""
    import difflib

    choices: Sequence[str] = sorted(known)
    close = difflib.get_close_matches(wrong, choices, n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    return f"Known: {', '.join(choices)}." if choices else "There is none."
