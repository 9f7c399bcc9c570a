"""The user's own file or installed module with a feature extractor, which `--extension` names."""

from __future__ import annotations

from tfod_tools.base import files
from tfod_tools.base.errors import UsageError

HELP = "File or module with your own feature extractor; docs/extractors.md explains how to write one."


def located(named: str | None) -> str | None:
    """The extension as the engine's process needs it: the absolute path of a file, or the name of a module.

    Raises:
      UsageError: there is no such file, or the text cannot be the name of a module.
    """
    if not named:
        return None
    if named.endswith(".py"):
        path = files.local_path(named)
        if not path.is_file():
            raise UsageError(f"--extension: there is no file {named}. Check the path.")
        return str(path.resolve())
    if not all(part.isidentifier() for part in named.split(".")):
        raise UsageError(f"--extension is '{named}'. Give a file that ends in .py, or the name of an installed module.")
    return named


def flags(extension: str | None) -> tuple[str, ...]:
    """The flags that pass `extension` on to another command or to the engine; empty if there is no extension."""
    return (f"--extension={extension}",) if extension else ()
