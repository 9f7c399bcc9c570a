"""One evaluation of a checkpoint on the eval records of its config: planned here, run by the engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline_configs import extension
from tfod_tools.base import engine_process, progress

LOG = "evaluate.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What is to be evaluated.

    Attributes:
      argv: the engine's entry and its flags, without `python -m`.
      model_dir: the folder of the training run; the log is written there.
    """

    argv: tuple[str, ...]
    model_dir: Path

    def figures_file(self, step: int) -> Path:
        """The default file for the figures of the checkpoint at `step`."""
        return self.model_dir / f"metrics-{step}.json"


def plan(model_dir: Path, config: Path | None, checkpoint: str | None, own: str | None = None) -> Evaluation:
    """Checks what can be checked without TensorFlow.

    Args:
      model_dir: folder of a training run.
      config: the pipeline.config; None for the one in `model_dir`.
      checkpoint: prefix of a checkpoint; None for the latest.
      own: file or module with the user's own feature extractor; None if there is none.

    Raises:
      CheckpointError: there is no such folder, or it holds no config.
      ConfigError: the config cannot be read.
      Problems: its eval records or its label map are missing.
    """
    from pipeline_configs import extractors, inputs, run_folder

    path, pipeline = run_folder.config(model_dir, config)
    inputs.check(pipeline, path, training=False)
    argv = (
        *("tfod_tools.engine.evaluate", f"--style={extractors.style_of(pipeline, own)}", f"--config={path}"),
        *(f"--model_dir={model_dir}", *extension.flags(own)),
        *([f"--checkpoint={checkpoint}"] if checkpoint else []),
    )
    return Evaluation(argv=argv, model_dir=model_dir)


def run(evaluation: Evaluation) -> engine_process.Event:
    """Runs the evaluation in a child process; returns step, checkpoint and metrics.

    Raises:
      CheckpointError: there is no checkpoint with weights.
      RecordError: some eval record could not be evaluated.
      EngineError: the engine stopped with an error.
    """
    with progress.line() as show:
        show("starting the engine ...")

        def on_event(event: engine_process.Event) -> None:
            if event["event"] == "progress":
                show(f"{event['images']}/{event['total']} images")

        return engine_process.run(evaluation.argv, log=evaluation.model_dir / LOG, on_event=on_event)
