"""Training in TF1 style: the same as the engine's `model_main`, but it reports losses and saves when it is stopped."""

from __future__ import annotations

import math
import threading
import time
from typing import Any

import tensorflow.compat.v1 as tf
from object_detection import model_hparams, model_lib
from tensorflow.compat.v1 import estimator as tf_estimator
from tensorflow.python.training.basic_session_run_hooks import NanLossDuringTrainingError

from tfod_tools.engine import checkpoints
from tfod_tools.engine.channel import Channel, stop_requests
from tfod_tools.engine.training import cluster, endings, estimator_cluster

_REPORT_EVERY_S = 0.5


def train(*, config: str, model_dir: str, steps: int, checkpoint_every: int, events: Channel) -> None:
    """Trains up to the step `steps`, from the last checkpoint in `model_dir` if there is one.

    In a cluster it does the part of this process. The last step always gets a checkpoint. The config's
    `fine_tune_checkpoint` is loaded; `model_main` never does that, because it passes no hyperparameters.

    Raises:
      CheckpointError: the folder already holds a checkpoint of that step or of a later one.
      Interrupted: a signal asked to stop. The checkpoint is saved.
      EngineError: the loss is not a number any more.
    """
    stop = stop_requests()
    part = cluster.part()
    # In a cluster the other tasks may reach the last step at any moment. The Estimator then ends at once.
    start = (
        checkpoints.step_to_start(model_dir, "tf1", steps) if part.alone else checkpoints.last_step(model_dir, "tf1")
    )
    tf.logging.set_verbosity(tf.logging.INFO)
    losses: dict[str, Any] = {}
    run_config = tf_estimator.RunConfig(
        model_dir=model_dir, save_checkpoints_steps=checkpoint_every, log_step_count_steps=100
    )
    parts = model_lib.create_estimator_and_inputs(
        run_config=run_config,
        hparams=model_hparams.create_hparams(),
        pipeline_config_path=config,
        train_steps=steps,
        model_fn_creator=_creator_that_keeps_losses(losses),
    )
    if part.trains:
        events.send("start", step=start, steps=steps)
    reporter = _Reporter(events, losses, stop, last_step=steps)
    try:
        if part.alone:
            parts["estimator"].train(parts["train_input_fn"], max_steps=steps, hooks=[reporter])
        else:
            estimator_cluster.run(parts, part, steps=steps, reporter=reporter, events=events)
    except NanLossDuringTrainingError as error:
        raise endings.diverged(reporter.step) from error
    if not part.trains:
        events.send("result", step=steps, checkpoint=tf.train.latest_checkpoint(model_dir))
        return
    if stop.is_set() and reporter.step < steps:
        raise endings.stopped(reporter.step, steps)
    events.send("result", step=max(reporter.step, start), checkpoint=tf.train.latest_checkpoint(model_dir))


def _creator_that_keeps_losses(losses: dict[str, Any]) -> Any:
    """A `model_fn_creator` like the engine's own, which also puts the loss tensors of the graph into `losses`."""

    def creator(detection_model_fn: Any, *args: Any, **kwargs: Any) -> Any:
        def model_with_known_losses(**options: Any) -> Any:
            model = detection_model_fn(**options)
            loss = model.loss

            def kept_loss(*loss_args: Any, **loss_kwargs: Any) -> Any:
                # model_fn adds the regularisation loss and the total to this dictionary.
                kept[0] = loss(*loss_args, **loss_kwargs)
                return kept[0]

            model.loss = kept_loss
            return model

        kept: list[Any] = [{}]
        model_fn = model_lib.create_model_fn(model_with_known_losses, *args, **kwargs)

        def model_fn_with_known_losses(features: Any, labels: Any, mode: Any, params: Any = None) -> Any:
            spec = model_fn(features, labels, mode, params)
            losses.clear()
            losses.update(kept[0])
            return spec

        return model_fn_with_known_losses

    return creator


class _Reporter(tf.train.SessionRunHook):  # type: ignore[misc]
    """Reports losses and learning rate, and stops the session after a signal."""

    def __init__(self, events: Channel, losses: dict[str, Any], stop: threading.Event, *, last_step: int) -> None:
        self.step = 0
        self._events = events
        self._losses = losses
        self._stop = stop
        self._last_step = last_step
        self._reported = 0.0
        self._fetches: dict[str, Any] = {}

    def begin(self) -> None:
        self._fetches = {"step": tf.train.get_global_step(), "losses": dict(self._losses)}
        for operation in tf.get_default_graph().get_operations():
            if operation.type == "ScalarSummary" and operation.name.startswith("learning_rate"):
                self._fetches["learning_rate"] = operation.inputs[1]

    def after_create_session(self, session: Any, coord: Any) -> None:
        self.step = int(session.run(self._fetches["step"]))

    def before_run(self, run_context: Any) -> Any:
        return tf.train.SessionRunArgs(self._fetches)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        values = run_values.results
        # The step may be read before or after the update. A run is one step, or several where others train too.
        self.step = max(self.step + 1, int(values["step"]))
        now = time.monotonic()
        if now - self._reported >= _REPORT_EVERY_S or self.step >= self._last_step:
            self._reported = now
            losses = {name: _finite(value) for name, value in values["losses"].items()}
            self._events.send(
                "progress", step=self.step, losses=losses, learning_rate=_finite(values.get("learning_rate", math.nan))
            )
        if self._stop.is_set():
            run_context.request_stop()

    def end(self, session: Any) -> None:
        self.step = int(session.run(self._fetches["step"]))


def _finite(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
