"""Runs the process of a case: with limits, with its peak of memory measured, and with its output in files."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from campaigns.attack.case import Case, Ended, Stream
from campaigns.attack.place import Place

ROOT = Path(__file__).parents[3]
_ADDRESS_SPACE = 12 << 30  # Protects the machine; what counts is the memory that was in use.
_MOST_OUTPUT = 64 << 20
_WEAK = ("setpriv", *(f"--{kind}=-dac_override,-dac_read_search,-fowner" for kind in ("inh-caps", "bounding-set")))


def environment(place: Place) -> dict[str, str]:
    """What a command finds in its environment, before a case adds to it."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(place.root / "home"),
        "TMPDIR": str(place.tmp),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def words(case: Case) -> list[str]:
    """The words of the process."""
    command, *arguments = case.argv
    weak = _WEAK if case.weak and os.geteuid() == 0 else ()
    return [*weak, sys.executable, "-m", f"tfod_tools.{command}", *arguments]


def run(case: Case, place: Place, number: int = 0) -> Ended:
    """Runs one process of a case to its end."""
    with contextlib.ExitStack() as stack:
        streams = [
            _stream(kind, place.root / f"{name}{number}", stack)
            for name, kind in (("stdout", case.stdout), ("stderr", case.stderr))
        ]
        process, started = _start(case, place, streams), time.monotonic()
        hangs = threading.Event()
        timers = [threading.Timer(case.limit_s, _end, (process.pid, signal.SIGKILL, hangs.set))]
        if case.signal:
            number_of_signal, after_s = case.signal
            timers.append(threading.Timer(after_s, _end, (process.pid, number_of_signal)))
        for timer in timers:
            timer.start()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        for timer in timers:
            timer.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # What it started, and did not wait for.
    out, err = (_read(place.root / f"{name}{number}") for name in ("stdout", "stderr"))
    return Ended(
        status=None if hangs.is_set() else process.returncode,
        out=out,
        err=err,
        seconds=time.monotonic() - started,
        peak_mb=used.ru_maxrss / 1024,
    )


def _start(case: Case, place: Place, streams: list[int | None]) -> subprocess.Popen[bytes]:
    stdin = place.root / "stdin"
    stdin.write_bytes(case.stdin)
    with stdin.open("rb") as given:
        return subprocess.Popen(
            words(case),
            cwd=place.work,
            stdin=given,
            stdout=streams[0],
            stderr=streams[1],
            env={**environment(place), **case.environment},
            start_new_session=True,
            preexec_fn=_limits(case, [number for number, stream in enumerate(streams, start=1) if stream is None]),  # noqa: PLW1509
        )


def _limits(case: Case, closed: list[int]) -> Callable[[], None]:
    largest = _MOST_OUTPUT * 16 if case.largest_file is None else case.largest_file

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for descriptor in closed:
            os.close(descriptor)

    return limit


def _stream(kind: Stream, path: Path, stack: contextlib.ExitStack) -> int | None:
    if kind == "closed":
        return None
    opened = stack.enter_context(Path("/dev/full").open("wb") if kind == "full" else path.open("wb"))
    return opened.fileno()


def _read(path: Path) -> bytes:
    if not path.exists():
        return b""
    with path.open("rb") as file:
        return file.read(_MOST_OUTPUT)


def _end(group: int, number: int, note: Callable[[], None] = lambda: None) -> None:
    note()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
