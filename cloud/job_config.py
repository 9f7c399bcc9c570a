"""The pipeline.config of a job file: read on this machine, and changed to what the job needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cloud import backends, job, record_paths
from cloud.estimates.fit import Facts
from cloud.job_files.job_file import JobFile
from tfod_tools.base.errors import ConfigError

if TYPE_CHECKING:
    from pipeline_configs.text.text_proto import Config

# Where the job finds a config that is sent with the plan.
_SENT = "pipeline.config"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobConfig:
    """The pipeline.config of a job.

    Attributes:
      plan: the job, and the text of the config with the paths of the records as the job sees them.
      facts: what the estimates need from the config.
      reads: paths of records and label maps, as the job sees them.
      label_map: the content of the label map of the training records; None if it is not on this machine.
    """

    plan: job.Plan
    facts: Facts
    reads: tuple[str, ...] = ()
    label_map: bytes | None = None


def read(file: JobFile, backend: str | None) -> JobConfig | None:
    """The config of a job; None if only the job sees it.

    Args:
      file: the job file.
      backend: the name of the back-end; None if it is not known yet.

    Raises:
      ConfigError: the config is missing, cannot be read, or does not fit the job.
      Problems: its records or its label map are missing.
      UsageError: there is no such back-end.
    """
    path = Path(file.config)
    if not path.is_file():
        if record_paths.only_there(file.config, file):
            return None
        message = (
            f"config: there is no file {path}. Check the path. Relative paths begin in the folder of the job file."
        )
        raise ConfigError(message, path=file.path, line=file.lines["config"])
    from cloud.estimates import config_facts
    from pipeline_configs import inputs
    from pipeline_configs.text import schema

    pipeline = schema.read(path)
    steps = _steps(file, pipeline)
    facts = config_facts.of(pipeline, steps, inputs.matching)
    label_map = Path(pipeline.train_input_reader.label_map_path)
    _move_and_check(pipeline, path, file, backend)
    plan = job.of_pipeline(
        pipeline,
        config=_SENT,
        model_dir=file.model_dir,
        steps=steps,
        checkpoint_every=file.checkpoint_every,
        extension=extension(file, backend),
    )
    return JobConfig(
        plan=plan,
        facts=facts,
        reads=tuple(config_facts.paths(pipeline)),
        label_map=label_map.read_bytes() if label_map.is_file() else None,
    )


def extension(file: JobFile, backend: str | None) -> str | None:
    """The file or module with the user's own feature extractor, as the job sees it; None if there is none.

    Raises:
      ConfigError: the file is missing, or its path holds only on this machine.
    """
    named = file.extension
    if named is None or not named.endswith(".py") or backend is None:
        return named
    if backends.facts_of(backend).on_these_disks:
        path = (Path(file.path).parent / named).resolve()
        if path.is_file():
            return str(path)
        message = (
            f"extension: there is no file {path}. Check the path. Relative paths begin in the folder of the job file."
        )
    elif named.startswith("/"):
        return named
    else:
        message = f"extension is '{named}', a path on this machine. {backend} runs the job on other machines. Copy the "
        message += "file there, for example into the image, and write its path there, which begins with /."
    raise ConfigError(message, path=file.path, line=file.lines["extension"])


def _steps(file: JobFile, pipeline: Config) -> int:
    found = file.steps or pipeline.train_config.num_steps
    if not found:
        message = "the number of steps is missing. Add 'steps: ...', or set train_config.num_steps in the config."
        raise ConfigError(message, path=file.path)
    return int(found)


def _move_and_check(pipeline: Config, path: Path, file: JobFile, backend: str | None) -> None:
    """Checks the files that can be checked here, and gives the records the paths that the job sees."""
    from cloud.estimates import config_facts

    here = backend is not None and backends.facts_of(backend).on_these_disks
    if here and file.records:
        config_facts.move_records(pipeline, file.records)
    if here or file.records:
        job.check(pipeline, path, Path(file.model_dir))
    else:
        record_paths.check_seen(config_facts.paths(pipeline), file, backend)
    if not here and file.records:
        config_facts.move_records(pipeline, file.records)
