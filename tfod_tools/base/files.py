"""Files that appear under their final name only when they are complete."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tfod_tools.base.errors import OutputError, RecordError, UsageError


def is_remote(text: str) -> bool:
    """Whether `text` is a URL."""
    return "://" in text


def local_path(text: str) -> Path:
    """The path that `text` names on this machine.

    Raises:
      UsageError: it is a URL, which would otherwise become a folder of that name.
    """
    if is_remote(text):
        raise UsageError(f"{text} is remote, expected a path on this machine. Mount it, or copy it here.")
    return Path(text)


def content(path: Path | str) -> bytes:
    """What the file at `path` holds, in fewer system calls than `Path.read_bytes`: for files by the thousand."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, os.fstat(file).st_size)
    finally:
        os.close(file)


def write_atomically(path: Path, data: bytes) -> None:
    """Writes `data` to `path` so that a reader sees the old content or the new, never a part.

    Missing parent folders are created. The bytes are on the disk before the name is theirs.
    """
    with publishing([path]) as (partial,):
        partial.write_bytes(data)


def save(path: Path, data: bytes, *, flag: str, overwrite: bool, replaces: Path | None = None) -> None:
    """Writes a file that the user named: the one rule of all commands about what is there already.

    A file that is there stays, unless it holds `data` already, is the command's own input, or may be overwritten.

    Args:
      path: the file.
      data: its whole content.
      flag: the flag that named it, such as `--output`, for messages.
      overwrite: whether a file that holds something else may be replaced.
      replaces: the input of the command; where `path` is the same file, it is changed in place.

    Raises:
      OutputError: another file is there, or this one cannot be written.
    """
    check_free(path, data, flag=flag, overwrite=overwrite, replaces=replaces)
    try:
        write_atomically(path, data)
    except OSError as error:
        is_file = isinstance(error, FileExistsError | NotADirectoryError)
        reason = "a part of its path is a file" if is_file else error.strerror
        raise OutputError(f"cannot be written: {reason}. Name another {flag}.", path=path) from error


def check_free(path: Path, data: bytes | None, *, flag: str, overwrite: bool, replaces: Path | None = None) -> None:
    """Makes sure, before any work is done, that `save` may write `path`.

    Args:
      path: the file.
      data: what would be written; None where that is not known yet.
      flag: see `save`.
      overwrite: see `save`.
      replaces: see `save`.

    Raises:
      OutputError: another file, or a folder, is there.
    """
    if not os.path.lexists(path):
        return
    if path.is_dir():
        raise OutputError(f"is a folder, and a file is to be written. Name another {flag}.", path=path)
    try:
        if overwrite or (replaces and path.samefile(replaces)) or (data is not None and path.read_bytes() == data):
            return
    except OSError:
        pass  # It cannot be read, so it is another file.
    raise OutputError(f"is there already and stays as it is. Name another {flag}, or add --overwrite.", path=path)


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


class Folder(Protocol):
    """Where files are published, here or elsewhere. Each method raises RecordError where the system refuses."""

    def __str__(self) -> str:
        """Its path or URL."""

    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is none."""

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""

    def take(self, path: Path) -> None:
        """Moves the file at `path` of this machine there, in place of one that has its name, whole or not at all."""

    def remove(self, name: str) -> None:
        """Removes a file, where there is one."""

    def sync(self) -> None:
        """Waits until all of that is on the disk."""


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder of this machine, which is on one disk with the files that it takes."""

    path: Path

    def __str__(self) -> str:
        """Its path."""
        return str(self.path)

    def read(self, name: str) -> bytes | None:
        """See Folder."""
        path = self.path / name
        with explained("read the file", path):
            return path.read_bytes() if path.exists() else None

    def exists(self, name: str) -> bool:
        """See Folder."""
        return (self.path / name).exists()

    def take(self, path: Path) -> None:
        """See Folder."""
        path.replace(self.path / path.name)

    def remove(self, name: str) -> None:
        """See Folder."""
        (self.path / name).unlink(missing_ok=True)

    def sync(self) -> None:
        """See Folder."""
        sync(self.path)


@contextlib.contextmanager
def explained(what: str, path: Path | str) -> Iterator[None]:
    """Turns whatever the block raises into "cannot `what`", with the reason.

    Raises:
      RecordError: the block raised.
    """
    try:
        yield
    except Exception as exc:  # Every file system has errors of its own.
        absent = "no such bucket, folder or file" if isinstance(exc, FileNotFoundError) else ""
        reason = getattr(exc, "strerror", None) or absent or str(exc) or type(exc).__name__
        raise RecordError(f"cannot {what}: {reason.rstrip('.')}.", path=path) from exc
