"""Write the pipeline.config that trains a template, or a config of your own, on records.

Start from a template (--list shows them) or from a file (--from), and name the folder that make_records wrote:

  python -m tfod_tools.make_config --template=ssd_mobilenet_v2_300x300 --records=records --output=run/pipeline.config

The records decide the number of classes, the label map, the input paths and how evaluation reads them; the batch
becomes smaller where there are fewer images. Everything else stays, and can be changed by what it is for:

  --batch_size=8 --epochs=50        one coherent set: learning rate, warm-up, drops and steps follow
  --checkpoint=auto                 start from the weights that were published for the template
  --resize=512x512  --regularizer=l2:7e-5  --hard_miner=off  --focal=0.25,2  --anchors='scales=0.1..0.95'

or by field path, also from a YAML file (--patch):

  --set train_config.num_steps=5000
  --set 'model..l2_regularizer.weight=7e-5'                                  wherever the model has one
  --set 'train_config.data_augmentation_options+={random_adjust_hue {}}'     one more; -= takes one away
  --unset 'train_config.data_augmentation_options[0]'

An item of a list of messages is chosen by its index, from 0, and the first free one adds an item. A field in another
branch of a oneof (another optimizer, another resizer) replaces the branch that was set. Prints what each flag stands
for and what changes, field by field. A config of your own keeps its comments and layout. docs/make_config.md has more.

Exit codes: 0 written, 1 a flag is missing or wrong, 2 a file, a field path or a value cannot be used.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from absl import flags

from pipeline_configs import extension
from pipeline_configs.dataset import Dataset
from pipeline_configs.making import edits, listing, make, request, template, zoo
from pipeline_configs.patches import patch_file
from pipeline_configs.patches.patch import Edit
from pipeline_configs.schedules import plot, run, summary
from pipeline_configs.schedules.run import Run
from pipeline_configs.text import rewrite, schema
from pipeline_configs.text.text_proto import Config
from tfod_tools import app
from tfod_tools.base import files
from tfod_tools.base.errors import ConfigError, UsageError

FLAGS = app.Flags("template", writes=True)

_TEMPLATE = flags.DEFINE_string("template", None, "Name of the template to start from.", flag_values=FLAGS)
_FROM = flags.DEFINE_string("from", None, "Your own pipeline.config to start from.", flag_values=FLAGS)
_RECORDS = flags.DEFINE_string(
    "records", None, "The folder that make_records wrote; with --from it may be left out.", flag_values=FLAGS
)
_OUTPUT = flags.DEFINE_string("output", None, "The file to write.", flag_values=FLAGS)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size", None, "Images that each GPU takes in a step.", lower_bound=1, flag_values=FLAGS
)
_GPUS = flags.DEFINE_integer(
    "gpus", None, "How many GPUs share the work (TF2 style).", lower_bound=1, flag_values=FLAGS
)
_STEPS = flags.DEFINE_integer("steps", None, "Last step of training.", lower_bound=1, flag_values=FLAGS)
_EPOCHS = flags.DEFINE_float(
    "epochs", None, "How often training sees each image, in place of --steps.", lower_bound=1e-9, flag_values=FLAGS
)
_LR = flags.DEFINE_float(
    "lr", None, "Highest learning rate, in place of the one that follows from the batch.", flag_values=FLAGS
)
_NAMED = {name: flags.DEFINE_string(name, None, edits.help_of(name), flag_values=FLAGS) for name in edits.names()}
_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Start from the template's published weights: auto (beside --output), or where they are.",
    flag_values=FLAGS,
)  # fmt: skip
_PATCH = flags.DEFINE_multi_string(
    "patch", [], "YAML file of field paths and values; may be given several times.", flag_values=FLAGS
)
_UNSET = flags.DEFINE_multi_string(
    "unset", [], "Field or item of a list to leave out; may be given several times.", flag_values=FLAGS
)
_SET = flags.DEFINE_multi_string(
    "set", [], "field.path=value, += or -= to set last; may be given several times.", flag_values=FLAGS
)
_PLOT = flags.DEFINE_string("plot", None, "PNG file for a picture of the learning rate.", flag_values=FLAGS)
_EXTENSION = flags.DEFINE_string("extension", None, extension.HELP, flag_values=FLAGS)
_LIST = flags.DEFINE_boolean("list", False, "Show the templates and stop.", flag_values=FLAGS)
_DRY_RUN = flags.DEFINE_boolean("dry_run", False, "Show what would change and write nothing.", flag_values=FLAGS)


def main(arguments: Sequence[str]) -> int:
    """Writes the config, or lists the templates."""
    app.no_arguments(arguments)
    if _LIST.value:
        print(*listing.lines(), sep="\n")
        return 0
    dataset, output = _dataset(), files.local_path(_required(_OUTPUT))
    start, text = _start()
    own = extension.located(_EXTENSION.value)
    weights = _weights(output) if _CHECKPOINT.value else None
    wishes = request.expand(_request(weights), start, dataset, own)
    made = make.spelled_out(start, wishes, own, text=text)
    _check_output(output, made)
    picture = plot.png(made.config, dataset.train.images if dataset else None) if _PLOT.value else None
    if not _DRY_RUN.value:
        if picture:
            _write(files.local_path(_PLOT.value or ""), picture, "--plot")
        _write(output, made.text.encode(), "--output")
    _report(made, wishes, dataset, output)
    if weights:
        _tell_where_from(weights)
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


def _start() -> tuple[Config, str | None]:
    """The config to start from, and its text where that is the user's own."""
    if bool(_TEMPLATE.value) == bool(_FROM.value):
        found = "both" if _FROM.value else "neither"
        raise UsageError(f"found {found} of --template and --from, expected one of them. --list shows the templates.")
    if _TEMPLATE.value:
        return template.read(_TEMPLATE.value), None
    source = files.local_path(_FROM.value or "")
    text = schema.text(source)
    return schema.parse(text, path=source), text


@dataclass(frozen=True, slots=True)
class _Weights:
    """Published weights, and the beginning of their files on this machine."""

    published: zoo.Checkpoint
    path: Path


def _weights(output: Path) -> _Weights:
    if not _TEMPLATE.value:
        raise UsageError(
            "--checkpoint needs --template, whose published weights it is for. Or set train_config by --set."
        )
    published = zoo.checkpoint(_TEMPLATE.value)
    if published is None:
        raise UsageError(f"--checkpoint: nothing was published for {_TEMPLATE.value}. --list shows where there is.")
    auto = _CHECKPOINT.value == "auto"
    path = output.parent / published.prefix if auto else files.local_path(_CHECKPOINT.value or "")
    return _Weights(published, path.absolute())


def _tell_where_from(weights: _Weights) -> None:
    if not weights.path.with_name(f"{weights.path.name}.index").exists():
        folder = weights.path.parents[len(Path(weights.published.prefix).parts) - 1]
        print(f"First get the weights: curl -L {weights.published.url} | tar xz -C {shlex.quote(f'{folder}')}")


def _request(weights: _Weights | None) -> request.Request:
    return request.Request(
        patches=[patch_file.read(files.local_path(path)) for path in _PATCH.value],
        run=Run(batch_size=_BATCH_SIZE.value, gpus=_GPUS.value, steps=_STEPS.value, epochs=_EPOCHS.value, lr=_LR.value),
        named={name: flag.value for name, flag in _NAMED.items() if flag.value is not None},
        more={f"--checkpoint={_CHECKPOINT.value}": weights.published.edits(f"{weights.path}")} if weights else {},
        unset=_UNSET.value,
        set=[Edit.read(text) for text in _SET.value],
    )


def _check_output(output: Path, made: make.MadeConfig) -> None:
    if _FROM.value and not made.kept:
        rewrite.printed(files.local_path(_FROM.value), made.config, output)


def _write(output: Path, content: bytes, flag: str) -> None:
    try:
        files.write_atomically(output, content)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}. Name another {flag}.", path=output) from error


def _report(made: make.MadeConfig, wishes: Sequence[request.Expanded], dataset: Dataset | None, output: Path) -> None:
    for wish in wishes:
        _explain(wish)
    start = _TEMPLATE.value or _FROM.value
    print(f"Changed from {start}:" if made.changes else f"Nothing changes in {start}.")
    for line in made.changes:
        print(f"  {line}")
    images = dataset.train.images if dataset else None
    print(f"Trains in {made.style} style.", *summary.lines(made.config, images), sep="\n")
    if _FROM.value and not made.kept:
        print("The layout of the text is unusual: it is written anew, without its comments.")
    if _DRY_RUN.value:
        print(f"Dry run, nothing written. Would write {output}")
        return
    print(f"Wrote {output}")
    print(f"Next: {' '.join(_next(made, images, output))}")


def _explain(wish: request.Expanded) -> None:
    """Prints the edits that named ones stand for, as flags that could be given in their place."""
    if not wish.wish:
        return
    print(f"{wish.wish} stands for{':' if wish.edits else ' what the config has.'}")
    for edit in wish.edits:
        word = f"--unset={edit.path}" if edit.value is None else f"--set={edit}"
        print(f"  {shlex.quote(word)}")
    if wish.reason:
        print(f"  {wish.reason}")


def _next(made: make.MadeConfig, images: int | None, output: Path) -> list[str]:
    train_config = made.config.train_config
    every = run.checkpoint_every(train_config.num_steps, train_config.batch_size, images)
    config, model_dir = shlex.quote(f"{output}"), shlex.quote(f"{output.parent / 'model'}")
    is_sized = any(flag.value for flag in (_EPOCHS, _STEPS, _BATCH_SIZE, _GPUS))
    return [
        *("python", "-m", "tfod_tools.train", f"--config={config}", f"--model_dir={model_dir}"),
        *([f"--checkpoint_every={every}"] if is_sized else []),
        *map(shlex.quote, extension.flags(_EXTENSION.value)),
    ]


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
