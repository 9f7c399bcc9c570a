"""Tasks in several processes: results in order, errors as from one process, and nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psutil
import pytest

from record_builders import workers
from tfod_tools.base.errors import ImageError, RecordError

if TYPE_CHECKING:
    from tests.records.conftest import VocFolder

PROCESSES = (1, 3)
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def square(number: int, advance: Callable[[int], None]) -> int:
    for _ in range(number):
        advance(1)
    return number**2


def fail(error: Exception, advance: Callable[[int], None]) -> NoReturn:
    raise error


def be_killed(advance: Callable[[int], None]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("processes", PROCESSES)
def test_results_and_progress(processes: int) -> None:
    told: list[int] = []
    assert workers.run([partial(square, n) for n in range(7)], processes, told.append) == [n**2 for n in range(7)]
    assert sum(told) == sum(range(7))


def test_the_processes_are_others() -> None:
    found = workers.run([lambda advance: os.getpid()] * 4, 2, lambda count: None)
    assert os.getpid() not in found
    assert 1 <= len(set(found)) <= 2


def dawdle(seconds: float, advance: Callable[[int], None]) -> int:
    time.sleep(seconds)
    return os.getpid()


def test_whoever_is_free_takes_the_next_task() -> None:
    """So that of shards of many sizes no process is left with two while the others have none."""
    slow, *others = workers.run([partial(dawdle, seconds) for seconds in (1, 0, 0, 0)], 2, lambda count: None)
    assert slow not in others


@pytest.mark.parametrize("processes", PROCESSES)
@pytest.mark.parametrize("error", [ImageError("is bad.", path=Path("a.jpg"), line=3), OSError(28, "No space left")])
def test_an_error_is_the_same_error(processes: int, error: Exception) -> None:
    before = psutil.Process().children()
    with pytest.raises(type(error)) as caught:
        workers.run([partial(square, 2), partial(fail, error)], processes, lambda count: None)
    assert str(caught.value) == str(error)
    assert psutil.Process().children() == before


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(RuntimeError, match="in fail\n"):
        workers.run([partial(fail, ZeroDivisionError()), partial(square, 1)], 2, lambda count: None)


def test_a_killed_worker_is_one_line() -> None:
    before = psutil.Process().children()
    with pytest.raises(RecordError) as caught:
        workers.run([partial(square, 2), be_killed], 2, lambda count: None)
    assert str(caught.value) == (
        "a worker process was killed by SIGKILL. Run the command again. "
        "Perhaps the machine ran out of memory: add --workers=1."
    )
    assert psutil.Process().children() == before


# Writes records of a folder one of whose images never comes, in two processes.
CODE = """
import os, signal, sys
from pathlib import Path
from record_builders.output import writing; from record_builders.planning import build
from record_builders.planning.plan import Request
from tfod_tools import app
from absl import flags

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # Whoever runs the tests may ignore it, as nohup does.

def main(arguments):
    folder = Path(arguments[0])
    request = Request(format="voc", annotations=folder / "annotations", images=folder / "images",
                      output=folder / "out", shards=3, val_fraction=0)
    planned = build.plan(request)
    last = Path(planned.images[-1].image_path)
    last.unlink()
    os.mkfifo(last)
    print("planned", flush=True)
    writing.write(planned, lambda count: None, int(arguments[1]))

app.run(main, flags.FlagValues(), "", sys.argv)
"""


def waiting_process(folder: Path, processes: int) -> subprocess.Popen[str]:
    """A process that writes records into `folder`/out and has come to the image that never comes."""
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(folder), str(processes)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    deadline = time.monotonic() + 20
    while not any((folder / "out").rglob("*00002-of-00003*")) or len(workers_of(process)) < processes * (processes > 1):
        assert time.monotonic() < deadline, process.communicate(timeout=5)
        time.sleep(0.01)
    return process


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("processes", [1, 2])
def test_stopped(voc: VocFolder, name: str, processes: int) -> None:
    """The signal goes to all processes, as Ctrl-C does. No worker and no half file stays."""
    for number in range(6):
        voc.add(f"pet{number}", ("cat", 1, 2, 30, 40))
    process = waiting_process(voc.root, processes)
    children = workers_of(process)
    os.killpg(process.pid, signal.Signals[name])
    printed = process.communicate(timeout=20)
    assert (process.returncode, printed[1].count("\n")) == (130, 1), printed
    assert printed[1].startswith("Stopped")
    assert not any(child.is_running() for child in children)
    assert not [path for path in (voc.root / "out").rglob("*") if path.suffix == ".half"]


def test_workers_end_with_a_parent_that_is_killed() -> None:
    code = (
        "import os, time; from record_builders import workers\n"
        "def task(advance):\n    os.write(1, b'%d\\n' % os.getpid())\n"
        "    while True:\n        time.sleep(0.01); advance(1)\n"
        "workers.run([task] * 3, 3, lambda count: None)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert process.stdout is not None
    found = [psutil.Process(int(process.stdout.readline())) for _ in range(3)]
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(found, timeout=10)
    assert not alive
