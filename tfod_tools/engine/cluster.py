"""The part of this process in a cluster, as TF_CONFIG has it; `cloud/tasks/tf_config.py` writes it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

_TRAINERS = ("chief", "worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What this process is.

    Attributes:
      role: "chief", "worker", "ps" or "evaluator".
      trainers: how many processes train: the chief and the workers.
      alone: whether there is no cluster at all.
    """

    role: str = "chief"
    trainers: int = 1
    alone: bool = True

    @property
    def trains(self) -> bool:
        """Whether it computes gradients."""
        return self.role in _TRAINERS


def part() -> Part:
    """The part of this process; without TF_CONFIG that of a chief that is alone."""
    text = os.environ.get("TF_CONFIG")
    if not text:
        return Part()
    described = json.loads(text)
    trainers = sum(len(described["cluster"].get(role, ())) for role in _TRAINERS)
    return Part(role=described["task"]["type"], trainers=trainers, alone=False)
