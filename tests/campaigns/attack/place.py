"""The folder of one run: what the command may see, and what of it must not change."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# A larger file is known by its size and time: sparse files of many GB are among the inputs.
_HASHED_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one run.

    Attributes:
      root: holds the folders below, and nothing else.
    """

    root: Path

    @property
    def work(self) -> Path:
        """Where the command runs; it may write below names that begin with `out`."""
        return self.root / "work"

    @property
    def others(self) -> Path:
        """A neighbour's folder."""
        return self.root / "others"

    @property
    def tmp(self) -> Path:
        """TMPDIR of the command; empty again when it has ended."""
        return self.root / "tmp"

    def make(self) -> None:
        """Makes the folders, with files of others in them."""
        for folder in (self.work, self.others, self.tmp, self.root / "home"):
            folder.mkdir(parents=True)
        for folder in (self.others, self.work):
            self.write(folder / "thesis.txt", "the only copy\n")
        self.write(self.others / "deep/photo.jpg", b"\xff\xd8 not to be touched")

    def write(self, name: str | Path, content: str | bytes) -> Path:
        """Writes a file of the work folder, and the folders above it."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content)
        return path

    def copy(self, source: Path, name: str) -> Path:
        """Copies a file or a folder into the work folder."""
        target = self.work / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)
        return target

    def sparse(self, name: str, size: int, head: bytes = b"") -> Path:
        """A file of `size` bytes that takes no room."""
        path = self.write(name, head)
        os.truncate(path, size)
        return path

    def seen(self) -> Mapping[str, str]:
        """What each file, link and folder is, by its path below the root; TMPDIR and HOME are left out."""
        found = {}
        for folder, folders, names in os.walk(os.fsencode(self.root)):
            if folder == os.fsencode(self.root):
                folders[:] = [name for name in folders if name in (b"work", b"others")]
                names = []
            for name in (*folders, *names):
                path = os.path.join(folder, name)  # noqa: PTH118 - names of any bytes
                shown = os.fsdecode(os.path.relpath(path, os.fsencode(self.root)))
                found[shown] = _what(path)
                if name in folders and shown.startswith("others"):  # Files that come and go change its time.
                    found[shown] += f", of {os.lstat(path).st_mtime_ns}"
        return found

    def remove(self) -> None:
        """Removes all of it."""
        for folder, folders, _ in os.walk(os.fsencode(self.root)):
            for name in folders:
                path = os.path.join(folder, name)  # noqa: PTH118
                if not os.path.islink(path):  # noqa: PTH114
                    os.chmod(path, 0o700)  # noqa: PTH101
        shutil.rmtree(os.fsencode(self.root))


def _what(path: bytes) -> str:
    """What `path` is, in few words that change when it does."""
    status = os.lstat(path)
    mode = status.st_mode
    if stat.S_ISLNK(mode):
        return f"link to {os.fsdecode(os.readlink(path))}"  # noqa: PTH115
    if not stat.S_ISREG(mode):
        return f"mode {mode:o}"
    if status.st_size > _HASHED_BYTES:
        return f"mode {mode:o}, {status.st_size} bytes of {status.st_mtime_ns}"
    with open(path, "rb") as file:  # noqa: PTH123
        return f"mode {mode:o}, {status.st_size} bytes, {hashlib.sha256(file.read()).hexdigest()}"
