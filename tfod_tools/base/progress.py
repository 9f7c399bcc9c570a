"""Progress on standard error: a bar or a line that is replaced on a terminal, few whole lines elsewhere."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator

from tfod_tools.base import output

Advance = Callable[[int], None]

_SECONDS_BETWEEN_LINES = 15


@contextlib.contextmanager
def bar(description: str, total: int) -> Iterator[Advance]:
    """Shows a bar from 0 to `total` items while the block runs. Nothing with `--quiet`, or without a terminal.

    Yields:
      A function that takes the number of items that were done since the last call.
    """
    if not sys.stderr.isatty() or output.mode() == "quiet":
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(output.printable(description), total=total)
        yield lambda count: progress.advance(task, count)


@contextlib.contextmanager
def line() -> Iterator[Callable[[str], None]]:
    """Shows one line of text, which each call replaces.

    Where standard error is not a terminal, prints the first text, then at most one text every 15 seconds, and the last
    one; nothing with `--json`. Prints nothing with `--quiet`.

    Yields:
      A function that takes the new text.
    """
    terminal = sys.stderr.isatty()
    if output.mode() == "quiet" or (output.mode() == "json" and not terminal):
        yield lambda text: None
        return
    if not terminal:
        sparse = _SparseLines()
        try:
            yield sparse
        finally:
            sparse.print_last()
        return
    try:
        yield _replace_line
    finally:
        print(file=sys.stderr)


def _replace_line(text: str) -> None:
    columns = shutil.get_terminal_size().columns
    print(f"\r\x1b[2K{output.printable(text)[: columns - 1]}", end="", file=sys.stderr, flush=True)


class _SparseLines:
    """Prints a text, unless one was printed a moment ago. Then the text waits, and the next one may replace it."""

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
            print(output.printable(self._waiting), file=sys.stderr, flush=True)
        self._waiting = ""
