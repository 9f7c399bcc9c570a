"""Reads the lines that the launcher prints, in any log: `chief-0: step 40 of 200, loss 3.1, ...`."""

from __future__ import annotations

import re

_STEP = re.compile(r"^(?:\S+: )?(?:chief|worker)-\d+: (?:step|starts at step|done at step) (\d+)", re.MULTILINE)
_LABEL = re.compile(r"(?:chief|worker|ps|evaluator)-\d+: ")


def last_step(text: str) -> int | None:
    """The last training step in the log `text`; None if it has none."""
    steps = _STEP.findall(text)
    return int(steps[-1]) if steps else None


def labelled(task: str, line: str) -> str:
    """`line` with the name of its task in front, unless it already has one."""
    return line if _LABEL.match(line) else f"{task}: {line}"
