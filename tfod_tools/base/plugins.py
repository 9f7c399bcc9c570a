"""Plug-ins are files in a folder: the listing of the folder is the registry."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

from tfod_tools.base.errors import UsageError


def names(folder: Path, suffix: str = ".py") -> tuple[str, ...]:
    """The names of the plug-ins in `folder`, sorted, found without importing any."""
    return tuple(sorted(path.stem for path in folder.glob(f"*{suffix}") if not path.stem.startswith("_")))


def load(package: str, folder: Path, name: str, kind: str) -> ModuleType:
    """Imports the plug-in `name` of `package`.

    Args:
      package: dotted name of the package, such as `record_builders.formats`.
      folder: the package's folder.
      name: the wanted plug-in.
      kind: what a plug-in of this package is called in messages, such as "annotation format".

    Raises:
      UsageError: there is no such file. Errors inside the file come through as they are.
    """
    if not (name.isidentifier() and name[0] != "_" and (folder / f"{name}.py").is_file()):
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
