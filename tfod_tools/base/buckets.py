"""Folders of remote file systems, such as gs:// and s3://, through fsspec."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tfod_tools.base.errors import MissingPackageError, UsageError
from tfod_tools.base.files import explained

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_EXTRAS = {"gs": "gcs", "gcs": "gcs", "s3": "s3", "s3a": "s3"}
_PACKAGES = {"gcs": "gcsfs", "s3": "s3fs"}
_TALKERS = ("fsspec", "gcsfs", "s3fs", "aiobotocore", "botocore")


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """A folder of a remote file system that fsspec knows."""

    url: str
    system: AbstractFileSystem
    root: str

    @property
    def antechamber(self) -> Path:
        """The local folder of this user where files wait for their upload. It is the same for each run."""
        name = hashlib.sha256(self.url.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        return Path(tempfile.gettempdir(), f"tfod_tools-{os.getuid()}-{name}")

    def __str__(self) -> str:
        """Its URL."""
        return self.url

    def read(self, name: str) -> bytes | None:
        """See files.Folder."""
        with explained("read the file", f"{self.url}/{name}"):
            try:
                return cast(bytes, self.system.cat_file(f"{self.root}/{name}"))
            except FileNotFoundError:
                return None

    def exists(self, name: str) -> bool:
        """See files.Folder."""
        with explained("look for the file", f"{self.url}/{name}"):
            return bool(self.system.exists(f"{self.root}/{name}"))

    def matching(self, pattern: str) -> list[str]:
        """The paths of the files whose names match `pattern`, with `?` and `*`."""
        with explained("look for the files", f"{self.url}/{pattern}"):
            return [str(found) for found in self.system.glob(f"{self.root}/{pattern}")]

    def take(self, path: Path) -> None:
        """See files.Folder."""
        with explained("write the file", f"{self.url}/{path.name}"):
            if _protocol(self.url) not in _EXTRAS:  # There a mistyped name would make a new bucket.
                self.system.makedirs(self.root, exist_ok=True)
            self.system.put_file(str(path), f"{self.root}/{path.name}")
        path.unlink()

    def remove(self, name: str) -> None:
        """See files.Folder."""
        with explained("remove the file", f"{self.url}/{name}"), contextlib.suppress(FileNotFoundError):
            self.system.rm_file(f"{self.root}/{name}")

    def sync(self) -> None:
        """Does nothing: a file that was uploaded is there."""


def folder(url: str) -> RemoteFolder:
    """The folder that `url` names. Nothing is read yet.

    Raises:
      UsageError: there is no such kind of file system, or it cannot be used here.
      MissingPackageError: a package that it needs is not installed.
    """
    if missing := lacking(url):
        raise missing
    import logging

    for name in _TALKERS:  # They log long tracebacks of errors that they also raise.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        from fsspec.core import url_to_fs

        system, root = url_to_fs(url)
    except ImportError as exc:
        raise UsageError(f"{url} needs a package that is not installed: {exc}.") from exc
    except Exception as exc:  # As in `explained`.
        reason = str(exc).partition("\n")[0].rstrip(".")
        raise UsageError(
            f"{url} cannot be used: {reason}. Pass a URL that fsspec knows, such as gs:// or s3://."
        ) from exc
    return RemoteFolder(url.rstrip("/"), system, root.rstrip("/"))


def lacking(url: str) -> MissingPackageError | None:
    """An error if the package for the file system of `url` is not installed; else None. No package is loaded."""
    import importlib.util

    package = _PACKAGES.get(extra := _EXTRAS.get(_protocol(url), ""))
    return MissingPackageError(package, extra) if package and importlib.util.find_spec(package) is None else None


def _protocol(url: str) -> str:
    return url.partition("://")[0]
