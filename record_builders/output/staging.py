"""The hidden folder where files wait until all of them are complete. A run that was killed can be continued from it.

    .make_records/train.record-00000-of-00004.half   being written
    .make_records/train.record-00000-of-00004        finished and on the disk
    .make_records/train.record-00000-of-00004.json   its voucher: size, checksum and what it was made from
    .make_records/manifest.json                      everything is finished: the files are getting their final names

If a run finds a manifest in this folder, it first moves the rest of the files to their final place. The final place may
be on a remote file system.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Container, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from record_builders.output import manifest
from record_builders.output.manifest import LABEL_MAP, MANIFEST, Manifest
from record_builders.records import tfrecord
from record_builders.records.tfrecord import WrittenFile
from record_builders.workers import WorkerKilledError
from tfod_tools.base import files
from tfod_tools.base.errors import Interrupted, RecordError
from tfod_tools.base.files import Folder, LocalFolder

_FOLDER = ".make_records"
_HALF, _VOUCHER = ".half", ".json"
# The workers of a killed run notice it only after they have finished an image, or have synced a shard.
_PATIENCE_S = 10


@dataclass(frozen=True, slots=True)
class Staging:
    """The folder of one run; see `opened`."""

    output: Path
    target: Folder

    def path(self, name: str) -> Path:
        """The path of a waiting file."""
        return _folder(self.output) / name

    def shard(self, name: str, fingerprint: str, records: Iterable[bytes]) -> WrittenFile:
        """Writes a shard, unless an earlier run has finished it.

        Args:
          name: of the record file.
          fingerprint: equal only for equal content.
          records: the content of the file; not read if the shard is finished.
        """
        if found := self._finished(name, fingerprint):
            return found
        written = tfrecord.write(self.path(name + _HALF), records)
        self.path(name + _HALF).replace(self.path(name))
        voucher = self.path(name + _VOUCHER + _HALF)
        voucher.write_text(json.dumps({"fingerprint": fingerprint, **asdict(written)}))
        voucher.replace(self.path(name + _VOUCHER))
        return written

    def vouched(self, name: str, fingerprint: str | None = None) -> WrittenFile | None:
        """The shard `name` as its voucher describes it; None if it has no voucher, or one with another fingerprint."""
        try:
            said = json.loads(self.path(name + _VOUCHER).read_bytes())
            made_of = said.pop("fingerprint")
            return WrittenFile(**said) if fingerprint in (None, made_of) else None
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def _finished(self, name: str, fingerprint: str) -> WrittenFile | None:
        """The shard that an earlier run wrote with the same content, if it is still complete."""
        if (written := self.vouched(name, fingerprint)) is None:
            return None
        waiting = self.path(name)
        # If it does not wait here any more, it has moved to its final place.
        try:
            found = tfrecord.crc32c(waiting if waiting.exists() else self.output / name)
        except OSError:
            return None
        return written if found == written.crc32c else None

    def publish(self, label_map_text: str, result: Manifest) -> None:
        """Moves the finished shards and the other files to their final names, the manifest last."""
        folder = _folder(self.output)
        files.write_atomically(folder / LABEL_MAP, label_map_text.encode())
        files.write_atomically(folder / MANIFEST, manifest.to_json(result))
        _move_all(self.output, self.target)


@contextlib.contextmanager
def opened(output: Path, target: Folder, names: Iterable[str]) -> Iterator[Staging]:
    """The staging folder in `output`, for this run only. It has only finished shards with one of `names`.

    If an earlier run had begun to publish files in `target`, this is finished first. At the end the folder is removed.
    If the block is stopped, its finished shards stay for the next run.

    Raises:
      RecordError: another run writes there.
    """
    shards = {name + end for name in names for end in ("", _VOUCHER)}
    folder = _folder(output)
    output.mkdir(parents=True, exist_ok=True)
    with locked(output):
        folder.mkdir(exist_ok=True)
        if (folder / MANIFEST).exists():
            _move_all(output, target)
        _tidy(folder, shards)
        try:
            yield Staging(output, target)
        except (Interrupted, WorkerKilledError):
            _tidy(folder, shards)
            with contextlib.suppress(OSError):  # The folder still has finished shards.
                folder.rmdir()
            raise
        except BaseException:
            if not (folder / MANIFEST).exists():
                shutil.rmtree(folder, ignore_errors=True)
            raise
        shutil.rmtree(folder)


def published(output: Path, target: Folder) -> set[str]:
    """The record files that earlier runs published in `target`, or had begun to publish.

    Raises:
      RecordError: a manifest.json is there, but it is not a manifest of records.
    """
    return _listed(target) | _listed(LocalFolder(_folder(output)))


def _listed(folder: Folder) -> set[str]:
    """The record files that the manifest of a folder lists, if it has one."""
    content, path = folder.read(MANIFEST), f"{folder}/{MANIFEST}"
    return set() if content is None else set(manifest.record_files(manifest.parse(content, path), path))


def _folder(output: Path) -> Path:
    return output / _FOLDER


def _tidy(folder: Path, kept: Container[str]) -> None:
    for path in folder.iterdir():
        if path.name not in kept:
            path.unlink()


def _move_all(output: Path, target: Folder) -> None:
    """Gives all files their final names, the manifest last. Before that, removes files that only the old one lists."""
    folder = _folder(output)
    names = _listed(LocalFolder(folder))
    superseded = _listed(target) - names
    for name in (*sorted(names), LABEL_MAP):
        if (folder / name).exists():
            target.take(folder / name)
    for name in sorted(superseded):
        target.remove(name)
    target.sync()
    target.take(folder / MANIFEST)
    target.sync()


@contextlib.contextmanager
def locked(output: Path) -> Iterator[None]:
    """A lock on the folder. Forks of this process share it, so it lasts until the last of them has ended.

    Raises:
      RecordError: another run has the lock.
    """
    import fcntl

    folder = os.open(output, os.O_RDONLY)
    try:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as exc:
                if time.monotonic() > deadline:
                    message = "another make_records is writing here. Wait until it ends, or name another --output."
                    raise RecordError(message, path=output) from exc
                time.sleep(0.02)
            except OSError:  # Some network file systems have no locks.
                break
        yield
    finally:
        os.close(folder)
