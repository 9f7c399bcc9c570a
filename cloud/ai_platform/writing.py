"""The job file of an AI Platform document as text, and the flags in the document."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud.cluster import DAY_S, Role
from cloud.estimates import hardware
from cloud.job_files.reader import Block

_NEEDED = ("project", "region")
TUNING = (
    "hyperparameter tuning runs many jobs, but a job file describes one. Remove this block and choose the values "
    "yourself, or put the new job into a HyperparameterTuningJob of Vertex AI."
)
ASKED = {
    "config": "which pipeline.config? The document names none. The flag was --pipeline_config_path.",
    "model_dir": "which folder for checkpoints? The document names no jobDir. The flag was --model_dir or --job-dir.",
    "image": "which image, by its digest? `tfod submit bundle` writes a Dockerfile. Not all back-ends need an image.",
}
DROPPED = {
    "runtimeVersion": "the images of the service are gone; `tfod submit bundle` writes a Dockerfile for your own",
    "pythonVersion": "the image decides it",
    "packageUris": "the image has the code",
    "useChiefInTfConfig": "the role is always called chief",
    "enableWebAccess": "the job file has no such setting",
    "encryptionConfig": "give gcloud --kms-key yourself, or encrypt the bucket",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A difference between the document and the job file.

    Attributes:
      field: of the document.
      line: of the document.
      was: the old value.
      now: what replaces it; empty if nothing does.
      why: the reason.
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
      text: the job file. Fields without a known value are empty, so it is refused until the user fills them in.
      questions: what to fill in, by field.
      changes: what is different.
    """

    text: str
    questions: tuple[str, ...]
    changes: tuple[Change, ...]

    def lines(self, path: Path) -> list[str]:
        """The changes, with their lines in the document `path`, and the job file."""
        changes = [
            f"{path}:{change.line}: {change.field}: {change.was} -> {change.now or 'removed'}: {change.why}."
            for change in self.changes
        ]
        return [*changes, "", self.text.rstrip("\n")]

    def document(self) -> dict[str, Any]:
        """The same for programs; docs/cloud.md describes the keys."""
        changes = [dataclasses.asdict(change) for change in self.changes]
        return {"job_file": self.text, "questions": list(self.questions), "changes": changes}


def text(
    fields: Mapping[str, str | None],
    roles: Mapping[str, Role],
    limit_s: int | None,
    vertex: Mapping[str, str | None],
    questions: Sequence[str],
) -> str:
    """The job file.

    Args:
      fields: the top fields. A field without a value stays empty, so the job file is refused.
      roles: machines by role.
      limit_s: seconds after which the job ends; None for a day.
      vertex: options of the back-end vertex.
      questions: what to fill in; they become comments.
    """
    asked = [f"# {question}" for question in questions]
    return "\n".join([*asked, *_lines(fields, roles, limit_s, vertex)]) + "\n"


def shape(wanted: Role) -> str:
    """The machine type and the GPUs that a role gets in Google's cloud."""
    gpus = f" + {wanted.accelerators} {wanted.accelerator}" if wanted.accelerator else ""
    return f"{hardware.machine('role', wanted).name}{gpus}"


def flags(block: Block) -> dict[str, str]:
    """The flags in `args`, in the form `--name=value` or as two items."""
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
