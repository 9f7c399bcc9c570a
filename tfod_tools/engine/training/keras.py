"""Training in TF2 style: the engine's `train_loop`, but it reports, can be stopped, and saves its last step."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
from object_detection import model_lib_v2

from tfod_tools.base.errors import Interrupted
from tfod_tools.engine import checkpoints
from tfod_tools.engine.channel import Channel, stop_requests
from tfod_tools.engine.training import cluster, endings, keras_weights, rms_prop
from tfod_tools.engine.training.replacing import replaced

_LONGEST_ITERATION = 10
_CHECKPOINTS_KEPT = 7
_IMAGES_EVERY_STEPS = 500
_SCALARS_EVERY_STEPS = 100


class _StopTraining(Exception):
    """Leaves the engine's loop between two iterations."""


def train(*, config: str, model_dir: str, steps: int, checkpoint_every: int, events: Channel) -> None:
    """Trains up to the step `steps`, from the last checkpoint in `model_dir` if there is one.

    The engine saves only every `checkpoint_every` steps. The last step is saved here.

    Raises:
      CheckpointError: the folder already holds a checkpoint of that step or of a later one.
      Interrupted: a signal asked to stop. The checkpoint is saved.
      EngineError: the loss is not a number any more.
    """
    stop = stop_requests()
    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.INFO)
    start = checkpoints.step_to_start(model_dir, "tf2", steps)
    events.send("start", step=start, steps=steps)
    iteration = iteration_steps(start, steps, checkpoint_every)
    report = _Report(events, stop)
    part = cluster.part()
    with (
        _strategy(part).scope(),
        rms_prop.decay_of_the_mean(),
        keras_weights.accepted(),
        _saved_at_the_end() as last,
        _observed_summaries(report, iteration),
    ):
        try:
            model_lib_v2.train_loop(
                pipeline_config_path=config,
                model_dir=model_dir,
                train_steps=steps,
                checkpoint_every_n=checkpoint_every,
                checkpoint_max_to_keep=_CHECKPOINTS_KEPT,
                num_steps_per_iteration=iteration,
            )
        except _StopTraining:
            if part.trainers > 1:  # saving takes all of them, and the others may be a step further
                raise Interrupted("Stopped. Run the same command again to go on from the last checkpoint.") from None
            raise endings.stopped(last.save(), steps) from None
        step = last.save(together=part.trainers > 1)
    events.send("result", step=step, checkpoint=tf.train.latest_checkpoint(model_dir))


def _strategy(part: cluster.Part) -> Any:
    """The strategy of model_main_tf2: all GPUs of this machine, or of all machines of a cluster; else the CPUs."""
    return tf.distribute.MultiWorkerMirroredStrategy() if part.trainers > 1 else tf.distribute.MirroredStrategy()


def iteration_steps(start: int, steps: int, checkpoint_every: int) -> int:
    """How many steps the engine's loop runs at a time: the largest number up to 10 that divides all three arguments.

    Otherwise the loop would train further than `steps`, save later than `checkpoint_every`, or write no more scalars
    after `start`.
    """
    common = math.gcd(start, steps, checkpoint_every)
    return next(length for length in range(_LONGEST_ITERATION, 0, -1) if common % length == 0)


class _LastCheckpoint:
    """The checkpoint manager of the engine's loop, after the loop has made it."""

    manager: Any = None

    def save(self, *, together: bool = False) -> int:
        """Saves a checkpoint of the present step, unless the last checkpoint is of this step. Returns the step.

        Args:
          together: whether this is a cluster. Then every trainer must save, also where the last checkpoint is of this
            step.
            Every trainer except the chief saves into a folder of its own, which the engine removes.
        """
        step = int(tf.convert_to_tensor(self.manager.checkpoint.step))
        if together:
            self.manager.save()
            model_lib_v2.clean_temporary_directories(tf.distribute.get_strategy(), self.manager.directory)
            return step
        latest = self.manager.latest_checkpoint
        if latest is None or checkpoints.step_of(latest, "tf2") != step:
            self.manager.save()
        return step


@contextlib.contextmanager
def _saved_at_the_end() -> Iterator[_LastCheckpoint]:
    """Keeps the checkpoint manager that `train_loop` makes, so that it can be used after the loop."""
    last = _LastCheckpoint()
    original = tf.train.CheckpointManager

    class KeptManager(original):  # type: ignore[misc,valid-type]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            last.manager = self

    with replaced(tf.compat.v2.train, "CheckpointManager", KeptManager):
        yield last


class _Report:
    """Makes progress events of the scalars that `train_loop` writes after each iteration."""

    def __init__(self, events: Channel, stop: threading.Event) -> None:
        self._events = events
        self._stop = stop
        self._losses: dict[str, float | None] = {}

    def __call__(self, name: str, value: float, step: int) -> None:
        if name.startswith("Loss/"):
            self._losses[name] = value if math.isfinite(value) else None
        # The learning rate is the last scalar of an iteration.
        if name != "learning_rate":
            return
        self._events.send("progress", step=step, losses=self._losses, learning_rate=value)
        if None in self._losses.values():
            raise endings.diverged(step)
        if self._stop.is_set():
            raise _StopTraining


@contextlib.contextmanager
def _observed_summaries(report: Callable[[str, float, int], None], iteration: int) -> Iterator[None]:
    """Passes each scalar that is written outside a graph to `report`, and writes fewer of them.

    `train_loop` reports its losses only through summaries. It writes them, and three training images, after every
    iteration, which takes time. An iteration has a hundred steps in the engine's script, but at most ten here. So
    scalars are written at each of the first hundred steps and then about every hundred steps, as the script does, and
    images every 500 steps.

    Args:
      report: gets name, value and step.
      iteration: number of steps in an iteration.
    """
    summary = tf.compat.v2.summary
    scalar, image = summary.scalar, summary.image

    def observed_scalar(name: str, data: Any, step: Any = None, **kwargs: Any) -> Any:
        if not tf.executing_eagerly():
            return scalar(name, data, step=step, **kwargs)
        number = int(tf.convert_to_tensor(step))
        due = number <= _SCALARS_EVERY_STEPS or number % _SCALARS_EVERY_STEPS < iteration
        written = due and scalar(name, data, step=number, **kwargs)
        report(name, float(data), number)
        return written

    def rare_image(name: str, data: Any, step: Any = None, **kwargs: Any) -> Any:
        with summary.record_if(lambda: tf.equal(tf.cast(step, tf.int64) % _IMAGES_EVERY_STEPS, 0)):
            return image(name, data, step=step, **kwargs)

    with replaced(summary, "scalar", observed_scalar), replaced(summary, "image", rare_image):
        yield
