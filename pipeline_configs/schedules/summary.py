"""The numbers of a run that matter: how long it is, and when its learning rate is high, falls and ends."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline_configs.schedules import schedule
from pipeline_configs.schedules.schedule import Schedule
from pipeline_configs.text.text_proto import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a schedule comes to in a run.

    Attributes:
      first: rate of step 0.
      highest: the highest rate of the run; not a number where any is not.
      highest_at: the first step that has it.
      first_drop: the first step with a lower rate than the step before, also where the run is over by then; None where
        there is none.
      last: rate of the last step.
    """

    first: float
    highest: float
    highest_at: int
    first_drop: int | None
    last: float


def of(found: Schedule, steps: int) -> Summary:
    """What `found` comes to in a run of `steps` steps, at least one."""
    turns = found.turns()
    # Between two turns a rate only rises or only falls.
    looked_at = sorted({0, steps - 1, *(step + by for step in turns for by in (-1, 0) if step + by < steps)})
    rates = [found.rate_at(step) for step in looked_at]
    highest = math.nan if any(map(math.isnan, rates)) else max(rates)
    drops = (step for step in turns if found.rate_at(step) < found.rate_at(step - 1))
    return Summary(
        first=found.rate_at(0),
        highest=highest,
        highest_at=0 if math.isnan(highest) else looked_at[rates.index(highest)],
        first_drop=next(drops, None),
        last=found.rate_at(steps - 1),
    )


def lines(config: Config, images: int | None = None) -> list[str]:
    """The summary of the run that `config` describes, a line for its length and one for its learning rate.

    Args:
      config: the pipeline.config; there are no lines where it has no learning rate or no num_steps.
      images: of an epoch; None where nobody knows.
    """
    steps, batch, found = config.train_config.num_steps, config.train_config.batch_size, schedule.of(config)
    if found is None or not steps or (found.kind == "manual_step" and not found.message.schedule):
        return []
    summed = of(found, steps)
    epochs = f": {_count(steps * batch / images)} epochs of {images} images" if images else ""
    length = f"{steps} steps of {batch} image{'' if batch == 1 else 's'}{epochs}."
    if math.isnan(summed.highest):
        return [length, "Learning rate: not a number."]
    at = f" at step {summed.highest_at}" if summed.highest_at else ""
    start = f"{summed.first:.3g} at first, " if summed.highest_at else ""
    drop = _drop(found, summed, steps, images / batch if images and batch else None)
    return [length, f"Learning rate: {start}{summed.highest:.3g}{at}, {drop}, {summed.last:.3g} at the end."]


def _drop(found: Schedule, summed: Summary, steps: int, epoch_steps: float | None) -> str:
    step = summed.first_drop
    if step is None:
        return "never falls"
    if step >= steps:
        return f"never falls: the first drop would come at step {step}"
    epoch = f" (epoch {_count(step / epoch_steps)})" if epoch_steps else ""
    return f"falls from step {step}{epoch}"


def _count(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"
