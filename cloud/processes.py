"""Runs other programs, to their end or in the background."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tfod_tools.base.errors import TfodError, UsageError

_ROOT = str(Path(__file__).parents[1])


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a program.

    Attributes:
      status: its exit code.
      out: its standard output.
      err: its standard error.
    """

    status: int
    out: str
    err: str


def run(words: Sequence[str], given: str = "", *, timeout_s: float = 120) -> Done:
    """Runs a program with `given` as its standard input.

    Raises:
      UsageError: there is no such program, or it does not end in time.
    """
    _find(words[0])
    try:
        done = subprocess.run(words, input=given, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise UsageError(
            f"{words[0]} gave no answer in {timeout_s:g} s. Check its connection, and try again."
        ) from error
    return Done(done.returncode, done.stdout, done.stderr)


def lines(words: Sequence[str], error: Callable[[str], TfodError]) -> Iterator[str]:
    """The lines that a program prints, as they come. The program ends when the caller stops reading.

    Args:
      words: the program and its arguments.
      error: makes the error to raise from the standard error of a program that failed.

    Raises:
      UsageError: there is no such program.
    """
    _find(words[0])
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=said, stdin=subprocess.DEVNULL, text=True) as child,
    ):
        assert child.stdout is not None
        try:
            for line in child.stdout:
                yield line.rstrip("\n")
            status = child.wait()
        finally:
            child.terminate()
        if status:
            said.seek(0)
            raise error(said.read().decode("utf-8", "replace"))


def detached(words: Sequence[str], log: Path) -> int:
    """Runs `python` with `words`, which starts a process that goes on after this one. Returns its exit code.

    Both write their output to `log`.
    """
    with log.open("ab") as out:
        return subprocess.run(
            [sys.executable, *words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            env=environment({}),
            check=False,
        ).returncode


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The environment of this process and `more`. PYTHONPATH leads to this package, also if it is not installed."""
    path = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": f"{_ROOT}{os.pathsep}{path}" if path else _ROOT, **more}


def _find(program: str) -> None:
    if shutil.which(program) is None:
        raise UsageError(
            f"the program {program} is not installed here. Install it, or run the plan by hand on another machine."
        )
