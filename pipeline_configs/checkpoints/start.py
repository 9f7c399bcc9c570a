"""What is known about the start of training in addition to the config."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_configs.checkpoints.restoration import Restoration
from pipeline_configs.text.text_proto import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How training starts, and on which machines.

    Attributes:
      checkpoint: prefix of a checkpoint that takes the place of the config's own; None for the config's own.
      model_dir: the folder of the run; None if it is not known.
      restoration: the engine's answer about the checkpoint; None if the engine was not asked.
      gpus: how many GPUs share a batch; 0 if that is not known.
      machines: how many machines train together, each on its own files; 0 if that is not known.
    """

    checkpoint: str | None = None
    model_dir: Path | None = None
    restoration: Restoration | None = None
    gpus: int = 0
    machines: int = 0

    def prefix(self, config: Config) -> str:
        """The prefix of the checkpoint to start from; "" if there is none."""
        return self.checkpoint or str(config.train_config.fine_tune_checkpoint)


def checkpoint_type(train_config: Any) -> str:
    """The part of the checkpoint that is loaded; if fine_tune_checkpoint_type is not set, the engine's choice."""
    return str(train_config.fine_tune_checkpoint_type) or (
        "detection" if train_config.from_detection_checkpoint else "classification"
    )
