"""Plug-ins are the files and packages of a folder. The listing of the folder is the registry."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

from tfod_tools.base.errors import UsageError


def names(folder: Path, suffix: str = ".py") -> tuple[str, ...]:
    """The names of the plug-ins in `folder`, sorted. None is imported."""
    files = [path.stem for path in folder.glob(f"*{suffix}")]
    packages = [path.parent.name for path in folder.glob("*/__init__.py")] if suffix == ".py" else []
    return tuple(sorted(name for name in (*files, *packages) if not name.startswith("_")))


def load(package: str, folder: Path, name: str, kind: str) -> ModuleType:
    """Imports the plug-in `name` of `package`.

    Args:
      package: dotted name of the package, such as `record_builders.formats`.
      folder: the package's folder.
      name: the wanted plug-in.
      kind: what messages call a plug-in of this package, such as "annotation format".

    Raises:
      UsageError: there is no such file or package. Errors inside the plug-in are not changed.
    """
    there = (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()
    if not (name.isidentifier() and name[0] != "_" and there):
        raise UsageError(f"no {kind} is called '{name}'. {suggestion(name, names(folder))}")
    return importlib.import_module(f"{package}.{name}")


def suggestion(wrong: str, known: Iterable[str]) -> str:
    """A sentence that names those of `known` that are close to `wrong`, or all if none is close."""
    import difflib

    choices: Sequence[str] = sorted(known)
    close = difflib.get_close_matches(wrong, choices, n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    return f"Known: {', '.join(choices)}." if choices else "The list of names is empty."
