"""Files that appear under their final names only when they are complete."""

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
      UsageError: it is a URL. Without this check, a folder of that name would be made.
    """
    if is_remote(text):
        raise UsageError(
            f"{text} is remote, but this must be a path on this machine. Copy the files here, or mount them."
        )
    return Path(text)


def content(path: Path | str) -> bytes:
    """The bytes of the file at `path`, with fewer system calls than `Path.read_bytes`. For thousands of files."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, os.fstat(file).st_size)
    finally:
        os.close(file)


def write_atomically(path: Path, data: bytes) -> None:
    """Writes `data` to `path` so that a reader sees the old content or the new one, never a part.

    Missing parent folders are created. The bytes are on the disk before the file gets its name.
    """
    with publishing([path]) as (partial,):
        partial.write_bytes(data)


def save(path: Path, data: bytes, *, flag: str, overwrite: bool, replaces: Path | None = None) -> None:
    """Writes a file that the user named. This is the one rule of all commands about files that exist already.

    An existing file is not changed, unless it is the command's own input or `overwrite` is set. A file that already
    holds `data` is no problem.

    Args:
      path: the file.
      data: its whole content.
      flag: the flag that named it, such as `--output`, for messages.
      overwrite: whether a file with other content may be replaced.
      replaces: the input of the command. If `path` is the same file, it is changed in place.

    Raises:
      OutputError: another file is there, or the file cannot be written.
    """
    check_free(path, data, flag=flag, overwrite=overwrite, replaces=replaces)
    try:
        write_atomically(path, data)
    except OSError as error:
        is_file = isinstance(error, FileExistsError | NotADirectoryError)
        reason = "a part of its path is a file" if is_file else error.strerror
        raise OutputError(f"cannot be written: {reason}. Name another {flag}.", path=path) from error


def check_free(path: Path, data: bytes | None, *, flag: str, overwrite: bool, replaces: Path | None = None) -> None:
    """Checks, before any work is done, that `save` may write `path`.

    Args:
      path: the file.
      data: what would be written; None if it is not known yet.
      flag: see `save`.
      overwrite: see `save`.
      replaces: see `save`.

    Raises:
      OutputError: another file, or a folder, is there.
    """
    if not os.path.lexists(path):
        return
    if path.is_dir():
        raise OutputError(f"is a folder, but {flag} must name a file. Name another {flag}.", path=path)
    try:
        if overwrite or (replaces and path.samefile(replaces)) or (data is not None and path.read_bytes() == data):
            return
    except OSError:
        pass  # A file that cannot be read counts as another file.
    raise OutputError(f"is there already. Name another {flag}, or add --overwrite to replace it.", path=path)


@contextlib.contextmanager
def publishing(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Gives a temporary path for each of `paths`, and renames the files in order when the block ends without an error.

    Put the file that lists the others (a manifest) last. If the block raises, no file is renamed and the temporary
    files are removed.

    Yields:
      The temporary paths, in the order of `paths`. Each is in its final folder.
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
    """A folder, here or elsewhere, into which files are published. Methods raise RecordError if the system refuses."""

    def __str__(self) -> str:
        """Its path or URL."""

    def read(self, name: str) -> bytes | None:
        """The content of a file; None if there is no such file."""

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""

    def take(self, path: Path) -> None:
        """Moves the local file at `path` into this folder, whole or not at all. Replaces a file of that name."""

    def remove(self, name: str) -> None:
        """Removes a file, if there is one."""

    def sync(self) -> None:
        """Waits until all of that is on the disk."""


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """A folder of this machine, on the same disk as the files that it takes."""

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
    """Turns any error of the block into "cannot `what`", with the reason.

    Raises:
      RecordError: the block raised.
    """
    try:
        yield
    except Exception as exc:  # Each file system has its own errors.
        absent = "no such bucket, folder or file" if isinstance(exc, FileNotFoundError) else ""
        reason = getattr(exc, "strerror", None) or absent or str(exc) or type(exc).__name__
        raise RecordError(f"cannot {what}: {reason.rstrip('.')}.", path=path) from exc
