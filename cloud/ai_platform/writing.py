"""The job file that an AI Platform document becomes, as text, and the flags that the document passed on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cloud.cluster import DAY_S, Role
from cloud.estimates import hardware
from cloud.job_files.reader import Block

_NEEDED = ("project", "region")
TUNING = (
    "hyperparameter tuning is many training jobs, not one. Drop the block and choose the values, or put a "
    "HyperparameterTuningJob around the job that comes out of this."
)
ASKED = {
    "config": "which pipeline.config? The document names none; it was passed as --pipeline_config_path.",
    "model_dir": "where do checkpoints go? The document names no jobDir; it was --model_dir or --job-dir.",
    "image": "which image runs it, by digest? `submit bundle` writes a Dockerfile. local and slurm need none.",
}
DROPPED = {
    "runtimeVersion": "the service's images are gone; `submit bundle` writes a Dockerfile for one of your own",
    "pythonVersion": "the image decides",
    "packageUris": "the image holds the code",
    "useChiefInTfConfig": "the role is always called chief",
    "enableWebAccess": "it has no counterpart in the job file",
    "encryptionConfig": "pass --kms-key to gcloud yourself, or encrypt the bucket",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is not as it was.

    Attributes:
      field: of the document.
      line: of the document.
      was: what stood there.
      now: what stands for it; empty where nothing does.
      why: in words.
    """

    field: str
    line: int
    was: str
    now: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A job file made of a document.

    Attributes:
      text: the job file; fields that nobody could know are empty, so that it is refused until they are filled in.
      questions: what to fill in, by field.
      changes: what is not as it was.
    """

    text: str
    questions: tuple[str, ...]
    changes: tuple[Change, ...]


def text(
    fields: Mapping[str, str | None],
    roles: Mapping[str, Role],
    limit_s: int | None,
    vertex: Mapping[str, str | None],
    questions: Sequence[str],
) -> str:
    """The job file.

    Args:
      fields: those of the document itself; one without a value is left empty, so that the job file is refused.
      roles: machines by role.
      limit_s: seconds after which the job ends; None for a day.
      vertex: options of the back-end vertex.
      questions: what is to be filled in; comments.
    """
    asked = [f"# {question}" for question in questions]
    return "\n".join([*asked, *_lines(fields, roles, limit_s, vertex)]) + "\n"


def shape(wanted: Role) -> str:
    """The machine of Google's cloud that a role gets, in words."""
    gpus = f" + {wanted.accelerators} {wanted.accelerator}" if wanted.accelerator else ""
    return f"{hardware.machine('role', wanted).name}{gpus}"


def flags(block: Block) -> dict[str, str]:
    """The flags in `args`, written as `--name=value` or as two items."""
    value = block.value("args")
    content = value.content if value and isinstance(value.content, tuple) else ()
    words = [item.content for item in content if isinstance(item.content, str)]
    found, name = {}, ""
    for word in words:
        flag, equal, rest = word.partition("=")
        if flag.startswith("--") and equal:
            found[flag[2:]] = rest
        elif name:
            found[name] = word
        name = flag[2:] if flag.startswith("--") and not equal else ""
    return found


def _lines(
    fields: Mapping[str, str | None], roles: Mapping[str, Role], limit_s: int | None, vertex: Mapping[str, str | None]
) -> Iterator[str]:
    for key, value in fields.items():
        if value or key != "steps":
            yield f"{key}: {value or ''}".rstrip()
    yield "cluster:"
    for role, wanted in roles.items():
        count = f"count: {wanted.count}, " if wanted.count > 1 else ""
        several = f", accelerators: {wanted.accelerators}" if wanted.accelerators > 1 else ""
        gpus = f", accelerator: {wanted.accelerator}{several}" if wanted.accelerator else ""
        yield f"  {role}: {{{count}cpus: {wanted.cpus}, memory: {wanted.memory_gib:g}Gi{gpus}}}"
    yield f"scheduling: {{time_limit: {f'{limit_s}s' if limit_s else f'{DAY_S // 3600}h'}}}"
    yield "vertex:"
    for key, value in vertex.items():
        if value or key in _NEEDED:
            yield f"  {key}: {value or ''}".rstrip()
