"""Where training starts and on what, as far as the config alone does not say it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_configs.checkpoints.restoration import Restoration
from pipeline_configs.text.text_proto import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What is known about it.

    Attributes:
      checkpoint: prefix of a checkpoint to look at in place of the config's own; None for that one.
      model_dir: the folder of the run; None where it was not named.
      restoration: what the engine says about the checkpoint; None where it was not asked.
      gpus: how many share a batch; 0 where that was not told.
      machines: how many train together, each on its own files; 0 where that was not told.
    """

    checkpoint: str | None = None
    model_dir: Path | None = None
    restoration: Restoration | None = None
    gpus: int = 0
    machines: int = 0

    def prefix(self, config: Config) -> str:
        """Of the checkpoint; "" where there is none."""
        return self.checkpoint or str(config.train_config.fine_tune_checkpoint)


def checkpoint_type(train_config: Any) -> str:
    """Which part of the checkpoint is loaded, as the engine takes it where fine_tune_checkpoint_type is not set."""
    return str(train_config.fine_tune_checkpoint_type) or (
        "detection" if train_config.from_detection_checkpoint else "classification"
    )
