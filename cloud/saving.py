"""Writes the files that `--output` names, but never over the file that the user started from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tfod_tools.base import files
from tfod_tools.base.errors import OutputError

_FLAG = "--output"


def save(contents: Mapping[Path, bytes], *, source: Path, overwrite: bool) -> None:
    """Writes the files in their order, or none of them.

    Args:
      contents: the content of each file.
      source: the job file or document. It is never replaced, also not with `overwrite`.
      overwrite: whether files that hold something else may be replaced.

    Raises:
      OutputError: one of the files exists already, or cannot be written.
    """
    for path, data in contents.items():
        if path.exists() and path.samefile(source):
            message = f"is the file that you started from, and would be overwritten. Name another {_FLAG}."
            raise OutputError(message, path=path)
        files.check_free(path, data, flag=_FLAG, overwrite=overwrite)
    for path, data in contents.items():
        files.save(path, data, flag=_FLAG, overwrite=overwrite)
