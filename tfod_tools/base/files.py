"""Files that appear under their final name only when they are complete."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tfod_tools.base.errors import UsageError


def local_path(text: str) -> Path:
    """The path that `text` names on this machine.

    Raises:
      UsageError: it is a URL, which would otherwise become a folder of that name.
    """
    if "://" in text:
        raise UsageError(f"{text} is remote, expected a path on this machine. Mount it, or copy it here.")
    return Path(text)


def write_atomically(path: Path, data: bytes) -> None:
    """Writes `data` to `path` so that a reader sees the old content or the new, never a part.

    Missing parent folders are created. The bytes are on the disk before the name is theirs.
    """
    with publishing([path]) as (partial,):
        partial.write_bytes(data)


@contextlib.contextmanager
def publishing(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Lends a temporary path for each of `paths`, and renames them in order when the block ends well.

    Put the file that vouches for the others (a manifest) last. If the block raises, nothing is renamed and the
    temporary files are removed.

    Yields:
      The temporary paths, in the order of `paths`; each lies in its final folder.
    """
    partials = [path.with_name(f".{path.name}.partial") for path in paths]
    for folder in sorted({path.parent for path in paths}):
        folder.mkdir(parents=True, exist_ok=True)
    try:
        yield partials
        for partial in partials:
            sync(partial)
        for partial, path in zip(partials, paths, strict=True):
            partial.replace(path)
        for folder in sorted({path.parent for path in paths}):
            sync(folder)
    finally:
        for partial in partials:
            partial.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Waits until the file or folder at `path` is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
