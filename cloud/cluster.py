"""The cluster of a job: roles and their machines, image, scheduling, environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from cloud.tasks import tf_config

Strategy = Literal["estimator", "multi_worker_mirrored"]
STRATEGIES: tuple[Strategy, ...] = ("estimator", "multi_worker_mirrored")
# The style of the configs that each strategy can train.
STYLES: Mapping[Strategy, Literal["tf1", "tf2"]] = {"estimator": "tf1", "multi_worker_mirrored": "tf2"}

DAY_S = 86400


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """The machines of one role; each runs one process.

    Attributes:
      count: number of machines.
      cpus: virtual CPUs of each machine.
      memory_gib: main memory of each machine, in GiB.
      accelerator: kind of GPU, a name in `cloud.estimates.hardware`; None without GPUs.
      accelerators: number of GPUs of each machine.
    """

    count: int
    cpus: int
    memory_gib: float
    accelerator: str | None = None
    accelerators: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduling:
    """When and how often a job may run.

    Attributes:
      spot: whether the provider may take the machines away, for a lower price.
      restarts: how often a task that failed is started again, from the last checkpoint.
      time_limit_s: seconds after which the job ends at the latest.
    """

    spot: bool = False
    restarts: int = 3
    time_limit_s: int = DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """The cluster of one job.

    Attributes:
      name: of the job; lower-case letters, digits and hyphens.
      strategy: how the tasks train together.
      roles: machines by role, in the order of `tf_config.ROLES`.
      image: the container image; None if the job file names none.
      scheduling: when and how often it may run.
      environment: variables of every task.
      secrets: variables whose values are in a secret store: name of the variable → SECRET/KEY.
      options: what only the chosen back-end needs, such as project and region.
    """

    name: str
    strategy: Strategy
    roles: Mapping[str, Role]
    image: str | None = None
    scheduling: Scheduling = field(default_factory=Scheduling)
    environment: Mapping[str, str] = field(default_factory=_nothing)
    secrets: Mapping[str, str] = field(default_factory=_nothing)
    options: Mapping[str, str] = field(default_factory=_nothing)

    @property
    def counts(self) -> dict[str, int]:
        """Number of tasks by role."""
        return {role: machines.count for role, machines in self.roles.items()}

    @property
    def tasks(self) -> tuple[tf_config.Task, ...]:
        """All tasks, by rank."""
        return tf_config.tasks(self.counts)

    @property
    def trainers(self) -> int:
        """Number of processes that train: chief and workers."""
        return tf_config.num_workers(self.counts)
