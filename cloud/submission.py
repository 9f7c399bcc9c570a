"""What goes to a back-end, and what comes back from it, in one form for all of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from cloud.cluster import ClusterSpec
from cloud.job import TrainJob
from tfod_tools.base.errors import ConfigError

State = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "UNKNOWN"]
ENDED: tuple[State, ...] = ("SUCCEEDED", "FAILED", "CANCELLED")
LABEL = "tfod-run"

# A file of a plan: its text, or what is to be written as YAML.
Content = str | Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A plan: the whole of what is sent, and nothing that depends on when or where it was made.

    Attributes:
      backend: which back-end it is for.
      name: the job's name there; it ends with the run id, so that the same plan is never run twice at once.
      run_id: 12 hexadecimal digits, of the hash of everything else.
      files: text by file name: what `run` sends, and `plan --output` writes.
      command: words of a shell that submit the files, run beside them; empty where `run` needs none.
      notes: what the user ought to know before it is run.
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
      state: where it is.
      restarts: how often it was started again.
      exit_code: how it last ended; None while it never did, or where the back-end does not tell.
    """

    task: str
    state: State
    restarts: int = 0
    exit_code: int | None = None

    def row(self) -> tuple[str, str, int, int | None]:
        """As a row of a table."""
        return self.task, self.state, self.restarts, self.exit_code


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """A run.

    Attributes:
      state: where it is.
      where: the back-end's own name for it.
      step: last training step that was reported; None before the first.
      tasks: its tasks by rank; empty where the back-end tells only of the whole.
      message: what the back-end says, in one line.
    """

    state: State
    where: str
    step: int | None = None
    tasks: tuple[TaskStatus, ...] = ()
    message: str = ""

    def summary(self, steps: int) -> str:
        """In one line, `steps` being the last one of the training."""
        at = f", step {self.step} of {steps}" if self.step else ""
        return f"{self.state}{at}; {self.where}{f': {self.message}' if self.message else ''}"


class Backend(Protocol):
    """A file of `cloud/backends`: a module with a docstring and these functions.

    Those that only write their document have `plan` and no more.
    """

    def plan(self, job: TrainJob, cluster: ClusterSpec) -> Submission:
        """What would be sent; pure."""

    def submit(self, submission: Submission, cluster: ClusterSpec) -> str:
        """Sends it, or finds the run of it that is under way; returns the back-end's name for the run."""

    def status(self, submission: Submission, cluster: ClusterSpec) -> RunStatus:
        """Where the run is."""

    def logs(self, submission: Submission, cluster: ClusterSpec, *, follow: bool) -> Iterator[str]:
        """Its log, line by line; with `follow`, until the run ends."""

    def cancel(self, submission: Submission, cluster: ClusterSpec) -> None:
        """Ends it; trainers save a checkpoint if the back-end leaves them the time."""


def planned(
    backend: str,
    cluster: ClusterSpec,
    render: Callable[[str, str], Mapping[str, Content]],
    command: Callable[[str, str], tuple[str, ...]] = lambda name, run_id: (),
    notes: tuple[str, ...] = (),
) -> Submission:
    """The submission whose files `render` makes, given the job's name there and the run id.

    The run id is the hash of what they would hold without one, and not of how YAML is laid out, so that the same plan
    has the same id on any machine.
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
    """An option that `backend` cannot do without.

    Raises:
      ConfigError: the job file does not give it.
    """
    found = cluster.options.get(key)
    if not found:
        raise ConfigError(f"{backend} needs {backend}.{key}. Add it to the job file.")
    return found


def image(cluster: ClusterSpec, backend: str) -> str:
    """The container image, where there must be one.

    Raises:
      ConfigError: the job file names none.
    """
    if not cluster.image:
        raise ConfigError(
            f"{backend} runs containers, and the job file names no image. Add 'image: REGISTRY/NAME@sha256:...'."
        )
    return cluster.image


def no_secrets(cluster: ClusterSpec, backend: str, advice: str) -> None:
    """Refuses secrets where the back-end has no way to hand them on by reference.

    Raises:
      ConfigError: the job file names some.
    """
    if cluster.secrets:
        names = ", ".join(cluster.secrets)
        raise ConfigError(f"{backend} cannot hand on the secrets {names} by reference. {advice}")


def remote(job: TrainJob, backend: str, *starts: str) -> None:
    """Refuses a job whose files the back-end's machines cannot see.

    Args:
      job: the job; a config that is not remote travels with the plan.
      backend: for the message.
      starts: how the path of a model_dir must begin, such as `gs://`.

    Raises:
      ConfigError: its model_dir begins otherwise.
    """
    if not job.model_dir.startswith(starts):
        raise ConfigError(
            f"model_dir is {job.model_dir}, which {backend} cannot see. Expected {' or '.join(starts)}..."
        )


def _yaml(document: Mapping[str, Any]) -> str:
    """`document` as YAML: keys in their order, long text as blocks."""
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
