"""Evaluate a trained model: one pass over its eval records, COCO metrics and average precision for each class.

    python -m tfod_tools.evaluate --model_dir=model [--checkpoint=model/model.ckpt-5000]

Prints a table and writes MODEL_DIR/metrics-STEP.json; TensorBoard shows the same numbers. AP is COCO's mean over IoU
thresholds .50 to .95; a dash means that there was no object to find. The engine's log goes to MODEL_DIR/evaluate.log.

Exit codes: 0 evaluated, 1 usage, 2 bad input, 4 the engine stopped with an error, 130 stopped by you.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import flags

from pipeline_configs import extension
from tfod_tools import app
from tfod_tools.base import engine_process, files, progress, tables

FLAGS = app.Flags("model_dir", writes=True)
_MODEL_DIR = flags.DEFINE_string("model_dir", None, "Folder of a training run.", required=True, flag_values=FLAGS)
_CONFIG = flags.DEFINE_string(
    "config", None, "The pipeline.config (default: the one in the model_dir).", flag_values=FLAGS
)
_CHECKPOINT = flags.DEFINE_string("checkpoint", None, "Checkpoint prefix (default: the latest).", flag_values=FLAGS)
_OUTPUT = flags.DEFINE_string(
    "output", None, "JSON file to write (default: MODEL_DIR/metrics-STEP.json).", flag_values=FLAGS
)
_EXTENSION = flags.DEFINE_string("extension", None, extension.HELP, flag_values=FLAGS)
_DRY_RUN = flags.DEFINE_bool(
    "dry_run", False, "Check the input, show what would run, start nothing.", flag_values=FLAGS
)

LOG = "evaluate.log"


def main(arguments: Sequence[str]) -> int:
    """Evaluates and shows the metrics."""
    app.no_arguments(arguments)
    model_dir = files.local_path(_MODEL_DIR.value)
    named = files.local_path(_OUTPUT.value) if _OUTPUT.value else None
    config = files.local_path(_CONFIG.value) if _CONFIG.value else None
    argv = plan(model_dir, config, _CHECKPOINT.value, extension.located(_EXTENSION.value))
    if _DRY_RUN.value:
        print(f"Would run: {shlex.join(('python', '-m', *argv))}")
        return 0
    result = evaluate(argv, model_dir)
    output = named or model_dir / f"metrics-{result['step']}.json"
    files.write_atomically(output, as_json(result).encode())
    _show(result["metrics"])
    print(f"\nStep {result['step']}, {result['metrics']['images']} images. Written: {output}")
    words = ("python", "-m", "tfod_tools.export", f"--model_dir={model_dir}", f"--output={model_dir / 'export'}")
    print(f"Next: {shlex.join((*words, *extension.flags(_EXTENSION.value)))}")
    return 0


def plan(model_dir: Path, config: Path | None, checkpoint: str | None, own: str | None = None) -> list[str]:
    """The words that evaluate, after `python -m`.

    Raises:
      ConfigError: the config cannot be read.
      Problems: its eval records or label map are not there.
    """
    from pipeline_configs import extractors, inputs, run_folder

    path, pipeline = run_folder.config(model_dir, config)
    inputs.check(pipeline, path, training=False)
    argv = ["tfod_tools.engine.evaluate", f"--style={extractors.style_of(pipeline, own)}", f"--config={path}"]
    argv += [f"--model_dir={model_dir}", *extension.flags(own)]
    return [*argv, *([f"--checkpoint={checkpoint}"] if checkpoint else [])]


def evaluate(argv: Sequence[str], model_dir: Path) -> engine_process.Event:
    """Runs what `plan` made; returns step, checkpoint and metrics.

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

        return engine_process.run(argv, log=model_dir / LOG, on_event=on_event)


def as_json(result: Mapping[str, Any]) -> str:
    """The metrics file: format_version, step, checkpoint (its name) and metrics."""
    content = {
        "format_version": 1,
        "step": result["step"],
        "checkpoint": Path(result["checkpoint"]).name,
        "metrics": result["metrics"],
    }
    return json.dumps(content, indent=2) + "\n"


def _show(metrics: Mapping[str, Any]) -> None:
    summary = [name for name in metrics if name.startswith(("AP", "AR"))]
    tables.show(("metric", "value"), [(name, metrics[name]) for name in summary])
    print()
    rows = [(entry["name"], entry["groundtruth"], entry["AP"], entry["AP50"]) for entry in metrics["per_class"]]
    tables.show(("class", "objects", "AP", "AP50"), rows)


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
