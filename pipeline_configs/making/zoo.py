"""The weights that the engine's authors published for a template, and the fields that make training begin with them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from pipeline_configs.making import template
from pipeline_configs.patches.patch import Edit

_ADDRESS = "http://download.tensorflow.org/models/object_detection/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Weights of the zoo, and how they are told to the engine.

    Attributes:
      name: of the archive without ".tar.gz", which is also the folder in it.
      url: where the archive is.
      prefix: of the checkpoint's files in the archive, by the zoo's convention; some archives for phones hold other
        names.
      data: the data set that the weights were trained on.
      type: of `train_config.fine_tune_checkpoint_type`: all but the layers that depend on the classes.
      version: of `train_config.fine_tune_checkpoint_version`.
    """

    name: str
    url: str
    prefix: str
    data: str
    type: Literal["detection"]
    version: Literal["V1", "V2"]

    def edits(self, path: str) -> tuple[Edit, ...]:
        """The fine-tuning fields that match these weights, whose files begin with `path` on this machine."""
        return (
            Edit(path="train_config.fine_tune_checkpoint", value=json.dumps(path, ensure_ascii=False)),
            Edit(path="train_config.fine_tune_checkpoint_type", value=json.dumps(self.type)),
            Edit(path="train_config.fine_tune_checkpoint_version", value=self.version),
        )


def checkpoint(name: str) -> Checkpoint | None:
    """The zoo's weights for the template `name`; None where it has none.

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
