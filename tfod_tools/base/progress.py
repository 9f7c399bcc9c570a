"""Progress on a terminal: one live line on standard error, and nothing when that is not a terminal."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator

Advance = Callable[[int], None]

_SECONDS_BETWEEN_LINES = 15


@contextlib.contextmanager
def bar(description: str, total: int) -> Iterator[Advance]:
    """Shows a bar from 0 to `total` items while the block runs.

    Yields:
      A function that takes the number of further items done.
    """
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, total=total)
        yield lambda count: progress.advance(task, count)


@contextlib.contextmanager
def line() -> Iterator[Callable[[str], None]]:
    """Shows one line of text that each call replaces.

    Where standard error is not a terminal, the first text is printed, then at most one every 15 seconds, and the last.
    """
    if not sys.stderr.isatty():
        sparse = _SparseLines()
        try:
            yield sparse
        finally:
            sparse.print_last()
        return
    try:
        yield lambda text: print(f"\r\x1b[2K{text[: _columns() - 1]}", end="", file=sys.stderr, flush=True)
    finally:
        print(file=sys.stderr)


def _columns() -> int:
    return shutil.get_terminal_size().columns


class _SparseLines:
    """Prints a text, unless another was printed a moment ago: then it waits for the next one to replace it."""

    def __init__(self) -> None:
        self._next_s = 0.0
        self._waiting = ""

    def __call__(self, text: str) -> None:
        self._waiting = text
        if time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + _SECONDS_BETWEEN_LINES
            self.print_last()

    def print_last(self) -> None:
        """Prints the text that waits, if there is one."""
        if self._waiting:
            print(self._waiting, file=sys.stderr, flush=True)
        self._waiting = ""
