"""The part of this process in a cluster, read from TF_CONFIG. `cloud/tasks/tf_config.py` writes it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

_TRAINERS = ("chief", "worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The part of one process.

    Attributes:
      role: "chief", "worker", "ps" or "evaluator".
      trainers: number of processes that train: the chief and the workers.
      alone: whether there is no cluster.
    """

    role: str = "chief"
    trainers: int = 1
    alone: bool = True

    @property
    def trains(self) -> bool:
        """Whether it computes gradients."""
        return self.role in _TRAINERS


def part() -> Part:
    """The part of this process. Without TF_CONFIG it is a chief that is alone."""
    text = os.environ.get("TF_CONFIG")
    if not text:
        return Part()
    described = json.loads(text)
    trainers = sum(len(described["cluster"].get(role, ())) for role in _TRAINERS)
    return Part(role=described["task"]["type"], trainers=trainers, alone=False)
