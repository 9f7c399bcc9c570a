"""Runs tasks in several processes. Each is a fork of this one, so it needs no data and loads nothing.

When this process ends, for any reason, its workers end too. When a worker dies, this process ends with one error.
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
# One process does this much in 0.2 seconds. Starting more processes takes some hundredths of a second.
_FEW_IMAGES, _FEW_BYTES = 500, 50_000_000
_SECONDS_BETWEEN_REPORTS = 0.05


class WorkerKilledError(RecordError):
    """A worker process died, for example because the machine ran out of memory."""


def for_images(images: int, size_bytes: int = 0) -> int:
    """The best number of processes for so many images: one for few images, else one for each CPU."""
    return 1 if images <= _FEW_IMAGES and size_bytes <= _FEW_BYTES else cpus()


def cpus() -> int:
    """The number of CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def stoppable(message: str) -> Iterator[None]:
    """Inside the block, Ctrl-C, SIGTERM and closing the terminal (unless with nohup) raise Interrupted(message)."""

    def stop(number: int, frame: object) -> None:
        for each in before:  # A second signal must not stop the cleaning up after the first.
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(message)

    before: dict[signal.Signals, Any] = {}

    try:
        if threading.current_thread() is threading.main_thread():  # Only this thread can set handlers.
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
    """The result of each of `tasks`, in their order.

    Args:
      tasks: each is called with a function that takes the number of further items done. They start in their order.
      processes: number of processes; with 1, the tasks run in this one.
      on_progress: called with the number of further items done.

    Raises:
      TfodError: a task raised it; the other tasks are stopped. OSError in the same way.
      WorkerKilledError: a process was killed.
    """
    return list(results(tasks, processes, on_progress))


def results(
    tasks: Sequence[Callable[[Advance], T]],
    processes: int,
    on_progress: Advance,
) -> Iterator[T]:
    """Like `run`, but yields each result as soon as it and all before it are ready."""
    processes = min(processes, len(tasks))
    if processes < 2 or not hasattr(os, "fork"):
        yield from (task(on_progress) for task in tasks)
        return
    workers: dict[Connection, BaseProcess] = {}
    gc.freeze()  # As Python's documentation advises before a fork: garbage collection would copy shared memory.
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
    # No signal must arrive before the worker has its own handlers, and before this process has stored the worker.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        process = context.Process(target=_serve, args=(tasks, theirs, (*workers, ours), before), daemon=True)
        with warnings.catch_warnings():
            # Python 3.12 warns about locks of other threads, such as the progress bar's. Tasks do not use such locks.
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
        hint = " Perhaps the machine ran out of memory: add --workers=1." if status == -signal.SIGKILL else ""
        raise WorkerKilledError(f"a worker process {how}. Run the command again.{hint}") from None


def _serve(
    tasks: Sequence[Callable[[Advance], Any]],
    parent: Connection,
    inherited: Sequence[Connection],
    mask: set[signal.Signals],
) -> None:
    """Runs the tasks whose numbers arrive, until this worker is killed or its parent is gone."""
    for number in _STOP_SIGNALS:  # They reach all processes of the terminal; the parent decides what to do.
        signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    for other in inherited:  # Else an open end here would hide from other workers that the parent is gone.
        other.close()
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            index = parent.recv()
            answer = _answer(tasks[index], index, _Reports(parent))
            parent.send(("free", index, None))  # So the next task arrives while the answer is sent.
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
    except Exception:  # noqa: BLE001 - the parent raises it
        return "bug", index, traceback.format_exc()


class _Reports:
    """Sends the number of further items done, at intervals."""

    def __init__(self, parent: Connection) -> None:
        self._parent = parent
        self._count = 0
        self._next_s = 0.0

    def __call__(self, count: int) -> None:
        self._count += count
        if time.monotonic() >= self._next_s:
            self.send()

    def send(self) -> None:
        """Sends the number that was not sent yet."""
        if self._count:
            self._parent.send(("progress", 0, self._count))
        self._count = 0
        self._next_s = time.monotonic() + _SECONDS_BETWEEN_REPORTS
