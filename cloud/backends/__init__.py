"""The back-ends, one package each. The listing of this folder is their registry.

The package of a back-end holds:

- `__init__.py`: a docstring that says what the back-end is, and `FACTS`. It imports nothing else, since each task of a
  cluster loads it.
- `plan.py`: the function `plan` of `Backend`. It is pure and imports no SDK.
- `jobs.py`: the functions of `Jobs`. A back-end without this file only writes its document.
- `tasks.py`: the function `find(environment)`, with which a task finds the cluster and its own part in it. A back-end
  that sets TF_CONFIG itself has no such file.

What several back-ends share is in a package whose name begins with an underscore, such as `_kubernetes`.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from tfod_tools.base import plugins

if TYPE_CHECKING:
    from cloud.cluster import ClusterSpec
    from cloud.job import TrainJob
    from cloud.submission import RunStatus, Submission
    from cloud.tasks.tf_config import Cluster, Task

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the rest of the project needs to know about a back-end.

    Attributes:
      block: the block of the job file that only this back-end reads.
      options: the keys of that block.
      on_these_disks: whether its machines see the files of this machine under the same paths.
      needs_image: whether it runs containers.
      google_machines: whether its machines are machine types of Google's cloud, which have names and prices here.
      mounts: folders where its machines find files that this machine need not have.
      mount_option: the key of the block that names one more such folder; None if there is none.
    """

    block: str
    options: tuple[str, ...] = ()
    on_these_disks: bool = False
    needs_image: bool = True
    google_machines: bool = False
    mounts: tuple[str, ...] = ()
    mount_option: str | None = None


class Plan(Protocol):
    """The function `plan` of a back-end."""

    def __call__(self, job: TrainJob, cluster: ClusterSpec) -> Submission:
        """What would be sent. It is pure.

        Raises:
          ConfigError: the back-end cannot run this job.
        """


class Jobs(Protocol):
    """The file `jobs.py` of a back-end."""

    def submit(self, plan: Submission, cluster: ClusterSpec) -> str:
        """Sends the plan, or finds the run of it that has not ended. Returns the back-end's name for the run."""

    def status(self, plan: Submission, cluster: ClusterSpec) -> RunStatus:
        """The state of the run."""

    def logs(self, plan: Submission, cluster: ClusterSpec, *, follow: bool) -> Iterator[str]:
        """The log of the run, line by line; with `follow`, until the run ends."""

    def cancel(self, plan: Submission, cluster: ClusterSpec) -> None:
        """Ends the run. Trainers save a checkpoint if the back-end gives them the time."""


class Tasks(Protocol):
    """The file `tasks.py` of a back-end."""

    def find(self, environment: Mapping[str, str]) -> tuple[Cluster, Task]:
        """The cluster, and the task that this process is.

        Raises:
          ValueError, KeyError: the environment is not that of a task.
        """


@dataclass(frozen=True, slots=True)
class Backend:
    """A back-end.

    Attributes:
      name: of its package.
      facts: what is known about it.
      plan: makes a plan.
    """

    name: str
    facts: Facts
    plan: Plan

    @property
    def jobs(self) -> Jobs | None:
        """Sends plans and follows them; None if the back-end only writes its document."""
        if not _has(self.name, "jobs"):
            return None
        return cast("Jobs", importlib.import_module(f"{__name__}.{self.name}.jobs"))


def names() -> tuple[str, ...]:
    """The names of all back-ends."""
    return plugins.names(_FOLDER)


def load(name: str) -> Backend:
    """The back-end called `name`.

    Raises:
      UsageError: there is no such back-end.
    """
    facts = facts_of(name)
    plan = importlib.import_module(f"{__name__}.{name}.plan").plan
    return Backend(name, facts, plan)


def facts_of(name: str) -> Facts:
    """What is known about the back-end called `name`.

    Raises:
      UsageError: there is no such back-end.
    """
    return cast("Facts", plugins.load(__name__, _FOLDER, name, "back-end").FACTS)


@functools.cache
def all_facts() -> Mapping[str, Facts]:
    """What is known about each back-end, by name."""
    return {name: facts_of(name) for name in names()}


def with_tasks() -> tuple[str, ...]:
    """The names of the back-ends whose tasks find the cluster by themselves."""
    return tuple(name for name in names() if _has(name, "tasks"))


def tasks(name: str) -> Tasks:
    """How a task of the back-end `name` finds its cluster. No other back-end is loaded."""
    return cast("Tasks", importlib.import_module(f"{__name__}.{name}.tasks"))


def _has(name: str, part: str) -> bool:
    return (_FOLDER / name / f"{part}.py").is_file()
