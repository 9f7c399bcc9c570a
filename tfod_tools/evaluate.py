"""Measure a trained model on its eval records: COCO metrics, and average precision for each class.

    tfod evaluate model [--checkpoint=model/model.ckpt-5000]

Prints two tables and writes MODEL_DIR/metrics-STEP.json; TensorBoard shows the same figures. AP is COCO's mean over the
IoU thresholds .50 to .95. A dash means that there was no object to find. The engine's log is MODEL_DIR/evaluate.log.

--json prints the content of the metrics file (format_version, step, checkpoint, metrics) and `output`, its path; with
--dry_run, `command`, the words that would run.

Exit codes: 0 evaluated, 1 usage, 2 bad input, 4 the engine stopped with an error, 130 stopped by you.
"""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags

from pipeline_configs import extension
from tfod_tools import app
from tfod_tools.base import engine_process, files, output
from tfod_tools.metrics import evaluation, figures

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
    "dry_run", False, "Check the input and show what would run. Start nothing.", flag_values=FLAGS
)


def main(arguments: Sequence[str]) -> int:
    """Evaluates, writes the figures and shows them."""
    app.no_arguments(arguments)
    model_dir = files.local_path(_MODEL_DIR.value)
    config = files.local_path(_CONFIG.value) if _CONFIG.value else None
    named = files.local_path(_OUTPUT.value) if _OUTPUT.value else None
    planned = evaluation.plan(model_dir, config, _CHECKPOINT.value, extension.located(_EXTENSION.value))
    if named:
        files.check_free(named, None, flag="--output", overwrite=FLAGS.overwrite)
    if _DRY_RUN.value:
        output.say(f"Would run: {engine_process.command_line(planned.argv)}")
        output.answer({"command": ["python", "-m", *planned.argv]})
        return 0
    result = evaluation.run(planned)
    content = figures.document(result)
    written = named or planned.figures_file(result["step"])
    # The default file is the command's own: a second evaluation of the same step replaces it.
    files.save(written, figures.encoded(content), flag="--output", overwrite=FLAGS.overwrite or not named)
    output.say(*figures.lines(result["metrics"]))
    output.say(f"\nStep {result['step']}, {result['metrics']['images']} images. Written: {written}")
    words = (str(model_dir), f"--output={model_dir / 'export'}", *extension.flags(_EXTENSION.value))
    output.say(output.next_command("export", *words))
    output.answer({**content, "output": str(written)})
    return 0


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
