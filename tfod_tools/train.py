"""Train a model from its pipeline.config; a rerun goes on where the last one stopped.

The engine runs in a child process, in the style (TF1 or TF2) of the config's feature extractor. Its log goes to
MODEL_DIR/train.log, the config as it ran to MODEL_DIR/pipeline.config. Ctrl-C ends training with a checkpoint saved;
twice, at once and without. The last step is always checkpointed.

    python -m tfod_tools.train --config=pipeline.config --model_dir=model [--steps=5000]

Exit codes: 0 trained to the last step, 1 usage, 2 bad input, 4 the engine stopped with an error, 130 stopped by you.
"""

from __future__ import annotations

import collections
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import flags

from cloud.job import TrainJob
from tfod_tools import app
from tfod_tools.base import engine_process, progress
from tfod_tools.base.errors import ConfigError
from tfod_tools.base.files import write_atomically

FLAGS = flags.FlagValues()
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
_DRY_RUN = flags.DEFINE_bool(
    "dry_run", False, "Check everything, show what would run, start nothing.", flag_values=FLAGS
)

LOG = "train.log"
CONFIG_AS_RUN = "pipeline.config"
_MOST_STEPS_BETWEEN_CHECKPOINTS = 1000


def main(arguments: Sequence[str]) -> int:
    """Plans the job, and runs it unless this is a dry run."""
    app.no_arguments(arguments)
    config, model_dir = Path(_CONFIG.value), Path(_MODEL_DIR.value)
    job, text, batch_size = plan(config, model_dir, _STEPS.value, _CHECKPOINT_EVERY.value)
    if _DRY_RUN.value:
        print(f"Would train in {job.style.upper()} style:\n  python -m {' '.join(job.argv())}")
        return 0
    print(f"Training in {job.style.upper()} style to step {job.steps}; log: {model_dir / LOG}", file=sys.stderr)
    with progress.line() as show:
        show("starting the engine ...")
        result = run(job, text, _Display(job.steps, batch_size, show))
    print(f"Trained to step {result['step']}: {result['checkpoint']}")
    print(f"Next: python -m tfod_tools.evaluate --model_dir={model_dir}")
    return 0


def plan(config: Path, model_dir: Path, steps: int | None, checkpoint_every: int | None) -> tuple[TrainJob, str, int]:
    """Checks what can be checked without TensorFlow.

    Args:
      config: the pipeline.config.
      model_dir: folder of the run; may exist.
      steps: last step; None for the config's own.
      checkpoint_every: steps between checkpoints; None for a tenth of the run, at most 1000.

    Returns:
      The job, the text of the config as it will run, and its batch size.

    Raises:
      ConfigError: the config cannot be read, names no steps, or the folder holds a run of another model.
      RecordError: the training records or the label map are not there.
    """
    from pipeline_configs import inputs, schema, style

    pipeline = schema.read(config)
    last_step = steps or pipeline.train_config.num_steps
    if not last_step:
        raise ConfigError("train_config.num_steps is not set. Set it, or pass --steps.", path=config)
    inputs.check(pipeline, config)
    as_run = model_dir / CONFIG_AS_RUN
    if as_run.exists() and (model_dir / "checkpoint").exists() and schema.read(as_run).model != pipeline.model:
        raise ConfigError(
            f"its model differs from {as_run}, whose checkpoints are in that folder. Choose another --model_dir.",
            path=config,
        )
    pipeline.train_config.num_steps = last_step
    job = TrainJob(
        config=str(as_run.resolve()),
        model_dir=str(model_dir.resolve()),
        style=style.style_of(pipeline),
        steps=last_step,
        checkpoint_every=checkpoint_every or max(1, min(_MOST_STEPS_BETWEEN_CHECKPOINTS, last_step // 10)),
    )
    return job, schema.dump(pipeline), pipeline.train_config.batch_size


def run(job: TrainJob, config: str, on_event: Callable[[engine_process.Event], None]) -> engine_process.Event:
    """Writes the config into the model_dir and trains; returns the last step and its checkpoint.

    Raises:
      CheckpointError: the model_dir is already trained that far.
      EngineError: the engine stopped with an error.
      Interrupted: the user stopped it; the checkpoint is saved.
    """
    write_atomically(Path(job.config), config.encode())
    return engine_process.run(job.argv(), log=Path(job.model_dir) / LOG, on_event=on_event)


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
            self._show(f"{_state(event, self._steps)}{self._speed(event['step'])}")
        elif event["event"] == "start" and event["step"]:
            self._show(f"going on from step {event['step']} ...")

    def _speed(self, step: int) -> str:
        first_step, first_time = self._recent[0]
        seconds = self._recent[-1][1] - first_time
        if step == first_step or not seconds:
            return ""
        steps_per_s = (step - first_step) / seconds
        left = round((self._steps - step) / steps_per_s)
        clock = f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}"
        return f"  {steps_per_s * self._batch_size:.3g} images/s  {clock} left"


def _state(event: Mapping[str, Any], steps: int) -> str:
    losses = {name.rpartition("/")[2].removesuffix("_loss"): value for name, value in event["losses"].items()}
    total = losses.pop("total", None)
    parts = ", ".join(f"{name} {_number(value)}" for name, value in losses.items())
    rate = _number(event["learning_rate"])
    return f"step {event['step']}/{steps}  loss {_number(total)} ({parts})  learning rate {rate}"


def _number(value: float | None) -> str:
    return "not a number" if value is None else f"{value:.3g}"


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
