"""A run of another size: batch, GPUs, steps or epochs and learning rate as one coherent set of edits.

The learning rate goes up and down linearly with the batch (Goyal et al. 2017, arXiv:1706.02677), from the batch of the
config to begin with, which is that of the published values in a template. Where the length changes, warm-up and drops
keep their share of the run, and a cosine ends at its last step. Drops beyond the published run come into it, the last
at 8/9 (the 1x schedule of Detectron, whose drops are at 2/3 and 8/9).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

from pipeline_configs.dataset import Split
from pipeline_configs.patches.patch import Edit
from pipeline_configs.schedules import schedule, summary
from pipeline_configs.schedules.schedule import Schedule
from pipeline_configs.style import Style
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import UsageError

# The fields of each kind of schedule that hold rates, and those that hold steps.
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
# The engine's own size of the buffer, and how much memory a larger one may take.
_SHUFFLE_BUFFER = 2048
_SHUFFLE_BYTES = 512e6
_FILENAMES_BUFFER = 100
_MOST_STEPS_BETWEEN_CHECKPOINTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is wished of a run; None leaves it to the config to begin with.

    Attributes:
      batch_size: images that each GPU takes in a step.
      gpus: how many GPUs share the work.
      steps: the last step.
      epochs: how often training sees each image, in place of steps.
      lr: the highest learning rate, in place of the one that follows from the batch.
    """

    batch_size: int | None = None
    gpus: int | None = None
    steps: int | None = None
    epochs: float | None = None
    lr: float | None = None

    def is_wished(self) -> bool:
        """Whether anything is."""
        return bool(self.flags())

    def flags(self) -> str:
        """The wishes as flags of make_config, which have their names."""
        wishes = [(wish.name, getattr(self, wish.name)) for wish in fields(self)]
        return " ".join(f"--{name}={value:.9g}" for name, value in wishes if value is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """The edits that make a run of the wished size.

    Attributes:
      edits: by field path.
      reason: where the learning rate comes from, in a sentence; "" where it stays.
    """

    edits: tuple[Edit, ...]
    reason: str


def sized(run: Run, start: Config, style: Style, train: Split | None = None) -> Sized:
    """The edits of `start` that make the run that is wished.

    Args:
      run: the wishes.
      start: the config to begin with, whose learning rate belongs to its batch.
      style: in which it trains.
      train: the records to train on; None where they are not known.

    Raises:
      UsageError: two wishes contradict each other, or need what is not there.
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


def default_checkpoint_every(steps: int) -> int:
    """Steps between two checkpoints of a run of `steps` steps, where the user names no number.

    It is a tenth of the run, at most 1000 steps. Above 10 it is a multiple of 10, because the TF2 training loop can
    then make ten steps at a time.
    """
    tenth = min(steps // 10, _MOST_STEPS_BETWEEN_CHECKPOINTS)
    return max(1, tenth - tenth % 10 if tenth > 10 else tenth)


def checkpoint_every(steps: int, images_per_step: int, images: int | None) -> int:
    """Steps between two checkpoints, which are what is evaluated: about ten in a run, at the end of an epoch each."""
    tenth = max(steps // 10, 1)
    epoch = math.ceil(images / images_per_step) if images and images_per_step else tenth
    return max(tenth // epoch, 1) * epoch if epoch <= tenth else tenth


def _batch(run: Run, before: int, style: Style, train: Split | None) -> int:
    gpus = run.gpus or 1
    if gpus > 1 and style == "tf1":
        raise UsageError(f"--gpus={gpus}: a config of TF1 style trains on one GPU. Take a template of TF2 style.")
    batch = (run.batch_size or before) * gpus
    if not batch:
        raise UsageError("train_config.batch_size is 0, expected an image a step or more. Name --batch_size.")
    if train is None or batch <= train.images:
        return batch
    if run.batch_size or run.gpus:
        raise UsageError(f"--batch_size: {batch} images a step of all GPUs, but there are {train.images} to train on.")
    return train.images


def _steps(run: Run, start: Config, style: Style, train: Split | None) -> int:
    if run.steps is not None and run.epochs is not None:
        raise UsageError("found both of --steps and --epochs, expected one of them.")
    if run.epochs is None:
        return int(run.steps or start.train_config.num_steps)
    if not math.isfinite(run.epochs):
        raise UsageError(f"--epochs is {run.epochs}, expected a number.")
    if train is None:
        raise UsageError("--epochs needs --records, which says how many images there are. Or name --steps.")
    return math.ceil(run.epochs * train.images / _batch(run, start.train_config.batch_size, style, train))


def _factor(run: Run, found: Schedule, before: int, batch: int) -> tuple[float, str]:
    highest = _highest(found)
    if run.lr is not None:
        if not 0 < run.lr < math.inf:
            raise UsageError(f"--lr is {run.lr:g}, expected a number above 0.")
        if not highest:
            raise UsageError("--lr: every rate of the config is 0. Set the schedule by --set.")
        if math.isclose(run.lr, highest, rel_tol=1e-6):  # the config keeps it with 32 bits
            return 1.0, ""
        return run.lr / highest, f"Learning rate: {highest:.6g} -> {run.lr:.6g} at its highest, by --lr."
    if batch == before or not before:
        return 1.0, ""
    words = f"Learning rate: {highest:.6g} -> {highest * batch / before:.6g} at its highest, linear with the batch,"
    return batch / before, f"{words} {before} -> {batch} images. --lr sets another."


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
    """The steps that the schedule was made for, 0 where nobody knows, and what follows from them, in a sentence."""
    if found.kind == "cosine_decay":
        return found.message.total_steps, ""
    drop = summary.of(found, max(before, 1)).first_drop
    if found.kind != "manual_step" or drop is None or drop < before:
        return before, ""
    # Published runs were cut short, and their drops left where they were. The usual place of the last one is 8/9.
    return found.message.schedule[-1].step * 9 // 8, "The drops lay beyond the run; the last is now at 8/9 of it."


def _of_steps(found: Schedule, length: int, steps: int) -> Iterator[Edit]:
    message = found.message
    if not length or not steps or length == steps:
        return
    for name in _STEPS[found.kind]:
        value = getattr(message, name)
        if value:
            # Rounded down, so that warm-up and hold never take all of a cosine.
            least = 1 if name in ("decay_steps", "total_steps") else 0
            yield Edit(path=f"{found.path}.{name}", value=str(max(value * steps // length, least)))
    last = 0
    for index, entry in enumerate(message.schedule if found.kind == "manual_step" else ()):
        last = max(entry.step * steps // length, last + 1)
        yield Edit(path=f"{found.path}.schedule[{index}].step", value=str(last))


def _of_buffers(train: Split | None) -> Iterator[Edit]:
    """The edits that let shuffling mix all records, or as many as fit into memory."""
    if train is None or not train.bytes:
        return
    fitting = min(train.images, int(_SHUFFLE_BYTES * train.images / train.bytes))
    if fitting > _SHUFFLE_BUFFER:
        yield Edit(path="train_input_reader.shuffle_buffer_size", value=str(fitting))
    if train.shards > _FILENAMES_BUFFER:
        yield Edit(path="train_input_reader.filenames_shuffle_buffer_size", value=str(train.shards))
