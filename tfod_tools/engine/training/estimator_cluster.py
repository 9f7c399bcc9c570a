"""One task of an Estimator cluster. It does the same as `model_main`, and also reports the evaluations."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

from tensorflow.compat.v1 import estimator as tf_estimator

from tfod_tools.engine.channel import Channel
from tfod_tools.engine.training.cluster import Part

_EVALUATION = "0"  # the name that model_main uses; its summaries go to MODEL_DIR/eval_0
_SECONDS_BETWEEN_LOOKS = 5  # at the folder for a new checkpoint


def run(parts: Mapping[str, Any], part: Part, *, steps: int, reporter: Any, events: Channel) -> None:
    """Trains, serves parameters or evaluates, depending on the part of this process, until step `steps`.

    Args:
      parts: what `model_lib.create_estimator_and_inputs` made.
      part: this process's part.
      steps: last step of the whole cluster.
      reporter: the hook of the trainers.
      events: gets `evaluated` (step, loss) after each evaluation.
    """
    if not part.trains:
        # A parameter server never returns to Python, and an evaluator sleeps. Both have nothing to save.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
    tf_estimator.train_and_evaluate(
        parts["estimator"],
        tf_estimator.TrainSpec(parts["train_input_fn"], max_steps=steps, hooks=[reporter] if part.trains else []),
        tf_estimator.EvalSpec(
            parts["eval_input_fns"][0],
            steps=None,
            name=_EVALUATION,
            exporters=_EvaluationReporter(events),
            start_delay_secs=0,
            throttle_secs=_SECONDS_BETWEEN_LOOKS,
        ),
    )


class _EvaluationReporter(tf_estimator.Exporter):  # type: ignore[misc]
    """Reports each evaluation and exports nothing. The Estimator calls only exporters after an evaluation."""

    def __init__(self, events: Channel) -> None:
        self._events = events

    @property
    def name(self) -> str:
        return "evaluation_reporter"

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
