"""Copies of remote files on this machine, with the same names. Only files that are needed are copied.

A file is not copied again if its copy has the same size and modification time. If the remote system gives no
modification time, the file is copied again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from tfod_tools.base import files
from tfod_tools.base.buckets import RemoteFolder
from tfod_tools.base.errors import RecordError

# The names of the modification time in S3, in fsspec's own systems, at Google and at Azure.
_TIMES = ("LastModified", "mtime", "updated", "last_modified", "created")
_AT_ONCE = 32
_FILES_OF_A_ROUND = 1024

Bar = Callable[[int], AbstractContextManager[Callable[[int], None]]]


class Stamp(NamedTuple):
    """Size of a file in bytes, and its modification time in nanoseconds since 1970, or 0 if unknown."""

    size_bytes: int | None
    modified_ns: int


def listed(remote: RemoteFolder, suffixes: Collection[str]) -> dict[str, Stamp]:
    """All files below `remote` with one of `suffixes`, by relative path, in the order of `folders.names_below`.

    Ignores hidden files, and names that would lead out of the folder on this machine.

    Raises:
      RecordError: there is no such folder, or reading it is not allowed.
    """
    system, root = remote.system, remote.root
    with files.explained("look into the folder", remote.url):
        system.invalidate_cache()
        found: dict[str, dict[str, Any]] = system.find(root, detail=True)
        if not found:  # `find` returns nothing, instead of an error, for what it cannot enter.
            system.ls(root)
    names = {path[len(root) :].lstrip("/"): info for path, info in found.items() if path.startswith(f"{root}/")}
    kept = (name for name in names if name.lower().endswith(tuple(suffixes)) and _is_plain(name))
    return {name: _stamp(names[name]) for name in sorted(kept, key=lambda name: name.split("/"))}


def is_file(remote: RemoteFolder) -> bool:
    """Whether `remote` is a file and not a folder.

    Raises:
      RecordError: the remote system does not answer.
    """
    with files.explained("look for the file", remote.url):
        return bool(remote.system.isfile(remote.root))


def stamp(remote: RemoteFolder, name: str) -> Stamp:
    """Size and modification time of the file `name` in a folder.

    Raises:
      RecordError: it does not exist, or reading it is not allowed.
    """
    with files.explained("read the file", f"{remote.url}/{name}"):
        return _stamp(remote.system.info(f"{remote.root}/{name}"))


def _is_plain(name: str) -> bool:
    return all(part and not part.startswith(".") for part in name.split("/"))


def _stamp(info: Mapping[str, Any]) -> Stamp:
    time = next((info[key] for key in _TIMES if info.get(key)), 0)
    if isinstance(time, str):
        time = datetime.fromisoformat(time.replace("Z", "+00:00"))
    seconds = time.timestamp() if isinstance(time, datetime) else float(time)
    return Stamp(size_bytes=info.get("size"), modified_ns=round(seconds * 1e6) * 1000)


@dataclass(frozen=True, slots=True)
class Mirror:
    """The folder `path` of this machine for copies of files of `remote`."""

    remote: RemoteFolder
    path: Path

    @classmethod
    def of(cls, remote: RemoteFolder, within: Path) -> Mirror:
        """A folder inside `within`, with the name of the remote folder."""
        return cls(remote, within / (remote.root.rpartition("/")[2] or "root"))

    def fetch(self, stamps: Mapping[str, Stamp], bar: Bar) -> None:
        """Copies files that are not here yet, several at a time.

        Args:
          stamps: size and time of each file as from `listed`, by relative path.
          bar: takes the number of files; the function in its block takes the number of further files done.

        Raises:
          RecordError: a file cannot be read, or the disk has no room.
        """
        from concurrent.futures import ThreadPoolExecutor

        self.path.mkdir(parents=True, exist_ok=True)
        names = [name for name, stamp in stamps.items() if not self._has(name, stamp)]
        _check_room(sum(stamps[name].size_bytes or 0 for name in names), self.path)
        at_once = _AT_ONCE if self.remote.system.async_impl else 1
        pool = ThreadPoolExecutor(at_once)
        try:
            with bar(len(names)) as advance:
                for start in range(0, len(names), _FILES_OF_A_ROUND):
                    part = names[start : start + _FILES_OF_A_ROUND]
                    for _ in pool.map(self._fetch, part, [stamps[name] for name in part]):
                        advance(1)
        finally:
            pool.shutdown(cancel_futures=True)

    def forget_others(self, names: Collection[str]) -> None:
        """Removes files that an earlier run fetched and that are not among `names`."""
        for path in sorted(self.path.rglob("*")):
            if path.is_file() and path.relative_to(self.path).as_posix() not in names:
                path.unlink()

    def _has(self, name: str, stamp: Stamp) -> bool:
        try:
            found = (self.path / name).stat()
        except OSError:
            return False
        return stamp.modified_ns != 0 and stamp == (found.st_size, found.st_mtime_ns)

    def _fetch(self, name: str, stamp: Stamp) -> None:
        path = self.path / name
        partial = path.with_name(f".{path.name}.partial")
        with files.explained("read the file", f"{self.remote.url}/{name}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.remote.system.get_file(f"{self.remote.root}/{name}", str(partial))
            size_bytes = partial.stat().st_size
            os.utime(partial, ns=(stamp.modified_ns, stamp.modified_ns))
        if stamp.size_bytes not in (None, size_bytes):
            message = f"{size_bytes} bytes arrived, but the file has {stamp.size_bytes}. Run the command again."
            raise RecordError(message, path=f"{self.remote.url}/{name}")
        partial.replace(path)

    def named(self, text: str) -> str:
        """`text` with the URL instead of the path of this machine."""
        return text.replace(str(self.path), self.remote.url)


def _check_room(size_bytes: int, folder: Path) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if size_bytes > free_bytes:
        message = (
            f"{size_bytes / 1e6:.0f} MB must be fetched, but there is room for only {free_bytes / 1e6:.0f} MB. "
            "Set TMPDIR to a folder with more room."
        )
        raise RecordError(message, path=tempfile.gettempdir())
