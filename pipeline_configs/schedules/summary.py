"""A summary of a run: its length, and where its learning rate starts, is highest, falls and ends."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from pipeline_configs.schedules import schedule
from pipeline_configs.schedules.schedule import Schedule
from pipeline_configs.text.text_proto import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The main values of a schedule in a run.

    Attributes:
      first: the rate of step 0.
      highest: the highest rate of the run; NaN if the rate of any step is NaN.
      highest_at: the first step with the highest rate.
      first_decay: the first step with a lower rate than the step before it, even if the run ends earlier; None if the
        rate never falls.
      last: the rate of the last step.
    """

    first: float
    highest: float
    highest_at: int
    first_decay: int | None
    last: float


def of(found: Schedule, steps: int) -> Summary:
    """The main values of `found` in a run of `steps` steps; `steps` is at least 1."""
    turns = found.turns()
    # Between two turns the rate only rises or only falls.
    looked_at = sorted({0, steps - 1, *(step + by for step in turns for by in (-1, 0) if step + by < steps)})
    rates = [found.rate_at(step) for step in looked_at]
    highest = math.nan if any(map(math.isnan, rates)) else max(rates)
    decays = (step for step in turns if found.rate_at(step) < found.rate_at(step - 1))
    return Summary(
        first=found.rate_at(0),
        highest=highest,
        highest_at=0 if math.isnan(highest) else looked_at[rates.index(highest)],
        first_decay=next(decays, None),
        last=found.rate_at(steps - 1),
    )


def lines(config: Config, images: int | None = None) -> list[str]:
    """The summary of the run that `config` describes: one line for its length, and one for its learning rate.

    Args:
      config: the pipeline.config; if it has no learning rate or no num_steps, there are no lines.
      images: how many images one epoch has; None if that is not known.
    """
    steps, batch, summed = config.train_config.num_steps, config.train_config.batch_size, _of_config(config)
    if summed is None:
        return []
    epochs = f": {_count(steps * batch / images)} epochs of {images} images" if images else ""
    length = f"{steps} steps of {batch} image{'' if batch == 1 else 's'}{epochs}."
    if math.isnan(summed.highest):
        return [length, "Learning rate: it becomes NaN (not a number)."]
    return [length, f"Learning rate: {_course(summed, steps, images / batch if images and batch else None)}"]


def document(config: Config, images: int | None = None) -> dict[str, Any]:
    """What `lines` says, for programs.

    Returns:
      `steps`, `batch_size`, `epochs` (null where `images` is None) and `learning_rate`: the fields of `Summary`, with
      null for NaN; null where there is no schedule or no length.
    """
    steps, batch, summed = config.train_config.num_steps, config.train_config.batch_size, _of_config(config)
    rates = None if summed is None else dataclasses.asdict(summed)
    return {
        "steps": steps,
        "batch_size": batch,
        "epochs": steps * batch / images if images else None,
        "learning_rate": rates
        and {name: None if value is None or math.isnan(value) else value for name, value in rates.items()},
    }


def _of_config(config: Config) -> Summary | None:
    """The summary of the config's run; None where it has no learning rate or no num_steps."""
    steps, found = config.train_config.num_steps, schedule.of(config)
    if found is None or not steps or (found.kind == "manual_step" and not found.message.schedule):
        return None
    return of(found, steps)


def _course(summed: Summary, steps: int, epoch_steps: float | None) -> str:
    """How the learning rate goes through the run, in words."""
    decay = summed.first_decay
    falls = decay is not None and decay < steps
    if not falls and not summed.highest_at:
        course = f"{summed.first:.3g} in every step."
    else:
        parts = [f"starts at {summed.first:.3g}"]
        if summed.highest_at:
            parts.append(f"rises to {summed.highest:.3g} at step {summed.highest_at}")
        if falls:
            parts.append(f"falls from step {decay}{_in_epochs(decay, epoch_steps)}")
        course = f"{', '.join(parts)}, ends at {summed.last:.3g}."
    if decay is None or falls:
        return course
    return f"{course} Its first decay would be at step {decay}, after the end of the run."


def _in_epochs(step: int | None, epoch_steps: float | None) -> str:
    return f" (epoch {_count(step / epoch_steps)})" if step and epoch_steps else ""


def _count(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"
