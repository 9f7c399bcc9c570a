"""From a job file to a plan: the job, the cluster, the submission, and what is to be said about them."""

from __future__ import annotations

import dataclasses
import datetime
import shlex
from dataclasses import dataclass
from types import ModuleType

from cloud import backends
from cloud.cluster import ENGINE_STYLE, ClusterSpec
from cloud.estimates import fit, hardware
from cloud.estimates.fit import Facts, Fit
from cloud.estimates.prices import Prices
from cloud.job import TrainJob
from cloud.job_files.job_file import JobFile
from cloud.submission import Submission
from cloud.tasks import words
from tfod_tools.base.errors import ConfigError

# Back-ends of Google's cloud, whose machine types have prices.
_GOOGLE = ("vertex",)
_TRAVELLING = "pipeline.config"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The pipeline.config of a job, read on this machine.

    Attributes:
      text: with the paths of the records as the job sees them.
      engine_style: "tf1" or "tf2", by its feature extractor.
      facts: what bears on the cluster.
      reads: paths of records and label maps, as the job sees them.
      label_map: the label map of the training records; None where it is not here.
    """

    text: str
    engine_style: str
    facts: Facts
    reads: tuple[str, ...] = ()
    label_map: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan and all that belongs to it; `reads` are the paths that the job reads, as it sees them."""

    submission: Submission
    cluster: ClusterSpec
    backend: ModuleType
    job: TrainJob
    reads: tuple[str, ...]
    fit: Fit
    prices: Prices


def plan(file: JobFile, backend_name: str, config: Config | None, table: Prices) -> Planned:
    """The plan of a job file on a back-end; pure. A config that was read travels with it, as a variable of every task.

    Args:
      file: the job file.
      backend_name: a name of `cloud.backends`.
      config: its pipeline.config; None where only the job sees it.
      table: prices.

    Raises:
      UsageError: there is no such back-end.
      ConfigError: the config is of the other style, nobody knows the number of steps, or the back-end refuses the job.
    """
    backend = backends.load(backend_name)
    _check_style(file, config)
    steps = file.steps or (config.facts.steps if config else 0)
    if not steps:
        raise ConfigError("steps is missing, and the config is not here to ask. Add 'steps: ...'.", path=file.path)
    environment = dict(file.cluster.environment)
    if config:
        environment[words.CONFIG_VARIABLE] = config.text
    job = TrainJob(
        config=_TRAVELLING if config else file.config,
        model_dir=file.model_dir,
        style=ENGINE_STYLE[file.cluster.style],
        steps=steps,
        checkpoint_every=file.checkpoint_every or min(1000, max(1, steps // 10)),
    )
    options = file.options.get(backend.OPTIONS, {})
    cluster = dataclasses.replace(file.cluster, environment=environment, options=options)
    try:
        submission = backend.plan(job, cluster)
        roles = cluster.roles if backend_name in _GOOGLE else {}
        machines = {role: hardware.machine(role, wanted) for role, wanted in roles.items()}
    except ConfigError as error:
        raise ConfigError(error.message, path=file.path, line=error.line) from error
    facts = dataclasses.replace(config.facts, steps=steps) if config else None
    return Planned(
        submission=submission,
        cluster=cluster,
        backend=backend,
        job=job,
        reads=reads(file, config),
        fit=fit.assess(cluster, facts, machines, table),
        prices=table,
    )


def reads(file: JobFile, config: Config | None) -> tuple[str, ...]:
    """What the job reads before it trains, as far as it is known here."""
    return config.reads if config else (file.config,)


def stale_prices(table: Prices, today: datetime.date) -> tuple[str, ...]:
    """A line about a table that is too old to trust."""
    if not table.is_stale(today):
        return ()
    return (f"the prices are {table.age_days(today)} days old. Pass newer ones with --prices.",)


def text(planned: Planned, more_warnings: tuple[str, ...] = ()) -> str:
    """The plan as a person reads it."""
    submission = planned.submission
    lines = [f"{submission.name} on {submission.backend}, {planned.cluster.style}", ""]
    lines += [f"  {role:<10}{_machines(planned, role)}" for role in planned.cluster.roles]
    lines += ["", *(f"  {name:<14}{value}" for name, value in planned.fit.figures)]
    warnings = (*planned.fit.warnings, *submission.notes, *more_warnings)
    lines += ["", *(f"warning: {warning}" for warning in warnings)] if warnings else []
    for name, content in submission.files.items():
        lines += ["", f"--- {name}", content.rstrip("\n")]
    if submission.command:
        lines += ["", f"by hand: {shlex.join(submission.command)}"]
    return "\n".join(lines)


def _machines(planned: Planned, role: str) -> str:
    wanted = planned.cluster.roles[role]
    gpus = f", {wanted.accelerators} {wanted.accelerator}" if wanted.accelerator else ""
    kind = f" ({hardware.machine(role, wanted).name})" if planned.submission.backend in _GOOGLE else ""
    return f"{wanted.count} x {wanted.cpus} CPUs, {wanted.memory_gib:g} GiB{gpus}{kind}"


def _check_style(file: JobFile, config: Config | None) -> None:
    if config is None or ENGINE_STYLE[file.cluster.style] == config.engine_style:
        return
    fits = next(style for style, engine in ENGINE_STYLE.items() if engine == config.engine_style)
    raise ConfigError(
        f"style is {file.cluster.style}, but the config's feature extractor trains in {config.engine_style.upper()} "
        f"style. Set style: {fits}, or take a config of the other style.",
        path=file.path,
        line=file.lines["style"],
    )
