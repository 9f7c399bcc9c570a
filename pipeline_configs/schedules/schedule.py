"""The engine's learning rate at any step: `utils/learning_schedules.py` and `builders/optimizer_builder.py`, in Python.

The engine computes with 32 bits and this module with 64 bits. The results differ by at most 1e-6 of the highest rate.
TF1 and TF2 style use the same formulas. Two formulas are not here, because no pipeline.config can select them: the
exponential decay with warm-up of `learning_schedules.py`, and the polynomial decay of slim's own training script.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pipeline_configs.text.text_proto import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A learning rate schedule.

    Attributes:
      path: field path of its message, such as `train_config.optimizer.adam_optimizer.learning_rate.NAME`.
      kind: "constant", "exponential_decay", "manual_step" or "cosine_decay".
      message: the config's message for this kind of schedule.
    """

    path: str
    kind: str
    message: Any

    def rate_at(self, step: int) -> float:
        """The learning rate of the step after the first `step` steps; NaN where the engine computes NaN."""
        rate_at = {
            "constant": _constant,
            "exponential_decay": _exponential_decay,
            "manual_step": _manual_step,
            "cosine_decay": _cosine_decay,
        }[self.kind]
        return rate_at(self.message, step)

    def turns(self) -> list[int]:
        """The steps, sorted, at which the formula or a part of it changes; the first decay is always at one of them."""
        message = self.message
        match self.kind:
            case "exponential_decay":
                first = message.decay_steps if message.staircase else 1
                found = [message.burnin_steps, message.burnin_steps + first]
            case "manual_step":
                found = [1, *(entry.step for entry in message.schedule)]
            case "cosine_decay":
                held = message.warmup_steps + message.hold_base_rate_steps
                found = [message.warmup_steps, held, held + 1, message.total_steps, message.total_steps + 1]
            case _:
                found = []
        return sorted({step for step in found if step > 0})


def of(config: Config) -> Schedule | None:
    """The schedule of `config`; None if it has no optimizer or no learning rate."""
    optimizer = config.train_config.optimizer
    chosen = optimizer.WhichOneof("optimizer")
    rate = getattr(optimizer, chosen).learning_rate if chosen else None
    kind = rate.WhichOneof("learning_rate") if rate else None
    if rate is None or kind is None:
        return None
    path = f"train_config.optimizer.{chosen}.learning_rate.{kind}"
    return Schedule(path=path, kind=kind.removesuffix("_learning_rate"), message=getattr(rate, kind))


def _constant(message: Any, step: int) -> float:
    return float(message.learning_rate)


def _exponential_decay(message: Any, step: int) -> float:
    if step < message.burnin_steps:
        rate = message.burnin_learning_rate or message.initial_learning_rate
    else:
        drops = _divided(step - message.burnin_steps, message.decay_steps)
        if message.staircase and math.isfinite(drops):
            drops = math.floor(drops)
        rate = message.initial_learning_rate * _power(message.decay_factor, drops)
    return max(float(rate), float(message.min_learning_rate))


def _divided(steps: int, by: int) -> float:
    """The quotient, with the engine's result for a division by 0."""
    if by:
        return steps / by
    return math.inf if steps else math.nan


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan  # a negative base with a fraction as exponent


def _manual_step(message: Any, step: int) -> float:
    entries = message.schedule
    if message.warmup and entries and step < entries[0].step:
        slope = (entries[0].learning_rate - message.initial_learning_rate) / entries[0].step
        return float(message.initial_learning_rate + slope * step)
    reached = [entry.learning_rate for entry in entries if entry.step <= step]
    return float(reached[-1] if reached else message.initial_learning_rate)


def _cosine_decay(message: Any, step: int) -> float:
    base, warmup, hold = message.learning_rate_base, message.warmup_steps, message.hold_base_rate_steps
    if step > message.total_steps:
        return 0.0
    if step < warmup:
        start = message.warmup_learning_rate
        return float((base - start) / warmup * step + start)
    if hold and step <= warmup + hold:
        return float(base)
    falling = message.total_steps - warmup - hold
    if not falling:
        return math.nan
    return float(0.5 * base * (1 + math.cos(math.pi * (step - warmup - hold) / falling)))
