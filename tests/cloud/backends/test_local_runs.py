"""The supervisor of the local back-end, with small programs in place of the training."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from cloud.backends.local import runs
from cloud.submission import RunStatus
from tfod_tools.base.errors import CheckpointError, EngineError

pytestmark = pytest.mark.slow

DONE = "print('chief-0: step 7 of 7')"
FOR_EVER = "import time; time.sleep(600)"
# Ends well when it was started a second time.
SECOND_TIME = "import os, pathlib, signal; p = pathlib.Path({mark!r}); e = p.exists(); p.touch(); e or {how}"


def plan(folder: Path, restarts: int = 1, time_limit_s: int = 60, **programs: str) -> str:
    """The plan of a run with a task for each program, named `role_index`."""
    tasks = [
        {"task": name.replace("_", "-"), "words": ["-c", program], "environment": {"TASK": name}}
        for name, program in programs.items()
    ]
    described: dict[str, Any] = {"folder": str(folder), "restarts": restarts, "time_limit_s": time_limit_s}
    return json.dumps({**described, "environment": {"SHARED": "yes"}, "tasks": tasks})


def ended(folder: Path) -> RunStatus:
    return until(folder, lambda status: status.state not in ("RUNNING", "QUEUED"))


def until(folder: Path, there: Callable[[RunStatus], bool]) -> RunStatus:
    deadline = time.monotonic() + 30
    while not there(status := runs.status(folder)):
        assert time.monotonic() < deadline, status
        time.sleep(0.05)
    return status


def states(status: RunStatus) -> dict[str, str]:
    return {task.task: task.state for task in status.tasks}


def test_parameter_servers_end_with_the_chief(tmp_path: Path) -> None:
    runs.start(tmp_path, plan(tmp_path, chief_0=DONE, worker_0="pass", ps_0=FOR_EVER, evaluator_0="pass"))
    status = ended(tmp_path)
    assert status.state == "SUCCEEDED"
    assert set(states(status).values()) == {"SUCCEEDED"}
    assert status.step == 7
    until(tmp_path, lambda _: runs.running(tmp_path) is None)


def test_the_run_lasts_until_the_evaluator_is_done(tmp_path: Path) -> None:
    late = "import time; time.sleep(1.5); print('evaluated')"
    runs.start(tmp_path, plan(tmp_path, chief_0=DONE, evaluator_0=late))
    assert ended(tmp_path).state == "SUCCEEDED"
    assert "evaluator-0: evaluated" in list(runs.logs(tmp_path, follow=False))


@pytest.mark.parametrize("how", ["exit(138)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_task_that_dies_is_started_again(tmp_path: Path, how: str) -> None:
    worker = SECOND_TIME.format(mark=str(tmp_path / "mark"), how=how)
    mark = f"pathlib.Path({str(tmp_path / 'mark')!r})"
    chief = f"import pathlib, time\nwhile not {mark}.exists(): time.sleep(0.1)\ntime.sleep(2)"
    runs.start(tmp_path, plan(tmp_path, chief_0=chief, worker_0=worker))
    status = ended(tmp_path)
    assert status.state == "SUCCEEDED"
    assert {task.task: task.restarts for task in status.tasks} == {"chief-0": 0, "worker-0": 1}


def test_restarts_come_to_an_end(tmp_path: Path) -> None:
    runs.start(tmp_path, plan(tmp_path, restarts=2, chief_0="exit(138)", ps_0=FOR_EVER))
    status = ended(tmp_path)
    assert (status.state, status.message) == ("FAILED", "chief-0 ended with exit code 138")
    assert status.tasks[0].restarts == 2
    assert states(status)["ps-0"] in ("SUCCEEDED", "CANCELLED")


def test_bad_input_is_not_tried_twice(tmp_path: Path) -> None:
    runs.start(tmp_path, plan(tmp_path, restarts=5, chief_0=FOR_EVER, worker_0="exit(2)"))
    status = ended(tmp_path)
    assert (status.state, status.message) == ("FAILED", "worker-0 ended with exit code 2")
    assert [task.restarts for task in status.tasks] == [0, 0]


def test_a_second_submission_finds_the_first(tmp_path: Path) -> None:
    text = plan(tmp_path, chief_0=FOR_EVER)
    assert runs.start(tmp_path, text) == str(tmp_path)
    first = runs.running(tmp_path)
    assert first
    assert runs.start(tmp_path, text) == f"{tmp_path} (it was running already)"
    assert runs.running(tmp_path) == first
    runs.cancel(tmp_path)
    assert runs.status(tmp_path).state == "CANCELLED"


def test_cancel_passes_the_signal_on(tmp_path: Path) -> None:
    program = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('saved', flush=True), sys.exit(143)))\n"
        "print('ready', flush=True)\ntime.sleep(600)"
    )
    runs.start(tmp_path, plan(tmp_path, chief_0=program))
    deadline = time.monotonic() + 20
    while "chief-0: ready" not in list(runs.logs(tmp_path, follow=False)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    runs.cancel(tmp_path)
    assert list(runs.logs(tmp_path, follow=False))[-1] == "chief-0: saved"
    assert states(runs.status(tmp_path)) == {"chief-0": "CANCELLED"}
    runs.cancel(tmp_path)


def test_the_time_limit(tmp_path: Path) -> None:
    runs.start(tmp_path, plan(tmp_path, time_limit_s=1, chief_0=FOR_EVER))
    status = ended(tmp_path)
    assert (status.state, status.message) == ("FAILED", "ended by scheduling.time_limit")


def test_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    runs.start(tmp_path, plan(tmp_path, chief_0="import time; time.sleep(3)"))
    supervisor = runs.running(tmp_path)
    assert supervisor
    os.kill(supervisor, signal.SIGKILL)
    status = ended(tmp_path)
    assert status.state == "FAILED"
    assert "its supervisor is gone" in status.message


def test_logs_follow_until_the_end(tmp_path: Path) -> None:
    program = "import time\nfor i in range(3): print('line', i, flush=True); time.sleep(0.3)"
    runs.start(tmp_path, plan(tmp_path, chief_0=program, ps_0=FOR_EVER))
    assert list(runs.logs(tmp_path, follow=True)) == [f"chief-0: line {i}" for i in range(3)]


def test_environment(tmp_path: Path) -> None:
    program = "import os; print(os.environ['SHARED'], os.environ['TASK'])"
    runs.start(tmp_path, plan(tmp_path, chief_0=program))
    ended(tmp_path)
    assert list(runs.logs(tmp_path, follow=False)) == ["chief-0: yes chief_0"]


def test_nothing_was_run(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there was no run in this folder"):
        runs.status(tmp_path)


def test_no_child_is_left_behind(tmp_path: Path) -> None:
    """The supervisor is not a child of this process. A child that is not waited for becomes a zombie."""
    runs.start(tmp_path, plan(tmp_path, chief_0=FOR_EVER))
    supervisor = runs.running(tmp_path)
    assert supervisor
    assert psutil.Process(supervisor) not in psutil.Process().children(recursive=True)
    runs.cancel(tmp_path)


def test_a_plan_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="the supervisor did not start"):
        runs.start(tmp_path, "{}")
    assert "KeyError" in (tmp_path / "supervisor.log").read_text()
