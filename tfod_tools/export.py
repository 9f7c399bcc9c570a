"""Export a trained model as a frozen graph and a SavedModel, with its label map and pipeline.config beside it.

    python -m tfod_tools.export --model_dir=model --output=model/export --format=frozen_graph,saved_model

OUTPUT/frozen_inference_graph.pb takes uint8 images [batch, height, width, 3] as `image_tensor:0` (a TF2 model: batch 1)
and gives `detection_boxes:0` (ymin, xmin, ymax, xmax in 0..1), `detection_scores:0`, `detection_classes:0` (ids of the
label map) and `num_detections:0`. It needs TensorFlow alone: neither the engine nor this package. OUTPUT appears when
the export is complete. The engine's log goes to MODEL_DIR/export.log.

Exit codes: 0 exported, 1 usage, 2 bad input, 4 the engine stopped with an error, 130 stopped by you.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from pipeline_configs import extension
from tfod_tools import app
from tfod_tools.base import engine_process, files, plugins, progress
from tfod_tools.base.errors import LabelMapError, UsageError

FLAGS = app.Flags("model_dir", writes=True)
FORMATS = ("frozen_graph", "saved_model")

_MODEL_DIR = flags.DEFINE_string("model_dir", None, "Folder of a training run.", required=True, flag_values=FLAGS)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to make; must not exist.", required=True, flag_values=FLAGS)
_FORMAT = flags.DEFINE_list("format", list(FORMATS), f"What to write, of {', '.join(FORMATS)}.", flag_values=FLAGS)
_CONFIG = flags.DEFINE_string(
    "config", None, "The pipeline.config (default: the one in the model_dir).", flag_values=FLAGS
)
_CHECKPOINT = flags.DEFINE_string("checkpoint", None, "Checkpoint prefix (default: the latest).", flag_values=FLAGS)
_EXTENSION = flags.DEFINE_string("extension", None, extension.HELP, flag_values=FLAGS)
_DRY_RUN = flags.DEFINE_bool(
    "dry_run", False, "Check the input, show what would run, start nothing.", flag_values=FLAGS
)

LOG = "export.log"
LABEL_MAP = "label_map.pbtxt"


def main(arguments: Sequence[str]) -> int:
    """Exports and says what lies where."""
    app.no_arguments(arguments)
    model_dir, output = files.local_path(_MODEL_DIR.value), files.local_path(_OUTPUT.value)
    config = files.local_path(_CONFIG.value) if _CONFIG.value else None
    own = extension.located(_EXTENSION.value)
    argv, label_map = plan(model_dir, output, _FORMAT.value, config, _CHECKPOINT.value, own)
    if _DRY_RUN.value:
        print(f"Would write {', '.join(_FORMAT.value)} to {output}:\n  {shlex.join(('python', '-m', *argv))}")
        return 0
    result = export(argv, label_map, model_dir, output)
    print(f"Exported step {result['step']} to {output}:")
    for path in sorted(output.iterdir()):
        print(f"  {path.name}{'/' if path.is_dir() else ''}")
    words = ("python", "-m", "tfod_tools.predict", f"--model={output}", "--images=IMAGES", "--output=OUTPUT")
    print(f"Next: {shlex.join(words)}")
    return 0


def plan(
    model_dir: Path,
    output: Path,
    formats: Sequence[str],
    config: Path | None,
    checkpoint: str | None,
    own: str | None = None,
) -> tuple[list[str], Path]:
    """The words that export into a folder beside `output`, after `python -m`; and the label map.

    Raises:
      UsageError: a format is unknown, or `output` exists.
      ConfigError: the config cannot be read, or names no label map.
      LabelMapError: the config's label map is not there.
    """
    from pipeline_configs import extractors, inputs, run_folder

    for name in formats or [""]:
        if name not in FORMATS:
            raise UsageError(f"--format: there is no '{name}'. {plugins.suggestion(name, FORMATS)}")
    if output.exists():
        raise UsageError(f"--output: {output} exists. Remove it or choose another folder.")
    path, pipeline = run_folder.config(model_dir, config)
    label_map = inputs.label_map_path(pipeline, path)
    if not label_map.is_file():
        raise LabelMapError("the config's label map is not there.", path=label_map)
    argv = ["tfod_tools.engine.export", f"--style={extractors.style_of(pipeline, own)}", f"--config={path}"]
    argv += [f"--model_dir={model_dir}", f"--output={_partial(output)}", f"--format={','.join(formats)}"]
    argv += extension.flags(own)
    return [*argv, *([f"--checkpoint={checkpoint}"] if checkpoint else [])], label_map


def export(argv: Sequence[str], label_map: Path, model_dir: Path, output: Path) -> engine_process.Event:
    """Runs what `plan` made and gives the folder its name when all is there; returns step and checkpoint.

    Raises:
      CheckpointError: there is no checkpoint with weights.
      EngineError: the engine stopped with an error.
    """
    partial = _partial(output)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        with progress.line() as show:
            show("exporting ...")
            result = engine_process.run(argv, log=model_dir / LOG)
        shutil.copyfile(label_map, partial / LABEL_MAP)
        partial.rename(output)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return result


def _partial(output: Path) -> Path:
    return output.with_name(f".{output.name}.partial")


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
