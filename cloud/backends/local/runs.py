"""Runs on this machine. The files in the folder of a run are all that is known about it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cloud import processes
from cloud.backends.local.supervisor import LOCK, PLAN, STATE
from cloud.submission import ENDED, RunStatus, TaskStatus
from cloud.tasks import progress_lines
from tfod_tools.base.errors import CheckpointError, EngineError
from tfod_tools.base.files import write_atomically

_POLL_S = 0.2


def start(folder: Path, plan: str) -> str:
    """Starts the run in `folder`, unless it is running there. Returns the folder.

    Raises:
      EngineError: the supervisor did not start.
    """
    if running(folder):
        return f"{folder} (it was running already)"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / PLAN, plan.encode())
    (folder / STATE).unlink(missing_ok=True)
    if processes.detached(["-m", "cloud.backends.local.supervisor", str(folder)], folder / "supervisor.log"):
        raise EngineError(f"the supervisor did not start. Read its log: {folder / 'supervisor.log'}")
    return str(folder)


def running(folder: Path) -> int | None:
    """The process id of the supervisor that works in `folder`; None if none does."""
    with contextlib.suppress(FileNotFoundError), (folder / LOCK).open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read() or 0)
    return None


def status(folder: Path) -> RunStatus:
    """The state of the run.

    Raises:
      CheckpointError: there was no run in this folder.
    """
    alive = running(folder)
    found = _state(folder)
    state = found["state"]
    if alive is None and state not in ENDED:
        state, found["message"] = "FAILED", "its supervisor is gone. `tfod submit run` goes on from the last checkpoint"
    tasks = tuple(
        TaskStatus(task=t["task"], state=t["state"], restarts=t["restarts"], exit_code=t["exit_code"])
        for t in found["tasks"]
    )
    texts = (_read(folder / f"{task.task}.log") for task in tasks)
    step = max((progress_lines.last_step(text) or 0 for text in texts), default=0)
    return RunStatus(state=state, where=str(folder), step=step or None, tasks=tasks, message=found["message"])


def logs(folder: Path, *, follow: bool) -> Iterator[str]:
    """The lines in the logs of all tasks, each with its task in front; with `follow`, until the run ends."""
    names = [task["task"] for task in _state(folder)["tasks"]]
    at = dict.fromkeys(names, 0)
    while True:
        ended = not follow or running(folder) is None
        for name in names:
            text = _read(folder / f"{name}.log")[at[name] :]
            whole = text if ended else text[: text.rfind("\n") + 1]
            at[name] += len(whole)
            yield from (progress_lines.labelled(name, line) for line in whole.splitlines())
        if ended:
            return
        time.sleep(_POLL_S)


def cancel(folder: Path) -> None:
    """Ends the run and waits until it has ended. Does nothing if it is not running."""
    process = running(folder)
    if process is None:
        return
    os.kill(process, signal.SIGTERM)
    while running(folder) is not None:
        time.sleep(_POLL_S)


def _state(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(
            "there was no run in this folder. Start it with `tfod submit run`.", path=folder
        ) from error
    return found


def _read(log: Path) -> str:
    try:
        return re.sub(r"\r\n?", "\n", log.read_bytes().decode("utf-8", "replace"))
    except FileNotFoundError:
        return ""
