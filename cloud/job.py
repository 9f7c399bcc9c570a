"""A training job: the words that start it are the same on this machine, on a cluster and in the cloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainJob:
    """One training run of the engine.

    Attributes:
      config: path of the pipeline.config, as the job sees it.
      model_dir: folder of checkpoints and summaries, as the job sees it.
      style: "tf1" (slim, Estimator) or "tf2" (Keras), as the config's feature extractor has it.
      steps: global step at which training ends.
      checkpoint_every: steps between two checkpoints; the last step has one in any case.
      extension: file or module of the user's that brings the feature extractor, as the job sees it; None if none does.
    """

    config: str
    model_dir: str
    style: Literal["tf1", "tf2"]
    steps: int
    checkpoint_every: int
    extension: str | None = None

    def __post_init__(self) -> None:
        """Refuses numbers that cannot be meant."""
        if self.steps < 1 or self.checkpoint_every < 1:
            raise ValueError(f"steps and checkpoint_every must be positive, got {self.steps}, {self.checkpoint_every}")

    def argv(self) -> tuple[str, ...]:
        """Module and flags, to be put after `python -m`; they are the whole meaning of the job."""
        return (
            "tfod_tools.engine.train",
            f"--style={self.style}",
            f"--config={self.config}",
            f"--model_dir={self.model_dir}",
            f"--steps={self.steps}",
            f"--checkpoint_every={self.checkpoint_every}",
            *([f"--extension={self.extension}"] if self.extension else []),
        )
