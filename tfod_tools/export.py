"""Export a trained model as a frozen graph and a SavedModel, with its label map and its pipeline.config.

    tfod export model --output=model/export --format=frozen_graph,saved_model

OUTPUT/frozen_inference_graph.pb takes uint8 images [batch, height, width, 3] as `image_tensor:0` (the batch of a TF2
model is 1). It gives `detection_boxes:0` (ymin, xmin, ymax, xmax in 0..1), `detection_scores:0`, `detection_classes:0`
(ids of the label map) and `num_detections:0`. It needs only TensorFlow, not the engine and not this package.

OUTPUT appears when the export is complete. --overwrite replaces an earlier export, but no other folder. The engine's
log is MODEL_DIR/export.log.

--json prints `step`, `checkpoint`, `output` (the folder) and `files` (the names in it); with --dry_run, `command`, the
words that would run.

Exit codes: 0 exported, 1 usage, 2 bad input, 4 the engine stopped with an error, 130 stopped by you.
"""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags

from pipeline_configs import extension
from tfod_tools import app
from tfod_tools.artefacts import exporting
from tfod_tools.base import engine_process, files, output

FLAGS = app.Flags("model_dir", writes=True)
_MODEL_DIR = flags.DEFINE_string("model_dir", None, "Folder of a training run.", required=True, flag_values=FLAGS)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to make.", required=True, flag_values=FLAGS)
_FORMAT = flags.DEFINE_list(
    "format", list(exporting.FORMATS), f"What to write, of {', '.join(exporting.FORMATS)}.", flag_values=FLAGS
)
_CONFIG = flags.DEFINE_string(
    "config", None, "The pipeline.config (default: the one in the model_dir).", flag_values=FLAGS
)
_CHECKPOINT = flags.DEFINE_string("checkpoint", None, "Checkpoint prefix (default: the latest).", flag_values=FLAGS)
_EXTENSION = flags.DEFINE_string("extension", None, extension.HELP, flag_values=FLAGS)
_DRY_RUN = flags.DEFINE_bool(
    "dry_run", False, "Check the input and show what would run. Start nothing.", flag_values=FLAGS
)


def main(arguments: Sequence[str]) -> int:
    """Exports and lists what was written."""
    app.no_arguments(arguments)
    planned = exporting.plan(
        files.local_path(_MODEL_DIR.value),
        files.local_path(_OUTPUT.value),
        _FORMAT.value,
        config=files.local_path(_CONFIG.value) if _CONFIG.value else None,
        checkpoint=_CHECKPOINT.value,
        own=extension.located(_EXTENSION.value),
        overwrite=FLAGS.overwrite,
    )
    if _DRY_RUN.value:
        words = engine_process.command_line(planned.argv)
        output.say(f"Would write {', '.join(_FORMAT.value)} to {planned.output}:\n  {words}")
        output.answer({"command": ["python", "-m", *planned.argv]})
        return 0
    result = exporting.run(planned)
    names = [f"{path.name}{'/' if path.is_dir() else ''}" for path in sorted(planned.output.iterdir())]
    output.say(f"Exported step {result['step']} to {planned.output}:", *(f"  {name}" for name in names))
    output.say(output.next_command("predict", str(planned.output), "IMAGES", "--output=OUTPUT"))
    output.answer(
        {"step": result["step"], "checkpoint": result["checkpoint"], "output": str(planned.output), "files": names}
    )
    return 0


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
