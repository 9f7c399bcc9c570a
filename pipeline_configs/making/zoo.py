"""The weights that the engine's authors published for a template, and the fields that make training start from them."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline_configs.making import template
from pipeline_configs.patches.patch import Edit
from tfod_tools.base import files
from tfod_tools.base.errors import UsageError

_ADDRESS = "http://download.tensorflow.org/models/object_detection/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Weights of the model zoo, and what the engine needs to know about them.

    Attributes:
      name: the archive's name without ".tar.gz". The folder in the archive has the same name.
      url: the address of the archive.
      prefix: how the names of the checkpoint's files begin, in the archive. This is the zoo's convention; some archives
        for phones hold other names.
      data: the data set that the weights were trained on.
      type: the value of `train_config.fine_tune_checkpoint_type`: all layers except those that depend on the classes.
      version: the value of `train_config.fine_tune_checkpoint_version`.
    """

    name: str
    url: str
    prefix: str
    data: str
    type: Literal["detection"]
    version: Literal["V1", "V2"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Weights of the model zoo with their place on this machine.

    Attributes:
      published: the weights.
      path: how the paths of the checkpoint's files begin, on this machine.
    """

    published: Checkpoint
    path: Path

    def edits(self) -> tuple[Edit, ...]:
        """The edits of a config that make training start from these weights."""
        return (
            Edit(path="train_config.fine_tune_checkpoint", value=json.dumps(f"{self.path}", ensure_ascii=False)),
            Edit(path="train_config.fine_tune_checkpoint_type", value=json.dumps(self.published.type)),
            Edit(path="train_config.fine_tune_checkpoint_version", value=self.published.version),
        )

    def download(self) -> str | None:
        """The shell command that gets the files; None if they are there already."""
        if self.path.with_name(f"{self.path.name}.index").exists():
            return None
        folder = self.path.parents[len(Path(self.published.prefix).parts) - 1]
        return f"curl -L {self.published.url} | tar xz -C {shlex.quote(f'{folder}')}"


def weights(name: str, wanted: str, folder: Path) -> Weights:
    """The weights that `--checkpoint` asks for.

    Args:
      name: the template; "" where the user starts from a config of their own.
      wanted: the flag's value: "auto", or how the paths of the files begin.
      folder: where "auto" puts the archive's folder.

    Raises:
      UsageError: there is no template, no weights were published for it, or `wanted` is a URL.
    """
    if not name:
        raise UsageError(
            "--checkpoint needs --template: it is for the weights that were published for a template. For a config of"
            " your own, use --set=train_config.fine_tune_checkpoint=PATH."
        )
    published = checkpoint(name)
    if published is None:
        raise UsageError(f"--checkpoint: no weights were published for {name}. --list shows which templates have some.")
    path = folder / published.prefix if wanted == "auto" else files.local_path(wanted)
    return Weights(published=published, path=path.absolute())


def checkpoint(name: str) -> Checkpoint | None:
    """The zoo's weights for the template `name`; None if it has none.

    Raises:
      UsageError: there is no such template.
    """
    found = template.listed(name)
    if not found.checkpoint:
        return None
    folder = found.checkpoint.rpartition("/")[2]
    tf2 = found.style == "tf2"
    return Checkpoint(
        name=folder,
        url=f"{_ADDRESS}{found.checkpoint}.tar.gz",
        prefix=f"{folder}/checkpoint/ckpt-0" if tf2 else f"{folder}/model.ckpt",
        data=found.zoo_data,
        type="detection",
        version="V2" if tf2 else "V1",
    )
