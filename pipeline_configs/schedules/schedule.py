"""The engine's learning rate at any step: `utils/learning_schedules.py` and `builders/optimizer_builder.py`, in Python.

The engine computes with 32 bits, this module with 64: they agree to 1e-6 of the highest rate. Both of the engine's
styles use the same formulas. Of those in `learning_schedules.py`, no config can reach the exponential decay with a
warm-up; polynomial decay is only in slim's own training script, which reads no pipeline.config.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pipeline_configs.text.text_proto import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How a learning rate goes on.

    Attributes:
      path: of the message that describes it, such as `train_config.optimizer.adam_optimizer.learning_rate.NAME`.
      kind: "constant", "exponential_decay", "manual_step" or "cosine_decay".
      message: what the config says of it.
    """

    path: str
    kind: str
    message: Any

    def rate_at(self, step: int) -> float:
        """The rate of the step that begins when `step` steps are done; not a number where the engine has none."""
        rate_at = {
            "constant": _constant,
            "exponential_decay": _exponential_decay,
            "manual_step": _manual_step,
            "cosine_decay": _cosine_decay,
        }[self.kind]
        return rate_at(self.message, step)

    def turns(self) -> list[int]:
        """The steps, sorted, from which on another formula or another part of it counts; the first drop is at one."""
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
    """The schedule of `config`; None where it has no optimizer or no learning rate."""
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
    """The quotient as the engine has it, which divides by 0."""
    if by:
        return steps / by
    return math.inf if steps else math.nan


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan  # a negative number to the power of a fraction


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
