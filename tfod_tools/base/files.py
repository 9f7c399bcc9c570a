"""Files that appear under their final name only when they are complete, here or on a remote file system."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from tfod_tools.base.errors import MissingPackageError, RecordError, UsageError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_EXTRAS = {"gs": "gcs", "gcs": "gcs", "s3": "s3", "s3a": "s3"}
_PACKAGES = {"gcs": "gcsfs", "s3": "s3fs"}
_TALKERS = ("fsspec", "gcsfs", "s3fs", "aiobotocore", "botocore")


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


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """A folder of a file system that fsspec knows."""

    url: str
    system: AbstractFileSystem
    root: str

    @property
    def antechamber(self) -> Path:
        """Where files of this user wait on this machine, the same for each run."""
        name = hashlib.sha256(self.url.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return Path(tempfile.gettempdir(), f"tfod_tools-{os.getuid()}-{name}")

    def __str__(self) -> str:
        """Its URL."""
        return self.url

    def read(self, name: str) -> bytes | None:
        """See Folder."""
        with explained("read the file", f"{self.url}/{name}"):
            try:
                return cast(bytes, self.system.cat_file(f"{self.root}/{name}"))
            except FileNotFoundError:
                return None

    def exists(self, name: str) -> bool:
        """See Folder."""
        with explained("look for the file", f"{self.url}/{name}"):
            return bool(self.system.exists(f"{self.root}/{name}"))

    def take(self, path: Path) -> None:
        """See Folder."""
        with explained("write the file", f"{self.url}/{path.name}"):
            if _protocol(self.url) not in _EXTRAS:  # There it would make a bucket of a name that is mistyped.
                self.system.makedirs(self.root, exist_ok=True)
            self.system.put_file(str(path), f"{self.root}/{path.name}")
        path.unlink()

    def remove(self, name: str) -> None:
        """See Folder."""
        with explained("remove the file", f"{self.url}/{name}"), contextlib.suppress(FileNotFoundError):
            self.system.rm_file(f"{self.root}/{name}")

    def sync(self) -> None:
        """Nothing: what has arrived is there."""


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


def remote_folder(url: str) -> RemoteFolder:
    """The folder that `url` names; nothing is looked for yet.

    Raises:
      UsageError: there is no such kind of file system, or it cannot be used here.
      MissingPackageError: a package is not installed that it needs.
    """
    import logging

    extra = _EXTRAS.get(_protocol(url))
    for name in _TALKERS:  # What they log, with pages of traceback, they raise too.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        from fsspec.core import url_to_fs

        system, root = url_to_fs(url)
    except ImportError as exc:
        if extra:
            raise MissingPackageError(_PACKAGES[extra], extra) from exc
        raise UsageError(f"{url} needs a package that is not installed: {exc}.") from exc
    except Exception as exc:  # As in `explained`.
        reason = str(exc).partition("\n")[0].rstrip(".")
        raise UsageError(
            f"{url} cannot be used, expected a URL that fsspec knows, as gs:// or s3://: {reason}."
        ) from exc
    return RemoteFolder(url.rstrip("/"), system, root.rstrip("/"))


def _protocol(url: str) -> str:
    return url.partition("://")[0]
