"""Tasks spread over processes. Each is a fork of this one, so that nothing has to be loaded in it or sent to it.

A worker ends with this process however this process ends, and this process ends with one error if a worker does.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from tfod_tools.base.errors import Interrupted, RecordError, TfodError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

T = TypeVar("T")
Advance = Callable[[int], None]

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# One process is done with that much in a fifth of a second; to start others takes some hundredths of one.
_FEW_IMAGES, _FEW_BYTES = 500, 50_000_000
_SECONDS_BETWEEN_REPORTS = 0.05


class WorkerKilledError(RecordError):
    """One of the processes died, as when the machine runs out of memory."""


def for_images(images: int, size_bytes: int = 0) -> int:
    """How many processes are worth starting for so many images: one for few, else as many as there are CPUs."""
    return 1 if images <= _FEW_IMAGES and size_bytes <= _FEW_BYTES else cpus()


def cpus() -> int:
    """How many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def stoppable(message: str) -> Iterator[None]:
    """While the block runs, Ctrl-C, SIGTERM and the end of the terminal (unless nohup) raise Interrupted(message)."""

    def stop(number: int, frame: object) -> None:
        for each in before:  # A second one would disturb the tidying up after the first.
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(message)

    before: dict[signal.Signals, Any] = {}

    try:
        if threading.current_thread() is threading.main_thread():  # No other may say what a signal does.
            for number in _STOP_SIGNALS:
                if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, stop)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(
    tasks: Sequence[Callable[[Advance], T]],
    processes: int,
    on_progress: Advance,
) -> list[T]:
    """What each of `tasks` returns, in their order.

    Args:
      tasks: each is called with a function that takes the number of further items done. They are begun in their order.
      processes: over how many processes to spread them; with 1, they run in this one.
      on_progress: told the numbers of further items done.

    Raises:
      TfodError: or OSError: the first that a task raised; the others are then stopped.
      WorkerKilledError: a process was killed.
    """
    return list(results(tasks, processes, on_progress))


def results(
    tasks: Sequence[Callable[[Advance], T]],
    processes: int,
    on_progress: Advance,
) -> Iterator[T]:
    """As `run`, but one result after the other, each as soon as it and those before it are there."""
    processes = min(processes, len(tasks))
    if processes < 2 or not hasattr(os, "fork"):
        yield from (task(on_progress) for task in tasks)
        return
    workers: dict[Connection, BaseProcess] = {}
    gc.freeze()  # Before forks, as Python's documentation advises: a search for garbage in what they share copies it.
    try:
        for _ in range(processes):
            _start(tasks, workers)
        yield from _received(len(tasks), workers, on_progress)
    finally:
        gc.unfreeze()
        for process in workers.values():
            process.kill()
        for worker, process in workers.items():
            process.join()
            worker.close()


def _start(tasks: Sequence[Callable[[Advance], Any]], workers: dict[Connection, BaseProcess]) -> None:
    from multiprocessing import get_context

    context = get_context("fork")
    ours, theirs = context.Pipe()
    # A signal must not reach the worker before it has handlers of its own, nor this process before it knows the worker.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        process = context.Process(target=_serve, args=(tasks, theirs, (*workers, ours), before), daemon=True)
        with warnings.catch_warnings():
            # Python 3.12 warns of locks that threads may hold, as those of a progress bar; tasks touch none of these.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        workers[ours] = process
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()


def _received(count: int, workers: Mapping[Connection, BaseProcess], on_progress: Advance) -> Iterator[Any]:
    """The results of `count` tasks, in their order."""
    from multiprocessing import connection

    early: dict[int, Any] = {}
    waiting = iter(range(count))
    for worker in workers:
        _send_next(worker, waiting)
    for wanted in range(count):
        while wanted not in early:
            for ready in connection.wait(list(workers)):
                worker = cast("Connection", ready)
                kind, index, value = _message(worker, workers[worker])
                if kind == "error":
                    raise value
                if kind == "bug":
                    raise RuntimeError(f"in a worker:\n{value}")
                if kind == "free":
                    _send_next(worker, waiting)
                elif kind == "progress":
                    on_progress(value)
                else:
                    early[index] = value
        yield early.pop(wanted)


def _send_next(worker: Connection, waiting: Iterator[int]) -> None:
    """Sends the worker the number of the next task, if there is one."""
    if (index := next(waiting, None)) is None:
        return
    with contextlib.suppress(ConnectionError):  # If the worker is gone, we notice it when we wait for its answer.
        worker.send(index)


def _message(worker: Connection, process: BaseProcess) -> tuple[str, int, Any]:
    try:
        message: tuple[str, int, Any] = worker.recv()
        return message
    except (EOFError, ConnectionResetError):
        process.join()
        status = process.exitcode or 0
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        hint = " The machine may have run out of memory: try --workers=1." if status == -signal.SIGKILL else ""
        raise WorkerKilledError(f"one of the worker processes {how}. Run it again.{hint}") from None


def _serve(
    tasks: Sequence[Callable[[Advance], Any]],
    parent: Connection,
    inherited: Sequence[Connection],
    mask: set[signal.Signals],
) -> None:
    """What a worker does: the tasks whose numbers it is sent, until it is killed or its parent is gone."""
    for number in _STOP_SIGNALS:  # They reach the whole terminal; the parent decides.
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    for other in inherited:  # While one worker holds the parent's end, another does not see that the parent is gone.
        other.close()
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            index = parent.recv()
            answer = _answer(tasks[index], index, _Reports(parent))
            parent.send(("free", index, None))  # The next task comes while the answer is still on its way.
            parent.send(answer)


def _answer(task: Callable[[Advance], Any], index: int, report: _Reports) -> tuple[str, int, Any]:
    try:
        result = task(report)
        report.send()
        return "result", index, result
    except ConnectionError:
        raise
    except (TfodError, OSError) as error:
        return "error", index, error
    except Exception:  # noqa: BLE001 - it goes to the parent, which raises it
        return "bug", index, traceback.format_exc()


class _Reports:
    """Sends the number of further items done, now and then."""

    def __init__(self, parent: Connection) -> None:
        self._parent = parent
        self._count = 0
        self._next_s = 0.0

    def __call__(self, count: int) -> None:
        self._count += count
        if time.monotonic() >= self._next_s:
            self.send()

    def send(self) -> None:
        """Sends what was not sent yet."""
        if self._count:
            self._parent.send(("progress", 0, self._count))
        self._count = 0
        self._next_s = time.monotonic() + _SECONDS_BETWEEN_REPORTS
