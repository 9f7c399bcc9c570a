"""Train a model from its pipeline.config. The same command again goes on where the last run stopped.

    tfod train pipeline.config --model_dir=model [--steps=5000]

The engine runs in a child process, in the style (TF1 or TF2) of the config's feature extractor. Its log is
MODEL_DIR/train.log. The config as it ran is MODEL_DIR/pipeline.config. Ctrl-C saves a checkpoint and stops; a second
Ctrl-C stops at once. The last step always gets a checkpoint.

--json prints `step` and `checkpoint`, the last step and its checkpoint, and `model_dir`; with --dry_run, `command` (the
words that would run), `style`, `steps`, `checkpoint_every` and `batch_size`.

Exit codes: 0 trained to the last step, 1 usage, 2 bad input, 4 the engine stopped with an error, 130 stopped by you.
"""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags

from cloud import job
from pipeline_configs import extension
from tfod_tools import app
from tfod_tools.base import engine_process, files, output, progress
from tfod_tools.training import live_line, run

FLAGS = app.Flags("config")
_CONFIG = flags.DEFINE_string("config", None, "The pipeline.config to train.", required=True, flag_values=FLAGS)
_MODEL_DIR = flags.DEFINE_string(
    "model_dir", None, "Folder for checkpoints, summaries and the log.", required=True, flag_values=FLAGS
)
_STEPS = flags.DEFINE_integer(
    "steps", None, "Train up to this step (default: train_config.num_steps).", lower_bound=1, flag_values=FLAGS
)
_CHECKPOINT_EVERY = flags.DEFINE_integer(
    "checkpoint_every", None, "Steps between checkpoints (default: a tenth of the run, at most 1000).",
    lower_bound=1, flag_values=FLAGS,
)  # fmt: skip
_EXTENSION = flags.DEFINE_string("extension", None, extension.HELP, flag_values=FLAGS)
_DRY_RUN = flags.DEFINE_bool(
    "dry_run", False, "Check everything and show what would run. Start nothing.", flag_values=FLAGS
)


def main(arguments: Sequence[str]) -> int:
    """Plans the run, and starts it unless this is a dry run."""
    app.no_arguments(arguments)
    model_dir = files.local_path(_MODEL_DIR.value)
    planned = job.plan(
        files.local_path(_CONFIG.value),
        model_dir,
        steps=_STEPS.value,
        checkpoint_every=_CHECKPOINT_EVERY.value,
        extension=extension.located(_EXTENSION.value),
    )
    wanted = planned.job
    if _DRY_RUN.value:
        output.say(f"Would train in {wanted.style.upper()} style:\n  {engine_process.command_line(wanted.argv())}")
        facts = {"style": wanted.style, "steps": wanted.steps, "checkpoint_every": wanted.checkpoint_every}
        output.answer({"command": ["python", "-m", *wanted.argv()], **facts, "batch_size": planned.batch_size})
        return 0
    output.say(f"Training in {wanted.style.upper()} style to step {wanted.steps}. Log: {model_dir / run.LOG}")
    with progress.line() as show:
        show("starting the engine ...")
        result = run.run(wanted, planned.config, live_line.LiveLine(wanted.steps, planned.batch_size, show))
    output.say(f"Trained to step {result['step']}: {result['checkpoint']}")
    output.say(output.next_command("evaluate", str(model_dir), *extension.flags(_EXTENSION.value)))
    output.answer({"step": result["step"], "checkpoint": result["checkpoint"], "model_dir": str(model_dir)})
    return 0


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
