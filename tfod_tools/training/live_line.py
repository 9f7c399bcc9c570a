"""The live line of a training run: step, loss, learning rate, speed and time left."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Mapping
from typing import Any

_REPORTS_FOR_SPEED = 20


class LiveLine:
    """Shows the progress events of the engine as one line of text."""

    def __init__(self, steps: int, batch_size: int, show: Callable[[str], None]) -> None:
        """Starts before the first event.

        Args:
          steps: the last step of the run.
          batch_size: images per step.
          show: replaces the line by a new text.
        """
        self._steps = steps
        self._batch_size = batch_size
        self._show = show
        self._recent: collections.deque[tuple[int, float]] = collections.deque(maxlen=_REPORTS_FOR_SPEED)

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Shows one event."""
        if event["event"] == "progress":
            self._recent.append((event["step"], time.monotonic()))
            self._show(text(event, self._steps, self._speed(event["step"])))
        elif event["event"] == "start" and event["step"]:
            self._show(f"going on from step {event['step']} ...")

    def _speed(self, step: int) -> str:
        """Images per second over the last reports, and the time that is left at that speed; '' at first."""
        first_step, first_time = self._recent[0]
        seconds = self._recent[-1][1] - first_time
        if step == first_step or not seconds:
            return ""
        steps_per_s = (step - first_step) / seconds
        left = round((self._steps - step) / steps_per_s)
        clock = f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}"
        return f"  {steps_per_s * self._batch_size:.3g} images/s  {clock} left"


def text(event: Mapping[str, Any], steps: int, speed: str) -> str:
    """The line for one event. The parts of the loss come last, because a narrow terminal cuts off the end.

    Args:
      event: a progress event: step, losses by the engine's names (`Loss/RPNLoss/objectness_loss`), learning_rate.
      steps: the last step of the run.
      speed: text with images per second and time left.
    """
    losses = {_short(name): value for name, value in event["losses"].items()}
    total = _number(losses.pop("total", None))
    parts = ", ".join(f"{name} {_number(value)}" for name, value in losses.items())
    return f"step {event['step']}/{steps}  loss {total}  lr {_number(event['learning_rate'])}{speed}  ({parts})"


def _short(name: str) -> str:
    """`Loss/RPNLoss/objectness_loss` as `RPN objectness`."""
    parts = [part.removesuffix("_loss").removesuffix("Loss") for part in name.split("/")]
    return " ".join(part for part in parts if part)


def _number(value: float | None) -> str:
    return "not a number" if value is None else f"{value:.3g}"
