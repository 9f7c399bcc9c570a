"""Writes a file directly to the disk, without the system's file cache, while the next piece is being made.

Records are large. Finding cache memory for them takes the system longer than writing them, and other files would leave
the cache. If a file system refuses direct writing, the cache is used. The end of a file that does not fill a block goes
through the cache too.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

# Larger pieces do not fit into the processor's cache, and take longer to fill.
_PIECE_BYTES = 1 << 20
# Size, offset in the file and address in memory of a direct write must be whole blocks of the disk.
_BLOCK_BYTES = 4096
_DIRECT = getattr(os, "O_DIRECT", 0)


@contextlib.contextmanager
def created(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Creates the file at `path`, or empties it. After the block, the whole file is on the disk.

    Yields:
      A function that appends bytes.

    Raises:
      OSError: the file cannot be written. It may be raised later than the call that caused it.
    """
    descriptor = _opened(path)
    try:
        with ThreadPoolExecutor(1) as writer:
            pieces = _Pieces(descriptor, writer)
            yield pieces.append
            pieces.finish()
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    if _DIRECT:
        with contextlib.suppress(OSError):  # The file system may refuse it. Other errors come again below.
            return os.open(path, flags | _DIRECT, 0o666)
    return os.open(path, flags, 0o666)


class _Pieces:
    """Two pieces of a file in memory: a thread writes one while the other is filled."""

    def __init__(self, descriptor: int, writer: ThreadPoolExecutor) -> None:
        self._descriptor, self._writer = descriptor, writer
        self._filling, self._spare = mmap.mmap(-1, _PIECE_BYTES), mmap.mmap(-1, _PIECE_BYTES)
        self._filled = self._offset = 0
        self._written: Future[None] | None = None

    def append(self, data: bytes) -> None:
        rest = memoryview(data)  # A slice of it is not a copy, which matters for images of many pieces.
        while self._filled + len(rest) >= _PIECE_BYTES:
            room = _PIECE_BYTES - self._filled
            self._filling[self._filled :] = rest[:room]
            rest = rest[room:]
            self._hand_over()
        end = self._filled + len(rest)
        self._filling[self._filled : end] = rest
        self._filled = end

    def _hand_over(self) -> None:
        self._wait()
        self._written = self._writer.submit(_write, self._descriptor, memoryview(self._filling), self._offset)
        self._filling, self._spare = self._spare, self._filling
        self._offset += _PIECE_BYTES
        self._filled = 0

    def _wait(self) -> None:
        if self._written:
            self._written.result()

    def finish(self) -> None:
        self._wait()
        rest = memoryview(self._filling)[: self._filled]
        blocks = len(rest) - len(rest) % _BLOCK_BYTES
        _write(self._descriptor, rest[:blocks], self._offset)
        _go_through_cache(self._descriptor)
        _write(self._descriptor, rest[blocks:], self._offset + blocks)


def _write(descriptor: int, data: memoryview, offset: int) -> None:
    while data:
        try:
            count = os.pwrite(descriptor, data, offset)
        except OSError as exc:
            if exc.errno == errno.EINVAL and _go_through_cache(descriptor):
                continue
            raise
        data, offset = data[count:], offset + count


def _go_through_cache(descriptor: int) -> bool:
    """Turns direct writing off; returns whether it was on."""
    if not _DIRECT:
        return False
    import fcntl

    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags & ~_DIRECT)
    return bool(flags & _DIRECT)
