"""Write the pipeline.config that trains a template, or a config of your own, on records.

Start from a template (--list shows them) or from a file (--from), and name the folder that make_records wrote:

  python -m tfod_tools.make_config --template=ssd_mobilenet_v2_300x300 --records=records --output=run/pipeline.config

The records decide the number of classes, the label map, the input paths and how evaluation reads them; the batch
becomes smaller where there are fewer images. Everything else stays, and --set overrides anything, by field path:

  --set train_config.num_steps=5000
  --set model.ssd.anchor_generator.ssd_anchor_generator.scales=0.1,0.2,0.4,0.6,0.8,0.95
  --set 'train_config.data_augmentation_options[1]={random_adjust_hue {}}'
  --set train_config.optimizer.momentum_optimizer.learning_rate.constant_learning_rate.learning_rate=0.01

An item of a list of messages is chosen by its index, from 0, and the first free one adds an item. A field in another
branch of a oneof (another optimizer, another resizer) replaces the branch that was set. Prints what changes, field by
field.

Exit codes: 0 written, 1 a flag is missing or wrong, 2 a file, a field path or a value cannot be used.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from pipeline_configs import extension, make, schema, style, template
from pipeline_configs.dataset import Dataset
from pipeline_configs.patch import Edit
from pipeline_configs.text_proto import Config
from tfod_tools import app
from tfod_tools.base import files
from tfod_tools.base.errors import ConfigError, UsageError

FLAGS = flags.FlagValues()

_TEMPLATE = flags.DEFINE_string("template", None, "Name of the template to start from.", flag_values=FLAGS)
_FROM = flags.DEFINE_string("from", None, "Your own pipeline.config to start from.", flag_values=FLAGS)
_RECORDS = flags.DEFINE_string("records", None, "The folder that make_records wrote.", flag_values=FLAGS)
_OUTPUT = flags.DEFINE_string("output", None, "The file to write.", flag_values=FLAGS)
_SET = flags.DEFINE_multi_string(
    "set", [], "field.path=value to set last; may be given several times.", flag_values=FLAGS
)
_EXTENSION = flags.DEFINE_string("extension", None, extension.HELP, flag_values=FLAGS)
_LIST = flags.DEFINE_boolean("list", False, "Show the templates and stop.", flag_values=FLAGS)
_DRY_RUN = flags.DEFINE_boolean("dry_run", False, "Show what would change and write nothing.", flag_values=FLAGS)


def main(arguments: Sequence[str]) -> int:
    """Writes the config, or lists the templates."""
    app.no_arguments(arguments)
    if _LIST.value:
        _list_templates()
        return 0
    records, output = _required(_RECORDS), files.local_path(_required(_OUTPUT))
    start = _start(output)
    edits, own = [_edit(text) for text in _SET.value], extension.located(_EXTENSION.value)
    made = make.make(start, Dataset.read(files.local_path(records)), edits, own)
    if not _DRY_RUN.value:
        _write(output, made.text)
    _report(made, output)
    return 0


def _list_templates() -> None:
    for name in template.names():
        print(f"{name}  ({style.style_of(template.read(name))})\n    {template.description(name)}")


def _required(flag: flags.FlagHolder[str | None]) -> str:
    value: str | None = flag.value
    if not value:
        raise UsageError(f"--{flag.name} is missing. Run with --help to see every flag.")
    return value


def _start(output: Path) -> Config:
    if bool(_TEMPLATE.value) == bool(_FROM.value):
        found = "both" if _FROM.value else "neither"
        raise UsageError(f"found {found} of --template and --from, expected one of them. --list shows the templates.")
    if _TEMPLATE.value:
        return template.read(_TEMPLATE.value)
    source = files.local_path(_FROM.value or "")
    if output.exists() and source.exists() and output.samefile(source):
        raise UsageError(f"--output is {source}, which --from reads; its comments would be lost. Name another file.")
    return schema.read(source)


def _edit(text: str) -> Edit:
    path, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set is '{text}', expected field.path=value.")
    return Edit(path=path.strip(), value=value)


def _write(output: Path, text: str) -> None:
    try:
        files.write_atomically(output, text.encode())
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}. Name another --output.", path=output) from error


def _report(made: make.MadeConfig, output: Path) -> None:
    print(f"Changed from {_TEMPLATE.value or _FROM.value}:")
    for line in made.changes:
        print(f"  {line}")
    print(f"Trains in {made.style} style.")
    if _DRY_RUN.value:
        print(f"Dry run, nothing written. Would write {output}")
        return
    print(f"Wrote {output}")
    config, model_dir = shlex.quote(f"{output}"), shlex.quote(f"{output.parent / 'model'}")
    own = "".join(f" {shlex.quote(flag)}" for flag in extension.flags(_EXTENSION.value))
    print(f"Next: python -m tfod_tools.train --config={config} --model_dir={model_dir}{own}")


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
