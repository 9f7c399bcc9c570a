"""A training job: its command is the same on this machine, on a cluster and in a cloud."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pipeline_configs.text.text_proto import Config

ENTRY = "tfod_tools.engine.train"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainJob:
    """One training run of the engine. All paths are as the job sees them.

    Attributes:
      config: path of the pipeline.config.
      model_dir: folder of checkpoints and summaries.
      style: "tf1" (slim, Estimator) or "tf2" (Keras); the config's feature extractor decides it.
      steps: global step at which training ends.
      checkpoint_every: steps between two checkpoints. The last step always gets one.
      extension: file or module with the user's own feature extractor; None if there is none.
    """

    config: str
    model_dir: str
    style: Literal["tf1", "tf2"]
    steps: int
    checkpoint_every: int
    extension: str | None = None

    def __post_init__(self) -> None:
        """Refuses numbers that make no sense."""
        if self.steps < 1 or self.checkpoint_every < 1:
            raise ValueError(f"steps is {self.steps}, checkpoint_every {self.checkpoint_every}. Both must be positive.")

    def argv(self) -> tuple[str, ...]:
        """The module and its flags, for use after `python -m`. They describe the job completely."""
        return (
            ENTRY,
            f"--style={self.style}",
            f"--config={self.config}",
            f"--model_dir={self.model_dir}",
            f"--steps={self.steps}",
            f"--checkpoint_every={self.checkpoint_every}",
            *([f"--extension={self.extension}"] if self.extension else []),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A job that can start.

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
    """The plan of a run on this machine. Checks all that can be checked without TensorFlow.

    Args:
      config: the pipeline.config.
      model_dir: folder of the run; may exist.
      steps: last step; None for the config's own.
      checkpoint_every: steps between checkpoints; None for `default_checkpoint_every`.
      extension: file or module with the user's own feature extractor; None if there is none.

    Raises:
      ConfigError: the config cannot be read, has no number of steps, or the folder holds another config.
      Problems: the records or the label map are missing.
    """
    from pipeline_configs import run_folder
    from pipeline_configs.text import schema
    from tfod_tools.base.errors import ConfigError

    pipeline = schema.read(config)
    last_step = steps or pipeline.train_config.num_steps
    if not last_step:
        raise ConfigError("train_config.num_steps is not set. Set it, or pass --steps.", path=config)
    check(pipeline, config, model_dir)
    return of_pipeline(
        pipeline,
        config=str(run_folder.path(model_dir).resolve()),
        model_dir=str(model_dir.resolve()),
        steps=last_step,
        checkpoint_every=checkpoint_every,
        extension=extension,
    )


def check(pipeline: Config, config: Path, model_dir: Path) -> None:
    """Makes sure that the inputs of a run exist here, and that the run may write its config into `model_dir`.

    Args:
      pipeline: the pipeline.config.
      config: the file of `pipeline`, for errors.
      model_dir: folder of the run; may exist.

    Raises:
      ConfigError: the folder holds another config.
      Problems: the records or the label map are missing.
    """
    from pipeline_configs import inputs, run_folder

    inputs.check(pipeline, config, training=True)
    run_folder.check_same_run(model_dir, pipeline, config)


def of_pipeline(
    pipeline: Config,
    *,
    config: str,
    model_dir: str,
    steps: int,
    checkpoint_every: int | None,
    extension: str | None,
) -> Plan:
    """The plan of a job from its pipeline.config. Sets `num_steps` in `pipeline`; checks no files.

    Args:
      pipeline: the pipeline.config, with the paths of its records as the job sees them.
      config: where the job finds it.
      model_dir: folder of the run, as the job sees it.
      steps: last step.
      checkpoint_every: steps between checkpoints; None for `default_checkpoint_every`.
      extension: file or module with the user's own feature extractor, as the job sees it; None if there is none.

    Raises:
      ConfigError: the feature extractor is unknown, and there is no extension.
    """
    from pipeline_configs import extractors, run_folder

    pipeline.train_config.num_steps = steps
    job = train_job(
        config=config,
        model_dir=model_dir,
        style=extractors.style_of(pipeline, extension),
        steps=steps,
        checkpoint_every=checkpoint_every,
        extension=extension,
    )
    return Plan(job=job, config=run_folder.text(pipeline), batch_size=pipeline.train_config.batch_size)


def train_job(
    *,
    config: str,
    model_dir: str,
    style: Literal["tf1", "tf2"],
    steps: int,
    checkpoint_every: int | None,
    extension: str | None,
) -> TrainJob:
    """The job with these values; `checkpoint_every` None becomes `default_checkpoint_every`."""
    from pipeline_configs.schedules.checkpoints import default_checkpoint_every

    return TrainJob(
        config=config,
        model_dir=model_dir,
        style=style,
        steps=steps,
        checkpoint_every=checkpoint_every or default_checkpoint_every(steps),
        extension=extension,
    )
