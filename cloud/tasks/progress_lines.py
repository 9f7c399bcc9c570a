"""The lines in which the launcher reports, wherever they end up: `chief-0: step 40 of 200, loss 3.1, ...`."""

from __future__ import annotations

import re

_STEP = re.compile(r"^(?:\S+: )?(?:chief|worker)-\d+: (?:step|starts at step|done at step) (\d+)", re.MULTILINE)
_LABEL = re.compile(r"(?:chief|worker|ps|evaluator)-\d+: ")


def last_step(text: str) -> int | None:
    """The last training step that a log tells of; None where it tells of none."""
    steps = _STEP.findall(text)
    return int(steps[-1]) if steps else None


def labelled(task: str, line: str) -> str:
    """`line` with the task before it, once."""
    return line if _LABEL.match(line) else f"{task}: {line}"
