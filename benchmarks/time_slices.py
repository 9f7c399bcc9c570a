"""Runs two commands in turn, a slice of time each, so that both see the same machine however its speed drifts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

SLICE_S = 1.0


class Sliced:
    """A command that runs only in slices, all of its processes being stopped in between.

    Attributes:
      argv: its words.
      slices: when it ran, by the wall clock, in seconds since the epoch.
      status: its exit code once it has ended, else None.
    """

    def __init__(self, argv: Sequence[str], log: Path) -> None:
        """What to run, and where its output goes."""
        self.slices: list[tuple[float, float]] = []
        self.status: int | None = None
        self.argv = argv
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, seconds: float) -> None:
        """Lets it run, or start, for so long or to its end."""
        began = time.time()
        if self._process is None:
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(self.argv, stdout=log, stderr=log)
        else:
            self._send(signal.SIGCONT)
        try:
            self.status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._send(signal.SIGSTOP)
        self.slices.append((began, time.time()))

    def ran_s(self, moment: float) -> float:
        """For how many seconds it had run at a moment of the wall clock."""
        return sum(max(0.0, min(end, moment) - began) for began, end in self.slices)

    def kill(self) -> None:
        """Ends it, if it has not ended."""
        if self._process and self._process.poll() is None:
            self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        # Parents first: one that is stopped starts no child that is missed.
        assert self._process is not None
        for pid in _family(self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def run(*commands: Sliced) -> None:
    """Runs the commands in turn, to the end of each.

    Raises:
      SystemExit: one of them failed.
    """
    try:
        while any(command.status is None for command in commands):
            for command in commands:
                if command.status is None:
                    command.run(SLICE_S)
                if command.status:
                    raise SystemExit(f"exit code {command.status} of: {' '.join(command.argv)}")
    finally:
        for command in commands:
            command.kill()


def _family(pid: int) -> Iterator[int]:
    """A process, its children and theirs."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # A thread that has ended has none.
            for child in children.read_text().split():
                yield from _family(int(child))
