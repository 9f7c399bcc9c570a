"""Starts the engine as one task of a cluster. Every back-end runs this on each machine.

    python -m cloud.tasks.launch --cluster=slurm [--restarts=3] -- tfod_tools.engine.train --style=tf1 ...

It finds out which task it is, sets TF_CONFIG, writes the config to a file if a variable holds it, and runs the engine.
It prints the reports of the engine as lines that look the same everywhere: `chief-0: step 40 of 200, loss 3.1`. It
passes a signal to stop on to the engine once, so that the engine saves a checkpoint.

Exit codes: 0 the task is done, 1 usage, 2 bad input, 138 the engine stopped with an error, 143 a signal stopped it.
Another try can help after 138 and 143. The ExitCode policy of Kubernetes restarts tasks that end with these codes.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from absl import flags

from cloud.tasks import discovery, tf_config, words
from cloud.tasks.tf_config import Task
from tfod_tools.base import engine_process
from tfod_tools.base.engine_process import Event
from tfod_tools.base.errors import EngineError, Interrupted, TfodError, UsageError

FLAGS = flags.FlagValues()
_CLUSTER = flags.DEFINE_enum(
    "cluster", discovery.TF_CONFIG, sorted(discovery.sources()), "How the task finds the cluster.", flag_values=FLAGS
)
_RESTARTS = flags.DEFINE_integer(
    "restarts", 0, "How often the engine is started again after an error.", lower_bound=0, flag_values=FLAGS
)

RETRY, STOPPED = 138, 143
_SECONDS_BETWEEN_LINES = 5.0
_PAUSE_S = 2.0


def main(argv: Sequence[str]) -> int:
    """Runs the task; returns the exit code."""
    try:
        job = FLAGS(list(argv))[1:]
        task = _enter(_CLUSTER.value)
    except flags.Error as error:
        return _fail(str(error), UsageError.exit_code)
    except (ValueError, KeyError, OSError) as error:
        said = f"the environment has no {error}" if isinstance(error, KeyError) else str(error)
        return _fail(
            f"--cluster={_CLUSTER.value}: {said}. Start the task with the command in the back-end's plan.",
            TfodError.exit_code,
        )
    with _config_in_place(job) as words_of_job:
        return _run(task, words_of_job, _RESTARTS.value)


def _enter(source: str) -> Task:
    """Finds out which task this process is, and sets TF_CONFIG, which TensorFlow reads."""
    members, task = discovery.find(source, os.environ)
    text = tf_config.dump(members, task) if members else None
    os.environ.pop("TF_CONFIG", None)
    if text:
        os.environ["TF_CONFIG"] = text
    print(f"{task}: {text or 'alone'}", flush=True)
    return task


@contextlib.contextmanager
def _config_in_place(job: Sequence[str]) -> Iterator[list[str]]:
    """The command of the job; if a variable holds the config, with the path of a file that has it."""
    text = os.environ.get(words.CONFIG_VARIABLE)
    if text is None:
        yield list(job)
        return
    with tempfile.TemporaryDirectory(prefix="tfod-") as folder:
        path = Path(folder, "pipeline.config")
        path.write_text(text, encoding="utf-8")
        yield [f"--config={path}" if word.startswith("--config=") else word for word in job]


def _run(task: Task, job: Sequence[str], restarts: int) -> int:
    for attempt in range(restarts + 1):
        try:
            done = engine_process.run(job, log=None, on_event=_Printer(task))
        except Interrupted as error:
            return _fail(f"{task}: {error}", STOPPED)
        except EngineError as error:
            left = restarts - attempt
            status = _fail(f"{task}: {error} {f'{left} tries left.' if restarts else ''}".rstrip(), RETRY)
            time.sleep(_PAUSE_S if left else 0)
        except TfodError as error:
            return _fail(f"{task}: {error}", error.exit_code)
        else:
            print(f"{task}: done at step {done.get('step')}", flush=True)
            return 0
    return status


def _fail(message: str, status: int) -> int:
    print(message, file=sys.stderr, flush=True)
    return status


class _Printer:
    """Prints the reports of the engine, at most one progress line every few seconds."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._steps = 0
        self._next_s = 0.0

    def __call__(self, event: Event) -> None:
        if event["event"] == "start":
            self._steps = event["steps"]
            print(f"{self._task}: starts at step {event['step']} of {self._steps}", flush=True)
        elif event["event"] == "progress":
            now = time.monotonic()
            if now >= self._next_s or event["step"] >= self._steps:
                self._next_s = now + _SECONDS_BETWEEN_LINES
                print(f"{self._task}: {_progress(event, self._steps)}", flush=True)
        elif event["event"] == "evaluated":
            print(f"{self._task}: evaluated step {event['step']}, loss {_number(event['loss'])}", flush=True)


def _progress(event: Event, steps: int) -> str:
    losses = event["losses"]
    total = next((value for name, value in losses.items() if name.split("/")[-1] in ("total_loss", "total")), None)
    return f"step {event['step']} of {steps}, loss {_number(total)}, learning rate {_number(event['learning_rate'])}"


def _number(value: float | None) -> str:
    return "not a number" if value is None else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main(sys.argv))
