"""Plans a run of training from its config and its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cloud.job import TrainJob
from tfod_tools.base.errors import ConfigError

_MOST_STEPS_BETWEEN_CHECKPOINTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run of training that can start.

    Attributes:
      job: what the engine is asked to do.
      config: the text of the pipeline.config as it will run.
      batch_size: images per step.
    """

    job: TrainJob
    config: str
    batch_size: int


def plan(
    config: Path,
    model_dir: Path,
    *,
    steps: int | None = None,
    checkpoint_every: int | None = None,
    extension: str | None = None,
) -> Plan:
    """Checks what can be checked without TensorFlow.

    Args:
      config: the pipeline.config.
      model_dir: folder of the run; may exist.
      steps: last step; None for the config's own.
      checkpoint_every: steps between checkpoints; None for a tenth of the run, at most 1000.
      extension: file or module with the user's own feature extractor; None if there is none.

    Raises:
      ConfigError: the config cannot be read, names no steps, or the folder holds another config.
      Problems: the records or the label map are missing.
    """
    from pipeline_configs import extractors, inputs, run_folder
    from pipeline_configs.text import schema

    pipeline = schema.read(config)
    last_step = steps or pipeline.train_config.num_steps
    if not last_step:
        raise ConfigError("train_config.num_steps is not set. Set it, or pass --steps.", path=config)
    inputs.check(pipeline, config, training=True)
    run_folder.check_same_run(model_dir, pipeline, config)
    pipeline.train_config.num_steps = last_step
    job = TrainJob(
        config=str(run_folder.path(model_dir).resolve()),
        model_dir=str(model_dir.resolve()),
        style=extractors.style_of(pipeline, extension),
        steps=last_step,
        checkpoint_every=checkpoint_every or _a_tenth(last_step),
        extension=extension,
    )
    return Plan(job=job, config=run_folder.text(pipeline), batch_size=pipeline.train_config.batch_size)


def _a_tenth(steps: int) -> int:
    """A tenth of the run, at most 1000 steps, in whole tens: the TF2 loop can then run ten steps at a time."""
    tenth = min(steps // 10, _MOST_STEPS_BETWEEN_CHECKPOINTS)
    return max(1, tenth - tenth % 10 if tenth > 10 else tenth)
