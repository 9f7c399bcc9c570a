"""Train a model from its pipeline.config; a rerun goes on where the last one stopped.

The engine runs in a child process, in the style (TF1 or TF2) of the config's feature extractor. Its log goes to
MODEL_DIR/train.log, the config as it ran to MODEL_DIR/pipeline.config. Ctrl-C ends training with a checkpoint saved;
twice, at once and without. The last step is always checkpointed.

    python -m tfod_tools.train --config=pipeline.config --model_dir=model [--steps=5000]

Exit codes: 0 trained to the last step, 1 usage, 2 bad input, 4 the engine stopped with an error, 130 stopped by you.
"""

from __future__ import annotations

import collections
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import flags

from cloud.job import TrainJob
from pipeline_configs import extension
from tfod_tools import app
from tfod_tools.base import engine_process, files, progress
from tfod_tools.base.errors import ConfigError, TfodError

FLAGS = app.Flags("config")
_CONFIG = flags.DEFINE_string("config", None, "The pipeline.config to train.", required=True, flag_values=FLAGS)
_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Folder for checkpoints, summaries and the log.", required=True, flag_values=FLAGS
)
_STEPS = flags.DEFINE_integer(
    "steps", None, "Train up to this step (default: train_config.num_steps).", lower_bound=1, flag_values=FLAGS
)
_CHECKPOINT_EVERY = flags.DEFINE_integer(
    "checkpoint_every", None, "Steps between checkpoints (default: a tenth of the run, at most 1000).",
    lower_bound=1, flag_values=FLAGS,
)  # fmt: skip
_EXTENSION = flags.DEFINE_string("extension", None, extension.HELP, flag_values=FLAGS)
_DRY_RUN = flags.DEFINE_bool(
    "dry_run", False, "Check everything, show what would run, start nothing.", flag_values=FLAGS
)

LOG = "train.log"
_MOST_STEPS_BETWEEN_CHECKPOINTS = 1000


def main(arguments: Sequence[str]) -> int:
    """Plans the job, and runs it unless this is a dry run."""
    app.no_arguments(arguments)
    config, model_dir = files.local_path(_CONFIG.value), files.local_path(_MODEL_DIR.value)
    own = extension.located(_EXTENSION.value)
    job, text, batch_size = plan(config, model_dir, _STEPS.value, _CHECKPOINT_EVERY.value, own)
    if _DRY_RUN.value:
        print(f"Would train in {job.style.upper()} style:\n  {shlex.join(('python', '-m', *job.argv()))}")
        return 0
    print(f"Training in {job.style.upper()} style to step {job.steps}; log: {model_dir / LOG}", file=sys.stderr)
    with progress.line() as show:
        show("starting the engine ...")
        result = run(job, text, _Display(job.steps, batch_size, show))
    print(f"Trained to step {result['step']}: {result['checkpoint']}")
    words = ("python", "-m", "tfod_tools.evaluate", f"--model_dir={model_dir}", *extension.flags(_EXTENSION.value))
    print(f"Next: {shlex.join(words)}")
    return 0


def plan(
    config: Path, model_dir: Path, steps: int | None, checkpoint_every: int | None, own: str | None = None
) -> tuple[TrainJob, str, int]:
    """Checks what can be checked without TensorFlow.

    Args:
      config: the pipeline.config.
      model_dir: folder of the run; may exist.
      steps: last step; None for the config's own.
      checkpoint_every: steps between checkpoints; None for a tenth of the run, at most 1000.
      own: file or module that brings the config's feature extractor; None if it is not the user's own.

    Returns:
      The job, the text of the config as it will run, and its batch size.

    Raises:
      ConfigError: the config cannot be read, names no steps, or the folder holds another config.
      Problems: the records or the label map are not there.
    """
    from pipeline_configs import extractors, inputs, run_folder
    from pipeline_configs.text import schema

    pipeline = schema.read(config)
    last_step = steps or pipeline.train_config.num_steps
    if not last_step:
        raise ConfigError("train_config.num_steps is not set. Set it, or pass --steps.", path=config)
    inputs.check(pipeline, config, training=True)
    as_run = run_folder.path(model_dir)
    run_folder.check_same_run(model_dir, pipeline, config)
    pipeline.train_config.num_steps = last_step
    job = TrainJob(
        config=str(as_run.resolve()),
        model_dir=str(model_dir.resolve()),
        style=extractors.style_of(pipeline, own),
        steps=last_step,
        checkpoint_every=checkpoint_every or _a_tenth(last_step),
        extension=own,
    )
    return job, run_folder.text(pipeline), pipeline.train_config.batch_size


def _a_tenth(steps: int) -> int:
    """A tenth of the run, at most 1000 steps, in whole tens: the TF2 loop can then run ten steps at a time."""
    tenth = min(steps // 10, _MOST_STEPS_BETWEEN_CHECKPOINTS)
    return max(1, tenth - tenth % 10 if tenth > 10 else tenth)


def run(job: TrainJob, config: str, on_event: Callable[[engine_process.Event], None]) -> engine_process.Event:
    """Writes the config into the model_dir and trains; returns the last step and its checkpoint.

    Where the engine refuses before its first step, the config that was there before is put back.

    Raises:
      CheckpointError: the model_dir is already trained that far.
      EngineError: the engine stopped with an error.
      Interrupted: the user stopped it; the checkpoint is saved.
    """
    path = Path(job.config)
    before = path.read_bytes() if path.exists() else None
    started = False

    def note_start(event: engine_process.Event) -> None:
        nonlocal started
        started = True
        on_event(event)

    files.write_atomically(path, config.encode())
    try:
        return engine_process.run(job.argv(), log=Path(job.model_dir) / LOG, on_event=note_start)
    except TfodError:
        if not started and before is not None:
            files.write_atomically(path, before)
        elif not started:
            path.unlink(missing_ok=True)
        raise


class _Display:
    """Turns progress events into the live line."""

    def __init__(self, steps: int, batch_size: int, show: Callable[[str], None]) -> None:
        self._steps = steps
        self._batch_size = batch_size
        self._show = show
        self._recent: collections.deque[tuple[int, float]] = collections.deque(maxlen=20)

    def __call__(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "progress":
            self._recent.append((event["step"], time.monotonic()))
            self._show(progress_line(event, self._steps, self._speed(event["step"])))
        elif event["event"] == "start" and event["step"]:
            self._show(f"going on from step {event['step']} ...")

    def _speed(self, step: int) -> str:
        """Images a second over the last twenty reports, and the time that is left at that speed; '' at first."""
        first_step, first_time = self._recent[0]
        seconds = self._recent[-1][1] - first_time
        if step == first_step or not seconds:
            return ""
        steps_per_s = (step - first_step) / seconds
        left = round((self._steps - step) / steps_per_s)
        clock = f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}"
        return f"  {steps_per_s * self._batch_size:.3g} images/s  {clock} left"


def progress_line(event: Mapping[str, Any], steps: int, speed: str) -> str:
    """The live line; the parts of the loss come last, where a narrow terminal cuts them off.

    Args:
      event: a progress event: step, losses by the engine's names (`Loss/RPNLoss/objectness_loss`), learning_rate.
      steps: the last step of the run.
      speed: text on images a second and time left.
    """
    losses = {_short(name): value for name, value in event["losses"].items()}
    total = _number(losses.pop("total", None))
    parts = ", ".join(f"{name} {_number(value)}" for name, value in losses.items())
    return f"step {event['step']}/{steps}  loss {total}  lr {_number(event['learning_rate'])}{speed}  ({parts})"


def _short(name: str) -> str:
    """`Loss/RPNLoss/objectness_loss` as `RPN objectness`."""
    parts = [part.removesuffix("_loss").removesuffix("Loss") for part in name.split("/")]
    return " ".join(part for part in parts if part)


def _number(value: float | None) -> str:
    return "not a number" if value is None else f"{value:.3g}"


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
