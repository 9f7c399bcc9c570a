"""Edits that change the size of a run: batch size, GPUs, steps or epochs, and the learning rate that fits them.

The learning rate changes in proportion to the batch size (Goyal et al. 2017, arXiv:1706.02677). The starting point is
the batch size of the config that the user starts with; in a template it is the published one. If the length of the run
changes, warm-up and decays keep their share of the run, and a cosine schedule ends at the last step. Some published
configs have all decays after the end of the run. These are moved into the run, and the last one comes at 8/9 of it (as
in the 1x schedule of Detectron, with decays at 2/3 and 8/9).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

from pipeline_configs.dataset import Split
from pipeline_configs.extractors import Style
from pipeline_configs.patches.patch import Edit
from pipeline_configs.schedules import schedule, summary
from pipeline_configs.schedules.schedule import Schedule
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import UsageError

# The fields of each kind of schedule that hold learning rates, and the fields that hold steps.
_RATES = {
    "constant": ("learning_rate",),
    "exponential_decay": ("initial_learning_rate", "burnin_learning_rate", "min_learning_rate"),
    "manual_step": ("initial_learning_rate",),
    "cosine_decay": ("learning_rate_base", "warmup_learning_rate"),
}
_STEPS = {
    "constant": (),
    "exponential_decay": ("decay_steps", "burnin_steps"),
    "manual_step": (),
    "cosine_decay": ("total_steps", "warmup_steps", "hold_base_rate_steps"),
}
# The engine's default size of the buffer in records, and how much memory a larger buffer may take.
_SHUFFLE_BUFFER = 2048
_SHUFFLE_BYTES = 512e6
_FILENAMES_BUFFER = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The size of run that the user asks for; with None, a value stays as in the config that the user starts with.

    Attributes:
      batch_size: how many images each GPU takes in one step.
      gpus: how many GPUs share the work.
      steps: the last step.
      epochs: how often training sees each image; takes the place of `steps`.
      lr: the highest learning rate; takes the place of the rate that follows from the batch size.
    """

    batch_size: int | None = None
    gpus: int | None = None
    steps: int | None = None
    epochs: float | None = None
    lr: float | None = None

    def is_wished(self) -> bool:
        """Whether the user asks for anything."""
        return bool(self.flags())

    def flags(self) -> str:
        """The values that are set, as flags of make_config."""
        values = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return " ".join(f"--{name}={value:.9g}" for name, value in values if value is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """The edits that give a run its size.

    Attributes:
      edits: by field path.
      reason: why the learning rate and its decays change, in sentences; "" if they stay.
    """

    edits: tuple[Edit, ...]
    reason: str


def sized(run: Run, start: Config, style: Style, train: Split | None = None) -> Sized:
    """The edits that give the run of `start` the size that the user asks for.

    Args:
      run: what the user asks for.
      start: the config to begin with; its learning rate belongs to its batch size.
      style: the style in which it trains.
      train: the records to train on; None if they are not known.

    Raises:
      UsageError: two values contradict each other, or a value needs something that is missing.
    """
    before = start.train_config.batch_size
    batch, steps = _batch(run, before, style, train), _steps(run, start, style, train)
    edits = [Edit(path="train_config.batch_size", value=str(batch))] if batch != before else []
    if steps != start.train_config.num_steps:
        edits.append(Edit(path="train_config.num_steps", value=str(steps)))
    found, reason = schedule.of(start), ""
    if found is None and run.lr is not None:
        raise UsageError("--lr: the config has no learning rate to change. Set train_config.optimizer.")
    if found is not None:
        factor, reason = _factor(run, found, before, batch)
        edits += _of_rates(found, factor) if factor != 1 else []
        if run.steps or run.epochs:
            length, placed = _length(found, start.train_config.num_steps)
            edits += _of_steps(found, length, steps)
            reason = f"{reason} {placed}".strip()
    return Sized(edits=(*edits, *_of_buffers(train)), reason=reason)


def checkpoint_every(steps: int, images_per_step: int, images: int | None) -> int:
    """Steps between two checkpoints for a run that make_config has sized: about a tenth of the run, in whole epochs.

    Where an epoch is longer than a tenth of the run, or `images` is None, it is a tenth of the run.
    """
    tenth = max(steps // 10, 1)
    epoch = math.ceil(images / images_per_step) if images and images_per_step else tenth
    return max(tenth // epoch, 1) * epoch if epoch <= tenth else tenth


def _batch(run: Run, before: int, style: Style, train: Split | None) -> int:
    gpus = run.gpus or 1
    if gpus > 1 and style == "tf1":
        raise UsageError(f"--gpus={gpus}: a config of TF1 style trains on one GPU. Choose a template of TF2 style.")
    batch = (run.batch_size or before) * gpus
    if not batch:
        raise UsageError("train_config.batch_size is 0, so a step has no images. Set the batch size with --batch_size.")
    if train is None or batch <= train.images:
        return batch
    if run.batch_size or run.gpus:
        images = f"one step takes {batch} images on all GPUs together, but there are only {train.images} to train on"
        raise UsageError(f"--batch_size: {images}. Choose a smaller one.")
    return train.images


def _steps(run: Run, start: Config, style: Style, train: Split | None) -> int:
    if run.steps is not None and run.epochs is not None:
        raise UsageError("--steps and --epochs are both given. Give only one of them.")
    if run.epochs is None:
        return int(run.steps or start.train_config.num_steps)
    if not math.isfinite(run.epochs):
        raise UsageError(f"--epochs is {run.epochs}. Give a finite number.")
    if train is None:
        raise UsageError("--epochs needs --records, to know how many images there are. Add --records, or use --steps.")
    return math.ceil(run.epochs * train.images / _batch(run, start.train_config.batch_size, style, train))


def _factor(run: Run, found: Schedule, before: int, batch: int) -> tuple[float, str]:
    highest = _highest(found)
    if run.lr is not None:
        if not 0 < run.lr < math.inf:
            raise UsageError(f"--lr is {run.lr:g}. Give a number above 0.")
        if not highest:
            raise UsageError("--lr: every learning rate in the config is 0. Change the schedule with --set.")
        if math.isclose(run.lr, highest, rel_tol=1e-6):  # the config holds rates with 32 bits
            return 1.0, ""
        return run.lr / highest, f"The highest learning rate changes from {highest:.6g} to {run.lr:.6g}, as --lr says."
    if batch == before or not before:
        return 1.0, ""
    change = f"The highest learning rate changes from {highest:.6g} to {highest * batch / before:.6g}"
    reason = f"in proportion to the batch size, which changes from {before} to {batch}"
    return batch / before, f"{change}, {reason}. Use --lr to set another rate."


def _highest(found: Schedule) -> float:
    entries = [entry.learning_rate for entry in found.message.schedule] if found.kind == "manual_step" else []
    return float(max([*(getattr(found.message, name) for name in _RATES[found.kind]), *entries]))


def _of_rates(found: Schedule, factor: float) -> Iterator[Edit]:
    for name in _RATES[found.kind]:
        rate = getattr(found.message, name)
        if rate:
            yield Edit(path=f"{found.path}.{name}", value=f"{rate * factor:.6g}")
    for index, entry in enumerate(found.message.schedule if found.kind == "manual_step" else ()):
        yield Edit(path=f"{found.path}.schedule[{index}].learning_rate", value=f"{entry.learning_rate * factor:.6g}")


def _length(found: Schedule, before: int) -> tuple[int, str]:
    """The length of the run that the schedule was made for, in steps, 0 if it is not known; and a remark, or ""."""
    if found.kind == "cosine_decay":
        return found.message.total_steps, ""
    decay = summary.of(found, max(before, 1)).first_decay
    if found.kind != "manual_step" or decay is None or decay < before:
        return before, ""
    # Published runs were made shorter, and their schedules kept. The usual place of the last decay is 8/9 of the run.
    remark = "All decays came after the end of the run. Now the last one is at 8/9 of the run."
    return found.message.schedule[-1].step * 9 // 8, remark


def _of_steps(found: Schedule, length: int, steps: int) -> Iterator[Edit]:
    message = found.message
    if not length or not steps or length == steps:
        return
    for name in _STEPS[found.kind]:
        value = getattr(message, name)
        if value:
            # Rounded down, so that warm-up and hold never fill a whole cosine schedule.
            least = 1 if name in ("decay_steps", "total_steps") else 0
            yield Edit(path=f"{found.path}.{name}", value=str(max(value * steps // length, least)))
    last = 0
    for index, entry in enumerate(message.schedule if found.kind == "manual_step" else ()):
        last = max(entry.step * steps // length, last + 1)
        yield Edit(path=f"{found.path}.schedule[{index}].step", value=str(last))


def _of_buffers(train: Split | None) -> Iterator[Edit]:
    """The edits that make the shuffle buffers hold all records, or as many as fit into memory."""
    if train is None or not train.bytes:
        return
    fitting = min(train.images, int(_SHUFFLE_BYTES * train.images / train.bytes))
    if fitting > _SHUFFLE_BUFFER:
        yield Edit(path="train_input_reader.shuffle_buffer_size", value=str(fitting))
    if train.shards > _FILENAMES_BUFFER:
        yield Edit(path="train_input_reader.filenames_shuffle_buffer_size", value=str(train.shards))
