"""One hostile run, before it is run and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from campaigns.attack.place import Place

Stream = Literal["file", "pipe", "closed", "full"]
Judge = Callable[["Result"], "str | None"]


def _nothing(place: Place) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One hostile run.

    Attributes:
      about: what is done to the command, in few words.
      argv: the command and its arguments; paths begin in the work folder.
      prepare: makes the inputs.
      cleanup: undoes what the removal of the folder would not.
      judge: what the general rules do not see: the words of a fault, or None.
      environment: variables to add.
      stdin: what the command may read.
      stdout: where it goes.
      stderr: where it goes.
      largest_file: bytes that a file may have; None for any.
      signal: a signal's number, and after how many seconds it is sent to the process and its children.
      times: so many processes run this at once; `{number}` in `argv` is the number of each, from 0.
      may_change: paths below the work folder that the command may change though they were there.
      may_add: paths below the work folder, besides those that begin with `out`, where it may make new files.
      may_leave: whether files may stay in TMPDIR, as after a signal that no process can catch.
      weak: without root's right to read all files.
      limit_s: seconds after which it hangs.
      most_mb: memory that it may have.
      may_fail: whether it may end with 4, as the engine does.
    """

    about: str
    argv: Sequence[str]
    prepare: Callable[[Place], object] = _nothing
    cleanup: Callable[[Place], object] = _nothing
    judge: Judge | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    stdout: Stream = "file"
    stderr: Stream = "file"
    largest_file: int | None = None
    signal: tuple[int, float] | None = None
    times: int = 1
    may_change: tuple[str, ...] = ()
    may_add: tuple[str, ...] = ()
    may_leave: bool = False
    weak: bool = False
    limit_s: float = 20.0
    most_mb: float = 1000.0
    may_fail: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one process ended.

    Attributes:
      status: its exit code; the negative number of the signal that ended it; None where it was killed for hanging.
      out: what it printed.
      err: what it printed on standard error.
      seconds: how long it took.
      peak_mb: the most memory that it, or one of its children, had at once.
      processes: the most that were seen at once.
    """

    status: int | None
    out: bytes
    err: bytes
    seconds: float
    peak_mb: float
    processes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a case came to.

    Attributes:
      case: the case.
      place: its folder, as the command left it.
      ended: each process.
      changed: what was there and is not as it was, below the root.
      new: what was not there, below the root.
      left: what is in TMPDIR.
    """

    case: Case
    place: Place
    ended: Sequence[Ended]
    changed: Sequence[str]
    new: Sequence[str]
    left: Sequence[str]

    @property
    def first(self) -> Ended:
        """The only process, where there is one."""
        return self.ended[0]

    def written(self, name: str) -> Path | None:
        """A file that the command wrote, where it did."""
        path = self.place.work / name
        return path if path.is_file() else None
