"""A task of an Estimator's cluster: what `model_main` does there, with its evaluations reported."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

from tensorflow.compat.v1 import estimator as tf_estimator

from tfod_tools.engine.channel import Channel
from tfod_tools.engine.cluster import Part

_EVALUATION = "0"  # as model_main calls it; its summaries go to MODEL_DIR/eval_0
_SECONDS_BETWEEN_LOOKS = 5  # at the folder for a new checkpoint


def run(parts: Mapping[str, Any], part: Part, *, steps: int, reporter: Any, events: Channel) -> None:
    """Trains, serves parameters or evaluates, whichever this process is to do, until step `steps` is done.

    Args:
      parts: what `model_lib.create_estimator_and_inputs` made.
      part: this process's part.
      steps: last step of the whole cluster.
      reporter: hook of the trainers.
      events: gets `evaluated` (step, loss) after each evaluation.
    """
    if not part.trains:
        # A server never returns to Python, and an evaluator sleeps: both have nothing to save.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
    tf_estimator.train_and_evaluate(
        parts["estimator"],
        tf_estimator.TrainSpec(parts["train_input_fn"], max_steps=steps, hooks=[reporter] if part.trains else []),
        tf_estimator.EvalSpec(
            parts["eval_input_fns"][0],
            steps=None,
            name=_EVALUATION,
            exporters=_Told(events),
            start_delay_secs=0,
            throttle_secs=_SECONDS_BETWEEN_LOOKS,
        ),
    )


class _Told(tf_estimator.Exporter):  # type: ignore[misc]
    """Is told of each evaluation, which nothing else of the Estimator is, and exports nothing."""

    def __init__(self, events: Channel) -> None:
        self._events = events

    @property
    def name(self) -> str:
        return "told"

    def export(
        self,
        estimator: Any,
        export_path: str,
        checkpoint_path: str,
        eval_result: Mapping[str, Any],
        is_the_final_export: bool,
    ) -> None:
        # Pictures are among the results, as serialised summaries.
        metrics = {name: float(value) for name, value in eval_result.items() if not isinstance(value, bytes)}
        self._events.send("evaluated", step=int(metrics["global_step"]), loss=metrics["loss"], metrics=metrics)
