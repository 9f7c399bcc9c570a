"""Runs the tasks of a local cluster to their end: `python -m cloud.backends.local.supervisor FOLDER`.

This command starts the supervisor as a process of its own, and ends when the state of the run can be read.

The run is done when the chief and the evaluator are done. The supervisor then ends the parameter servers, which never
end by themselves. It starts a task that dies again, and the task goes on from the last checkpoint. It does not start a
task again after bad input. It passes a signal to stop on to every task, and trainers save a checkpoint.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud import processes
from tfod_tools.base.files import write_atomically

LOCK, STATE, PLAN = "supervisor.lock", "state.json", "run.json"
_STAY = "stay"
_POLL_S = 0.1
_BEFORE_RESTART_S = 1.0
_WORKERS_AFTER_CHIEF_S = 60.0
_AFTER_SIGTERM_S = 60.0
_BAD_INPUT = (1, 2)  # exit codes after which another try cannot help
_DECIDE = ("chief", "evaluator")


@dataclass(slots=True)
class _Task:
    """A task and its process."""

    name: str
    words: list[str]
    environment: dict[str, str]
    state: str = "QUEUED"
    restarts: int = 0
    exit_code: int | None = None
    child: subprocess.Popen[bytes] | None = None
    start_at_s: float = 0.0

    @property
    def role(self) -> str:
        return self.name.rpartition("-")[0]


class Supervisor:
    """The tasks of one run, whose files are in `folder`."""

    def __init__(self, folder: Path) -> None:
        """Reads the plan of the run."""
        plan = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        self._folder = folder
        self._restarts: int = plan["restarts"]
        self._end_s = time.monotonic() + plan["time_limit_s"]
        shared = plan["environment"]
        self._tasks = [_Task(t["task"], t["words"], {**shared, **t["environment"]}) for t in plan["tasks"]]
        self._stopped = False
        self._message = ""
        self._written: Any = None
        self._write("RUNNING")

    def stop(self, *_: object) -> None:
        """Asks for the end of the run; also the handler of signals."""
        self._stopped = True

    def run(self) -> str:
        """Runs all tasks to their end. Returns the state of the run."""
        state = "RUNNING"
        while state == "RUNNING":
            for task in self._tasks:
                self._look_after(task)
            state = self._state()
            self._write("RUNNING")
            time.sleep(_POLL_S)
        if state == "SUCCEEDED":
            self._wait_for("worker", _WORKERS_AFTER_CHIEF_S)
        self._end_all()
        self._write(state)
        return state

    def _state(self) -> str:
        if self._stopped:
            self._message = "ended on request"
            return "CANCELLED"
        if time.monotonic() > self._end_s:
            self._message = "ended by scheduling.time_limit"
            return "FAILED"
        failed = [task for task in self._tasks if task.state == "FAILED"]
        if failed:
            self._message = f"{failed[0].name} ended with exit code {failed[0].exit_code}"
            return "FAILED"
        return "SUCCEEDED" if all(t.state == "SUCCEEDED" for t in self._tasks if t.role in _DECIDE) else "RUNNING"

    def _look_after(self, task: _Task) -> None:
        """Starts the task if it is due, and notes how it ended."""
        if task.state == "QUEUED" and time.monotonic() >= task.start_at_s:
            self._start(task)
        elif task.child is not None and task.state == "RUNNING" and (code := task.child.poll()) is not None:
            task.exit_code = code if code >= 0 else 128 - code
            if code == 0:
                task.state = "SUCCEEDED"
            elif code in _BAD_INPUT or task.restarts >= self._restarts:
                task.state = "FAILED"
            else:
                task.restarts += 1
                task.state = "QUEUED"
                task.start_at_s = time.monotonic() + _BEFORE_RESTART_S

    def _start(self, task: _Task) -> None:
        with (self._folder / f"{task.name}.log").open("ab") as log:
            task.child = subprocess.Popen(
                [sys.executable, *task.words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=processes.environment(task.environment),
                start_new_session=True,
            )
        task.state = "RUNNING"

    def _wait_for(self, role: str, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while (
            any(t.role == role and t.state in ("RUNNING", "QUEUED") for t in self._tasks) and time.monotonic() < end_s
        ):
            for task in self._tasks:
                if task.role == role:
                    self._look_after(task)
            time.sleep(_POLL_S)

    def _end_all(self) -> None:
        """Asks every task to end, and kills those that do not."""
        alive = [task for task in self._tasks if task.child is not None and task.child.poll() is None]
        for task in alive:
            assert task.child is not None
            task.child.terminate()
        end_s = time.monotonic() + _AFTER_SIGTERM_S
        for task in alive:
            assert task.child is not None
            try:
                task.child.wait(max(0.1, end_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                task.child.kill()
                task.child.wait()
        for task in self._tasks:
            if task.state in ("RUNNING", "QUEUED"):
                task.state = "SUCCEEDED" if task.role == "ps" and not self._stopped else "CANCELLED"

    def _write(self, state: str) -> None:
        tasks = [{"task": t.name, "state": t.state, "restarts": t.restarts, "exit_code": t.exit_code,
                  "pid": t.child.pid if t.child else None} for t in self._tasks]  # fmt: skip
        found = {"state": state, "message": self._message, "tasks": tasks}
        if found != self._written:
            self._written = found
            write_atomically(self._folder / STATE, json.dumps(found, indent=1).encode())


def main(folder: Path, ready: Callable[[], None]) -> int:
    """Runs the plan in `folder`, unless another supervisor does. Returns 0 if the run succeeded.

    Args:
      folder: of the run.
      ready: called when the state of the run can be read there.
    """
    with (folder / LOCK).open("ab+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            ready()
            return 0
        lock.truncate(0)
        lock.write(str(os.getpid()).encode())
        lock.flush()
        supervisor = Supervisor(folder)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, supervisor.stop)
        ready()
        return 0 if supervisor.run() == "SUCCEEDED" else 4


def detach(folder: Path) -> int:
    """Runs `main` in a process of its own. Returns 0 when that is ready, 1 if it ended before."""
    words = [sys.executable, "-m", "cloud.backends.local.supervisor", str(folder), _STAY]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True)
    assert child.stdout is not None
    return 0 if child.stdout.read(1) else 1


def _report_ready() -> None:
    """Writes the byte for which `detach` waits. From then on, standard output goes to standard error."""
    os.write(sys.stdout.fileno(), b".")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


if __name__ == "__main__":
    where, *stay = sys.argv[1:]
    sys.exit(main(Path(where), _report_ready) if stay else detach(Path(where)))
