"""A plot of the learning rate over the steps of a run."""

from __future__ import annotations

import io
import math

from pipeline_configs.schedules import schedule
from pipeline_configs.schedules.schedule import Schedule
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError, MissingPackageError

_POINTS = 1000
# If the rate falls below this part of its highest value, the scale is logarithmic, so that one can see every decay.
_DEEP = 0.05


def png(config: Config, images: int | None = None) -> bytes:
    """A PNG file that shows the learning rate in the run that `config` describes.

    Args:
      config: the pipeline.config.
      images: how many images one epoch has; with None there is no axis of epochs.

    Raises:
      ConfigError: the config has no learning rate, or no num_steps.
      MissingPackageError: matplotlib is not installed.
    """
    found, steps = schedule.of(config), config.train_config.num_steps
    if found is None or not steps:
        raise ConfigError("there is no learning rate to draw. Set train_config.optimizer and train_config.num_steps.")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingPackageError("matplotlib", "train") from error
    at = sorted({*range(0, steps, max(steps // _POINTS, 1)), *_near_turns(found, steps), steps - 1})
    rates = [found.rate_at(step) for step in at]
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(at, rates)
    axes.set_xlabel("step")
    axes.set_ylabel("learning rate")
    axes.set_title(found.kind.replace("_", " "))
    axes.grid(alpha=0.3)
    if 0 < min(rates) < _DEEP * max(rates) < math.inf and found.kind != "cosine_decay":
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    if images and config.train_config.batch_size:
        epoch = images / config.train_config.batch_size
        axes.secondary_xaxis("top", functions=(lambda step: step / epoch, lambda count: count * epoch)).set_xlabel(
            "epoch"
        )
    out = io.BytesIO()
    # Without the version of matplotlib the same schedule gives the same bytes.
    figure.savefig(out, format="png", dpi=100, metadata={"Software": None})
    return out.getvalue()


def _near_turns(found: Schedule, steps: int) -> set[int]:
    return {step + by for step in found.turns() for by in (-1, 0) if step + by < steps}
