"""Write a pipeline.config for your records, from a template or from a config of your own.

Choose a template (--list shows them) or a file (--from), and name the folder that make_records wrote:

  python -m tfod_tools.make_config ssd_mobilenet_v2_300x300 --records=records --output=run/pipeline.config

The records decide the number of classes, the label map, the input paths and how evaluation reads them. If there are
fewer images than the batch size, the batch becomes smaller. Everything else stays as it is. These flags change it:

  --batch_size=8 --epochs=50        the learning rate, its warm-up and decays, and the steps follow
  --checkpoint=auto                 training starts from the weights that were published for the template
  --resize=512x512  --regularizer=l2:7e-5  --hard_miner=off  --focal=0.25,2  --anchors='scales=0.1..0.95'

Any field can be changed by its path, also from a YAML file (--patch):

  --set train_config.num_steps=5000
  --set 'model..l2_regularizer.weight=7e-5'                                  at every place in the model that has one
  --set 'train_config.data_augmentation_options+={random_adjust_hue {}}'     add one; -= removes one
  --unset 'train_config.data_augmentation_options[0]'

The index of a list starts at 0; the first free index adds an item. In a oneof (the optimizer, the resizer), a new
branch replaces the old one. The command prints what each flag stands for, and every field that changes. With --from,
the new file keeps your comments and layout. docs/make_config.md has more, also the keys of --json.

Exit codes: 0 written, 1 a flag is missing or wrong, 2 a file, a field path or a value cannot be used.
"""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from pipeline_configs import extension
from pipeline_configs.dataset import Dataset
from pipeline_configs.making import edits, make, report, template, zoo
from pipeline_configs.patches import patch_file
from pipeline_configs.patches.patch import Edit
from pipeline_configs.schedules import plot
from pipeline_configs.schedules.run import Run
from pipeline_configs.text import rewrite, schema
from pipeline_configs.text.text_proto import Config
from tfod_tools import app
from tfod_tools.base import files, output
from tfod_tools.base.errors import UsageError

FLAGS = app.Flags("template", writes=True)

_TEMPLATE = flags.DEFINE_string("template", None, "Name of the template to start from.", flag_values=FLAGS)
_FROM = flags.DEFINE_string("from", None, "Your own pipeline.config to start from.", flag_values=FLAGS)
_RECORDS = flags.DEFINE_string(
    "records", None, "The folder that make_records wrote; not needed with --from.", flag_values=FLAGS
)
_OUTPUT = flags.DEFINE_string("output", None, "The file to write.", flag_values=FLAGS)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", None, "How many images each GPU takes in one step.", lower_bound=1, flag_values=FLAGS
)
_GPUS = flags.DEFINE_integer(
    "gpus", None, "How many GPUs share the work (TF2 style only).", lower_bound=1, flag_values=FLAGS
)
_STEPS = flags.DEFINE_integer("steps", None, "The last step of training.", lower_bound=1, flag_values=FLAGS)
_EPOCHS = flags.DEFINE_float(
    "epochs", None, "How often training sees each image; instead of --steps.", lower_bound=1e-9, flag_values=FLAGS
)
_LR = flags.DEFINE_float(
    "lr", None, "The highest learning rate; without it, the rate follows from the batch size.", flag_values=FLAGS
)
_NAMED = {name: flags.DEFINE_string(name, None, edits.help_of(name), flag_values=FLAGS) for name in edits.names()}
_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Start from the template's published weights: auto (in the folder of --output), or their path.",
    flag_values=FLAGS,
)  # fmt: skip
_PATCH = flags.DEFINE_multi_string(
    "patch", [], "YAML file with field paths and values; may be given several times.", flag_values=FLAGS
)
_UNSET = flags.DEFINE_multi_string(
    "unset", [], "Field to unset, or item of a list to remove; may be given several times.", flag_values=FLAGS
)
_SET = flags.DEFINE_multi_string(
    "set", [], "field.path=value, also += and -=; applied last; may be given several times.", flag_values=FLAGS
)
_PLOT = flags.DEFINE_string("plot", None, "PNG file for a plot of the learning rate.", flag_values=FLAGS)
_EXTENSION = flags.DEFINE_string("extension", None, extension.HELP, flag_values=FLAGS)
_LIST = flags.DEFINE_boolean("list", False, "Show the templates and stop.", flag_values=FLAGS)
_DRY_RUN = flags.DEFINE_boolean("dry_run", False, "Show what changes, and write nothing.", flag_values=FLAGS)


def main(arguments: Sequence[str]) -> int:
    """Writes the config, or lists the templates."""
    app.no_arguments(arguments)
    if _LIST.value:
        output.say(*report.templates())
        output.answer({"templates": [dataclasses.asdict(one) for one in template.listing()]})
        return 0
    dataset, path = _dataset(), files.local_path(_required(_OUTPUT))
    images = dataset.train.images if dataset else None
    source, text, start = _start()
    weights = zoo.weights(_TEMPLATE.value or "", _CHECKPOINT.value, path.parent) if _CHECKPOINT.value else None
    made = make.make(start, _request(weights), dataset, extension.located(_EXTENSION.value))
    kept = None if text is None else rewrite.rewritten(text, made.config)
    content = rewrite.printed(source, made.config, path) if kept is None else kept
    _write(path, content.encode(), source, plot.png(made.config, images) if _PLOT.value else None)
    _say(made, images, path, weights, loses_comments=source is not None and kept is None)
    return 0


def _required(flag: flags.FlagHolder[str | None]) -> str:
    value: str | None = flag.value
    if not value:
        raise UsageError(f"--{flag.name} is missing. Run with --help to see every flag.")
    return value


def _dataset() -> Dataset | None:
    if _FROM.value and not _RECORDS.value:
        return None
    return Dataset.read(files.local_path(_required(_RECORDS)))


def _start() -> tuple[Path | None, str | None, Config]:
    """The user's own file to start from and its text, both None for a template; and the config."""
    if _TEMPLATE.value and _FROM.value:
        raise UsageError("--template and --from are both given. Choose one to start from.")
    if _TEMPLATE.value:
        return None, None, template.read(_TEMPLATE.value)
    if not _FROM.value:
        raise UsageError("There is nothing to start from. Give --template or --from; --list shows the templates.")
    source = files.local_path(_FROM.value)
    text = schema.text(source)
    return source, text, schema.parse(text, path=source)


def _run() -> Run:
    return Run(batch_size=_BATCH_SIZE.value, gpus=_GPUS.value, steps=_STEPS.value, epochs=_EPOCHS.value, lr=_LR.value)


def _request(weights: zoo.Weights | None) -> make.Request:
    return make.Request(
        patches=[patch_file.read(files.local_path(path)) for path in _PATCH.value],
        run=_run(),
        weights={f"--checkpoint={_CHECKPOINT.value}": weights.edits()} if weights else {},
        named={name: flag.value for name, flag in _NAMED.items() if flag.value is not None},
        unset=_UNSET.value,
        set=[Edit.read(text) for text in _SET.value],
    )


def _write(path: Path, content: bytes, source: Path | None, picture: bytes | None) -> None:
    """Writes the config, and the picture of the learning rate where there is one; nothing in a dry run."""
    files.check_free(path, content, flag="--output", overwrite=FLAGS.overwrite, replaces=source)
    if picture is not None:
        place = files.local_path(_PLOT.value or "")
        files.check_free(place, picture, flag="--plot", overwrite=FLAGS.overwrite)
        if not _DRY_RUN.value:
            files.save(place, picture, flag="--plot", overwrite=FLAGS.overwrite)
    if not _DRY_RUN.value:
        files.save(path, content, flag="--output", overwrite=FLAGS.overwrite, replaces=source)


def _say(
    made: make.MadeConfig, images: int | None, path: Path, weights: zoo.Weights | None, *, loses_comments: bool
) -> None:
    start = _TEMPLATE.value or _FROM.value
    words = report.next_words(made, _run(), images, path, _EXTENSION.value)
    download = weights.download() if weights else None
    output.say(*report.lines(made, start, images))
    if loses_comments:
        output.say(f"The layout of {start} is unusual. The new file is printed anew, without its comments.")
    if _DRY_RUN.value:
        output.say(f"Dry run: nothing is written. Without --dry_run this writes {path}.")
    else:
        output.say(f"Wrote {path}", output.next_command("train", *words))
    if download:
        output.say(f"First get the weights: {download}")
    output.answer(
        report.document(made, start, images)
        | {
            "output": str(path),
            "written": not _DRY_RUN.value,
            "loses_comments": loses_comments,
            "next": shlex.join(("tfod", "train", *words)),
            "download": download,
        }
    )


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
