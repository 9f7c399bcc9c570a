"""A plan and the state of a run, in one form for all back-ends."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cloud.cluster import ClusterSpec
from cloud.job import TrainJob
from tfod_tools.base.errors import ConfigError

State = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "UNKNOWN"]
ENDED: tuple[State, ...] = ("SUCCEEDED", "FAILED", "CANCELLED")
LABEL = "tfod-run"

# A file of a plan: its text, or a document that becomes YAML.
Content = str | Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A plan: all that is sent. It does not depend on the time or the machine where it was made.

    Attributes:
      backend: the name of the back-end.
      name: the job's name there. It ends with the run id, so the same plan never runs twice at once.
      run_id: 12 hexadecimal digits from the hash of all the rest.
      files: text by file name, which `run` sends and `plan --output` writes.
      command: the command that submits the files, in their folder; empty if there is none.
      notes: what the user should know before the job is sent.
    """

    backend: str
    name: str
    run_id: str
    files: Mapping[str, str]
    command: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    """One task of a run.

    Attributes:
      task: `chief-0` and the like.
      state: queued, running or ended.
      restarts: how often it was started again.
      exit_code: of its last end; None if it never ended, or if the back-end does not say.
    """

    task: str
    state: State
    restarts: int = 0
    exit_code: int | None = None

    def row(self) -> tuple[str, str, int, int | None]:
        """A row of a table."""
        return self.task, self.state, self.restarts, self.exit_code


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """The state of a run.

    Attributes:
      state: queued, running or ended.
      where: the back-end's own name for the run.
      step: the last training step in its log; None before the first.
      tasks: its tasks by rank; empty if the back-end reports only on the whole run.
      message: of the back-end, in one line.
    """

    state: State
    where: str
    step: int | None = None
    tasks: tuple[TaskStatus, ...] = ()
    message: str = ""

    def summary(self, steps: int) -> str:
        """The state in one line; `steps` is the last step of the training."""
        at = f", step {self.step} of {steps}" if self.step else ""
        return f"{self.state}{at}; {self.where}{f': {self.message}' if self.message else ''}"

    def document(self, steps: int) -> dict[str, Any]:
        """The state for programs; docs/cloud.md describes the keys."""
        return {**dataclasses.asdict(self), "tasks": [dataclasses.asdict(task) for task in self.tasks], "steps": steps}


def planned(
    backend: str,
    cluster: ClusterSpec,
    render: Callable[[str, str], Mapping[str, Content]],
    command: Callable[[str, str], tuple[str, ...]] = lambda name, run_id: (),
    notes: tuple[str, ...] = (),
) -> Submission:
    """The submission of a job.

    The run id is the hash of the files' content without a run id, before it becomes YAML. So the same plan has the same
    id on every machine.

    Args:
      backend: the name of the back-end.
      cluster: the cluster.
      render: makes the files from the name of the job and the run id.
      command: makes the command that submits the files, from the same.
      notes: what the user should know before the job is sent.
    """
    contents = json.dumps([backend, *sorted(render(cluster.name, "").items())])
    run_id = hashlib.sha256(contents.encode()).hexdigest()[:12]
    name = f"{cluster.name}-{run_id}"
    files = render(name, run_id).items()
    return Submission(
        backend=backend,
        name=name,
        run_id=run_id,
        files={file: content if isinstance(content, str) else _yaml(content) for file, content in files},
        command=command(name, run_id),
        notes=notes,
    )


def option(cluster: ClusterSpec, backend: str, key: str) -> str:
    """An option that `backend` needs.

    Raises:
      ConfigError: the job file does not have it.
    """
    found = cluster.options.get(key)
    if not found:
        raise ConfigError(f"{backend} needs {backend}.{key}. Add it to the job file.")
    return found


def no_secrets(cluster: ClusterSpec, backend: str, advice: str) -> None:
    """Refuses secrets, for a back-end that cannot pass them on by reference.

    Raises:
      ConfigError: the job file names secrets.
    """
    if cluster.secrets:
        names = ", ".join(cluster.secrets)
        raise ConfigError(f"{backend} cannot pass on the secrets {names} by reference. {advice}")


def remote(job: TrainJob, backend: str, *starts: str) -> None:
    """Refuses a job whose model_dir the machines of the back-end cannot see.

    Args:
      job: the job.
      backend: its name, for the message.
      starts: how the path of a model_dir can begin, such as `gs://`.

    Raises:
      ConfigError: the model_dir begins with something else.
    """
    if not job.model_dir.startswith(starts):
        raise ConfigError(
            f"model_dir is {job.model_dir}. {backend} cannot see this path. Use one that begins with "
            f"{' or '.join(starts)}."
        )


def _yaml(document: Mapping[str, Any]) -> str:
    """`document` as YAML. Keys keep their order; text of several lines becomes a block."""
    import yaml

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: Any, data: str) -> Any:
        style = "|" if "\n" in data else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    Dumper.add_representer(str, text)
    written: str = yaml.dump(document, Dumper=Dumper, sort_keys=False, width=1000, allow_unicode=True)
    return written
