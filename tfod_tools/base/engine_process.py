"""Runs an entry of the engine in a child process and reads its events.

The child writes one JSON object per line on its standard output: `{"event": "progress", ...}`, and at the end
`{"event": "result", ...}` or `{"event": "error", "message": ...}`. Everything else that it prints goes to a log file.
The child never lives longer than this process: an environment variable tells it to watch its standard input, which
closes when this process ends for any reason.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from tfod_tools.base.errors import EngineError, Interrupted, TfodError

Event = Mapping[str, Any]

ENDS_WITH_STDIN = "TFOD_TOOLS_ENDS_WITH_STDIN"
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LAST_EVENTS = ("result", "error")


def run(argv: Sequence[str], *, log: Path | None, on_event: Callable[[Event], None] = lambda event: None) -> Event:
    """Runs `python -m <argv>` to its end.

    The first Ctrl-C, SIGTERM or closed terminal (unless nohup) is passed on as SIGINT, so that training can save a
    checkpoint. The second kills the child.

    Args:
      argv: module name and its flags.
      log: file to which the child's log is appended; its folder is made. None for this process's standard error.
      on_event: called with every event except the last, in order.

    Returns:
      The child's result event.

    Raises:
      TfodError: the child found bad input. It has the child's message and exit code.
      EngineError: the engine raised, or the process died.
      Interrupted: the user stopped it.
    """
    # Signals are caught before the child starts. So it starts with none of them ignored, even in a background job of a
    # script.
    with _opened(log) as log_file, _StopSignals() as stops:
        child = subprocess.Popen(
            [sys.executable, "-m", *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log_file,
            start_new_session=True,
            env=_environment(),
        )
        stops.go_to(child)
        with child:
            last = _listen(child, on_event)
            status = child.wait()
    if stops.count and status < 0:
        raise Interrupted("Stopped at once. Everything that was saved before is kept.")
    return _outcome(last, status, log)


@contextlib.contextmanager
def _opened(log: Path | None) -> Iterator[IO[bytes] | None]:
    if log is None:
        yield None
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        yield file


def _environment() -> dict[str, str]:
    # The child must find this package where the parent found it, even if it is not installed.
    root = str(Path(__file__).parents[2])
    path = os.environ.get("PYTHONPATH", "")
    ours = {
        "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root,
        "PYTHONSAFEPATH": "1",  # an object_detection folder in the current folder is not the pinned engine
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "1"),
        ENDS_WITH_STDIN: "1",
    }
    return {**os.environ, **ours}


def _listen(child: subprocess.Popen[bytes], on_event: Callable[[Event], None]) -> Event:
    """Reads the child's events to the end and returns the last one. Kills the child if `on_event` raises."""
    last: Event = {}
    assert child.stdout is not None
    try:
        for line in child.stdout:
            if line.endswith(b"\n"):  # a killed child may leave a part of a line
                last = json.loads(line, parse_constant=lambda name: None)
                if last["event"] not in _LAST_EVENTS:
                    on_event(last)
    except BaseException:
        child.kill()
        raise
    return last


class _StopSignals:
    """Passes the first stop signal on to a child as SIGINT, and kills the child at the second. `count` counts them."""

    def __init__(self) -> None:
        self.count = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _StopSignals:
        for number in _STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
                self._before[number] = signal.signal(number, self._pass_on)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def go_to(self, child: subprocess.Popen[bytes]) -> None:
        """Sets the child, and passes on a signal that came before."""
        self._child = child
        if self.count:
            child.send_signal(signal.SIGINT)

    def _pass_on(self, number: int, frame: object) -> None:
        self.count += 1
        if self._child is not None:
            self._child.send_signal(signal.SIGINT if self.count == 1 else signal.SIGKILL)
        if self.count == 1:
            with contextlib.suppress(OSError):  # the terminal may be closed
                print("\nStopping. Press Ctrl-C again to stop at once.", file=sys.stderr, flush=True)


def command_line(argv: Sequence[str]) -> str:
    """`python -m <argv>`, ready to paste into a shell."""
    return shlex.join(("python", "-m", *argv))


def _outcome(last: Event, status: int, log: Path | None) -> Event:
    kind = last.get("event")
    if kind == "result" and status == 0:
        return last
    if kind == "error":
        raised = {Interrupted.exit_code: Interrupted, EngineError.exit_code: EngineError}.get(status, TfodError)
        where = f" The engine's log: {log}" if log and raised is EngineError else ""
        error = raised(f"{last['message']}{where}")
        error.exit_code = status
        raise error
    reason = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
    hint = " The machine may have run out of memory. Try a smaller batch." if status == -signal.SIGKILL else ""
    where = f" Its log: {log}" if log else ""
    raise EngineError(f"the engine's process {reason}.{hint}{where}")
