"""From a job file to a plan: the job, the cluster, the submission, and the estimates."""

from __future__ import annotations

import dataclasses
import datetime
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud import backends, job_config
from cloud.backends import Backend
from cloud.cluster import STYLES, ClusterSpec
from cloud.estimates import fit, hardware, prices
from cloud.estimates.fit import Fit
from cloud.estimates.hardware import Machine
from cloud.estimates.prices import Prices
from cloud.job import TrainJob, train_job
from cloud.job_config import JobConfig
from cloud.job_files import job_file
from cloud.job_files.job_file import JobFile
from cloud.submission import Submission
from cloud.tasks import words
from tfod_tools.base.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan and all that belongs to it.

    Attributes:
      submission: what would be sent.
      cluster: the cluster.
      backend: where the job runs.
      job: what the tasks do together.
      reads: the paths that the job reads, as it sees them.
      machines: the machine type of each role; empty if the back-end has none that are known here.
      fit: cost, figures and warnings.
      prices: the table of prices.
    """

    submission: Submission
    cluster: ClusterSpec
    backend: Backend
    job: TrainJob
    reads: tuple[str, ...]
    machines: dict[str, Machine]
    fit: Fit
    prices: Prices

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know before the job is sent."""
        return (*self.fit.warnings, *self.submission.notes)


def read(path: Path, backend: str, own_prices: Path | None = None) -> Planned:
    """The plan of a job file.

    Args:
      path: the job file.
      backend: the name of the back-end.
      own_prices: a table of prices of the user; None without one.

    Raises:
      UsageError: there is no such back-end.
      TfodError: the job file, its config, its records or the table of prices are wrong.
    """
    table = prices.load(own_prices)
    file = job_file.read(path)
    return plan(file, backend, job_config.read(file, backend), table)


def plan(file: JobFile, backend_name: str, config: JobConfig | None, table: Prices) -> Planned:
    """The plan of a job file on a back-end. It is pure. If the config was read, each task gets it in a variable.

    Args:
      file: the job file.
      backend_name: the name of the back-end.
      config: its pipeline.config; None if only the job sees it.
      table: prices.

    Raises:
      UsageError: there is no such back-end.
      ConfigError: the config is of the other style, the number of steps is unknown, or the back-end refuses the job.
    """
    backend = backends.load(backend_name)
    job = _job(file, backend_name, config)
    environment = dict(file.cluster.environment)
    if config:
        environment[words.CONFIG_VARIABLE] = config.plan.config
    options = file.options.get(backend.facts.block, {})
    cluster = dataclasses.replace(file.cluster, environment=environment, options=options)
    try:
        _check_image(cluster, backend)
        submission = backend.plan(job, cluster)
        roles = cluster.roles if backend.facts.google_machines else {}
        machines = {role: hardware.machine(role, wanted) for role, wanted in roles.items()}
    except ConfigError as error:
        raise ConfigError(error.message, path=file.path, line=error.line) from error
    return Planned(
        submission=submission,
        cluster=cluster,
        backend=backend,
        job=job,
        reads=config.reads if config else (file.config,),
        machines=machines,
        fit=fit.assess(cluster, config.facts if config else None, machines, table),
        prices=table,
    )


def stale_prices(table: Prices, today: datetime.date) -> tuple[str, ...]:
    """A warning about a table of prices that is too old."""
    if not table.is_stale(today):
        return ()
    return (f"the prices are {table.age_days(today)} days old. Pass newer ones with --prices.",)


def lines(planned: Planned, warnings: tuple[str, ...]) -> list[str]:
    """The plan for people."""
    submission = planned.submission
    found = [f"{submission.name} on {submission.backend}, {planned.cluster.strategy}", ""]
    found += [f"  {role:<10}{_machines(planned, role)}" for role in planned.cluster.roles]
    found += ["", *(f"  {name:<14}{value}" for name, value in planned.fit.figures)]
    found += ["", *(f"warning: {warning}" for warning in warnings)] if warnings else []
    for name, content in submission.files.items():
        found += ["", f"--- {name}", content.rstrip("\n")]
    if submission.command:
        found += ["", f"by hand: {shlex.join(submission.command)}"]
    return found


def document(planned: Planned, warnings: tuple[str, ...]) -> dict[str, Any]:
    """The plan for programs; docs/cloud.md describes the keys."""
    submission = planned.submission
    machines = {
        role: {**dataclasses.asdict(wanted), "machine_type": _machine_type(planned, role)}
        for role, wanted in planned.cluster.roles.items()
    }
    return {
        "name": submission.name,
        "backend": submission.backend,
        "run_id": submission.run_id,
        "strategy": planned.cluster.strategy,
        "machines": machines,
        "figures": dict(planned.fit.figures),
        "warnings": list(warnings),
        "files": dict(submission.files),
        "command": list(submission.command),
    }


def _job(file: JobFile, backend: str, config: JobConfig | None) -> TrainJob:
    style = STYLES[file.cluster.strategy]
    if config is None:
        if not file.steps:
            message = "the number of steps is missing, and the config is not on this machine. Add 'steps: ...'."
            raise ConfigError(message, path=file.path)
        return train_job(
            config=file.config,
            model_dir=file.model_dir,
            style=style,
            steps=file.steps,
            checkpoint_every=file.checkpoint_every,
            extension=job_config.extension(file, backend),
        )
    job = config.plan.job
    if job.style == style:
        return job
    fits = next(strategy for strategy, other in STYLES.items() if other == job.style)
    raise ConfigError(
        f"strategy is {file.cluster.strategy}, but the config's feature extractor trains in {job.style.upper()} style. "
        f"Set strategy: {fits}, or use a config of the other style.",
        path=file.path,
        line=file.lines["strategy"],
    )


def _check_image(cluster: ClusterSpec, backend: Backend) -> None:
    if backend.facts.needs_image and not cluster.image:
        raise ConfigError(
            f"{backend.name} runs containers, but the job file names no image. Add 'image: REGISTRY/NAME@sha256:...'."
        )


def _machines(planned: Planned, role: str) -> str:
    wanted = planned.cluster.roles[role]
    gpus = f", {wanted.accelerators} {wanted.accelerator}" if wanted.accelerator else ""
    machine = _machine_type(planned, role)
    kind = f" ({machine})" if machine else ""
    return f"{wanted.count} x {wanted.cpus} CPUs, {wanted.memory_gib:g} GiB{gpus}{kind}"


def _machine_type(planned: Planned, role: str) -> str | None:
    return planned.machines[role].name if role in planned.machines else None
