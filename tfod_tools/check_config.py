"""Find out what is wrong with a pipeline.config before it costs a day of training.

  tfod check_config pipeline.config [--records=records] [--fix=fixed.config]

Each finding is a line with the place in the file, a code, what is wrong, what it means, and what to do. An error stops
training or makes it useless. With a warning training runs, but the result is worse than it could be. A note is a
problem only for the engine's own scripts, not for tfod. A line "fix:" shows the change that corrects a finding, and
--fix writes a config with all these changes.

With --records the config is also compared with the data: every record is read. The output also shows the fields that
differ from the template that the config is most like, the length of the training, and its learning rate. With
--checkpoint the engine builds the model and says which weights it would restore; that takes half a minute.

  tfod check_config --explain=CFG07    explains a code; docs/check_config.md lists all codes

Exit codes: 0 no errors, 1 a flag is missing or wrong, 2 there are errors (with --fix: errors that --fix does not
correct), or a file cannot be used, 4 the engine cannot say what it would restore.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags

from pipeline_configs import extension
from pipeline_configs.checking import check, report
from pipeline_configs.checkpoints import checkpoint
from pipeline_configs.checkpoints.start import Start
from pipeline_configs.dataset import Dataset
from pipeline_configs.patches import patch
from pipeline_configs.schedules import plot
from pipeline_configs.text import rewrite, schema
from tfod_tools import app
from tfod_tools.base import files, output, progress
from tfod_tools.base.errors import ConfigError, UsageError

FLAGS = app.Flags("config", writes=True)

_CONFIG = flags.DEFINE_string("config", None, "The pipeline.config to check.", flag_values=FLAGS)
_RECORDS = flags.DEFINE_string("records", None, "The folder that make_records wrote.", flag_values=FLAGS)
_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Prefix of a checkpoint: ask the engine which weights it would restore.", flag_values=FLAGS
)
_MODEL_DIR = flags.DEFINE_string("model_dir", None, "The folder of the run: check it too.", flag_values=FLAGS)
_GPUS = flags.DEFINE_integer(
    "gpus",
    None,
    "The number of GPUs, of all machines together, that share a batch in TF2 style.",
    lower_bound=1,
    flag_values=FLAGS,
)
_MACHINES = flags.DEFINE_integer(
    "machines", None, "The number of machines that share the records in TF2 style.", lower_bound=1, flag_values=FLAGS
)
_FIX = flags.DEFINE_string(
    "fix", None, "Write the config with every fix to this file; it may be the same file.", flag_values=FLAGS
)
_EXPLAIN = flags.DEFINE_string("explain", None, "Explain this code, and stop.", flag_values=FLAGS)
_PLOT = flags.DEFINE_string("plot", None, "Write a plot of the learning rate to this PNG file.", flag_values=FLAGS)
_EXTENSION = flags.DEFINE_string("extension", None, extension.HELP, flag_values=FLAGS)
_DRY_RUN = flags.DEFINE_boolean("dry_run", False, "Show what --fix would change; write nothing.", flag_values=FLAGS)

_WIDTH = 100


def main(arguments: Sequence[str]) -> int:
    """Checks the config, or explains a code."""
    app.no_arguments(arguments)
    if _EXPLAIN.value:
        rule = check.rule(_EXPLAIN.value)
        output.say("\n\n".join(textwrap.fill(part, _WIDTH) for part in rule.explanation().split("\n\n")))
        output.answer(rule.document())
        return 0
    if not _CONFIG.value:
        raise UsageError("--config is missing. Run with --help to see every flag.")
    path = files.local_path(_CONFIG.value)
    known = _known()
    text = schema.text(path)
    checked = check.with_engine(text, **known)
    images = known["records"].train.images if known["records"] else None
    _plot(checked, images)
    fixed = _fixed(path, text, checked, known) if _FIX.value is not None else None
    document = report.document(path, checked, images, fixed)
    output.say(*report.lines(path, checked, images, fixed))
    left = fixed.left if fixed else checked.findings
    if output.mode() == "quiet":
        output.error(*report.error_lines(path, left))
    if fixed:
        _write(path, fixed)
    output.answer(document)
    return ConfigError.exit_code if report.errors(left) else 0


def _known() -> dict[str, Any]:
    """What the flags say about the data, the run and the checkpoint, for `check`.

    Raises:
      CheckpointError: there is no such checkpoint, or it cannot be read.
    """
    prefix = _CHECKPOINT.value and checkpoint.read(str(files.local_path(_CHECKPOINT.value))).prefix
    model_dir = files.local_path(_MODEL_DIR.value) if _MODEL_DIR.value else None
    return {
        "records": _records(files.local_path(_RECORDS.value)) if _RECORDS.value else None,
        "extension": extension.located(_EXTENSION.value),
        "start": Start(checkpoint=prefix, model_dir=model_dir, gpus=_GPUS.value or 0, machines=_MACHINES.value or 0),
    }


def _records(folder: Path) -> Dataset:
    """The data set with the contents of its records."""
    from record_builders.inspection import survey

    dataset = Dataset.read(folder)
    count = sum(len(split.files()) for split in (dataset.train, dataset.val) if split)
    with progress.bar("Reading records", count) as advance:
        return dataset.with_contents(lambda paths: survey.read(paths, on_progress=advance))


def _plot(checked: check.Checked, images: int | None) -> None:
    """Writes the plot, if the flags ask for it."""
    if _PLOT.value and checked.config and not _DRY_RUN.value:
        picture = plot.png(checked.config, images)
        files.save(files.local_path(_PLOT.value), picture, flag="--plot", overwrite=FLAGS.overwrite)


def _fixed(path: Path, text: str, checked: check.Checked, known: dict[str, Any]) -> report.Fixed:
    """The config with every fix, as it will be written.

    Raises:
      ConfigError: a part of the text cannot be read, so the new text would lose it.
      OutputError: the text cannot be written.
    """
    if checked.config is None or any(finding.code == check.UNREADABLE for finding in checked.findings):
        unread = report.error_lines(path, [one for one in checked.findings if one.code == check.UNREADABLE])
        raise ConfigError(
            "\n".join([*unread, "Correct the text first: --fix would lose the part that it cannot read."])
        )
    after = check.fixed(checked.config, **known)
    target = files.local_path(_FIX.value or "")
    content = rewrite.content(path, text, after, target)
    files.check_free(target, content.encode(), flag="--fix", overwrite=FLAGS.overwrite, replaces=path)
    left = check.with_engine(content, **known).findings
    return report.Fixed(path=target, text=content, changes=patch.diff(checked.config, after), left=left)


def _write(path: Path, fixed: report.Fixed) -> None:
    """Writes the config with every fix."""
    if not _DRY_RUN.value:
        files.save(fixed.path, fixed.text.encode(), flag="--fix", overwrite=FLAGS.overwrite, replaces=path)
    left = report.counted("error", report.errors(fixed.left))
    output.say(f"{'Dry run: would write' if _DRY_RUN.value else 'Wrote'} {fixed.path}. {left} left.")


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
