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
# They protect the machine; what counts is the memory that was in use.
_ADDRESS_SPACE = 16 << 30
_TOO_MUCH = 1.3  # times what a case may have: it is ended then
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


def words(case: Case, number: int = 0) -> list[str]:
    """The words of the process of this number."""
    command, *arguments = (word.replace("{number}", str(number)) for word in case.argv) if case.times > 1 else case.argv
    weak = _WEAK if case.weak and os.geteuid() == 0 else ()
    return [*weak, sys.executable, "-m", f"tfod_tools.{command}", *arguments]


def run(case: Case, place: Place, number: int = 0) -> Ended:
    """Runs one process of a case to its end."""
    streams = [
        _Stream(case.stdout, place.root / f"stdout{number}"),
        _Stream(case.stderr, place.root / f"stderr{number}"),
    ]
    process, started = _start(case, place, streams, number), time.monotonic()
    for stream in streams:
        stream.started()
    hangs = threading.Event()
    watched = _Watched(process.pid, case.most_mb, case.limit_s, hangs.set)
    timers = []
    if case.signal:
        number_of_signal, after_s = case.signal
        timers.append(threading.Timer(after_s, _end, (process.pid, number_of_signal)))
    for timer in timers:
        timer.start()
    _, status, used = os.wait4(process.pid, 0)
    watched.ended.set()
    process.returncode = os.waitstatus_to_exitcode(status)
    for timer in timers:
        timer.cancel()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # What it started, and did not wait for.
    out, err = (stream.content() for stream in streams)
    return Ended(
        status=None if hangs.is_set() else process.returncode,
        out=out,
        err=err,
        seconds=time.monotonic() - started,
        peak_mb=used.ru_maxrss / 1024,
        processes=watched.most,
    )


class _Stream:
    """Where a process writes; see `Case.stdout`."""

    def __init__(self, kind: Stream, path: Path) -> None:
        self._path = path
        self._said = b""
        self._reader: threading.Thread | None = None
        self.descriptor: int | None = None
        if kind == "pipe":
            ours, self.descriptor = os.pipe()
            self._reader = threading.Thread(target=self._read, args=(ours,), daemon=True)
        elif kind != "closed":
            self.descriptor = os.open("/dev/full" if kind == "full" else path, os.O_WRONLY | os.O_CREAT, 0o600)

    def started(self) -> None:
        """The process has the stream now."""
        if self.descriptor is not None:
            os.close(self.descriptor)
        if self._reader:
            self._reader.start()

    def content(self) -> bytes:
        """What was written."""
        if self._reader:
            self._reader.join(5)
            return self._said
        if not self._path.exists():
            return b""
        with self._path.open("rb") as file:
            return file.read(_MOST_OUTPUT)

    def _read(self, descriptor: int) -> None:
        with open(descriptor, "rb") as file:
            self._said = file.read(_MOST_OUTPUT)


class _Watched:
    """Looks at a process from time to time, where there is /proc: counts its group, ends it at too much of anything.

    Too long is a time of its own on the CPU, or as long without any; a busy machine is given three times as long.
    """

    def __init__(self, group: int, most_mb: float, limit_s: float, hangs: Callable[[], None]) -> None:
        self.most = 1
        self.ended = threading.Event()
        self._hangs = hangs
        threading.Thread(target=self._watch, args=(group, most_mb * _TOO_MUCH, limit_s), daemon=True).start()

    def _watch(self, group: int, most_mb: float, limit_s: float) -> None:
        looks, started = 0, time.monotonic()
        while not self.ended.wait(min(0.1, limit_s)):
            used_s, used_mb = _used(group)
            waited_s = time.monotonic() - started
            if used_mb > most_mb:
                _end(group, signal.SIGKILL)
            elif used_s > limit_s or waited_s > (limit_s if used_s < limit_s / 10 else 3 * limit_s):
                _end(group, signal.SIGKILL, self._hangs)
            looks += 1
            if looks % 5 == 0:
                self.most = max(self.most, _processes(group))


def _used(process: int) -> tuple[float, float]:
    """Seconds on the CPU and MB of memory of a process; nothing where it cannot be seen."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0, 0.0
    ticks, pages = int(fields[11]) + int(fields[12]), int(fields[21])
    return ticks / os.sysconf("SC_CLK_TCK"), pages * resource.getpagesize() / (1 << 20)


def _processes(group: int) -> int:
    """How many processes of a group there are."""
    found = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            found += int(path.read_text().rpartition(")")[2].split()[2]) == group
    return found


def _start(case: Case, place: Place, streams: list[_Stream], number: int) -> subprocess.Popen[bytes]:
    stdin = place.root / "stdin"
    stdin.write_bytes(case.stdin)
    with stdin.open("rb") as given:
        return subprocess.Popen(
            words(case, number),
            cwd=place.work,
            stdin=given,
            stdout=streams[0].descriptor,
            stderr=streams[1].descriptor,
            env={**environment(place), **case.environment},
            start_new_session=True,
            preexec_fn=_limits(
                case, [number for number, stream in enumerate(streams, start=1) if stream.descriptor is None]
            ),
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


def _end(group: int, number: int, note: Callable[[], None] = lambda: None) -> None:
    note()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
