"""The file or installed module of a user's own that brings a feature extractor, as `--extension` names it."""

from __future__ import annotations

from tfod_tools.base import files
from tfod_tools.base.errors import UsageError

HELP = "File or module with a feature extractor of your own; docs/extractors.md tells how."


def located(named: str | None) -> str | None:
    """How the engine's process finds it: the absolute path of a file; anything else is the name of a module.

    Raises:
      UsageError: there is no such file, or the text is no name of a module.
    """
    if not named:
        return None
    if named.endswith(".py"):
        path = files.local_path(named)
        if not path.is_file():
            raise UsageError(f"--extension: there is no file {named}. Check the path.")
        return str(path.resolve())
    if not all(part.isidentifier() for part in named.split(".")):
        raise UsageError(f"--extension is '{named}', expected a file that ends in .py, or an installed module.")
    return named


def flags(extension: str | None) -> tuple[str, ...]:
    """The words that hand `extension` on to another command or to the engine; none where there is none."""
    return (f"--extension={extension}",) if extension else ()
