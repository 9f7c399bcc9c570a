"""The templates as they were published, with the fields that templates leave out.

Templates leave out what the records decide and what the engine ignores. `published.json` has these fields,
{template: {field path: value}}, in the order of the listing; null if only the template has the field. A template with
values of our own has no entry. Names of files are left out, except for whether there is a checkpoint to start from.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path

from pipeline_configs.making import template
from pipeline_configs.patches.patch import Edit
from pipeline_configs.text.text_proto import Config

FILE = Path(__file__).with_name("published.json")

# Published configs have this instead of names of files. Here it stands for any checkpoint.
_SOME_FILE = "PATH_TO_BE_CONFIGURED"
_OF_INPUTS = ("label_map_path", "tf_record_input_reader", "external_input_reader", "input_type")
_OF_OUTPUTS = ("visualization_export_dir", "export_path")


def read(name: str) -> Config:
    """The config that was published for the template `name`; the template itself if none was published.

    Raises:
      UsageError: there is no such template.
    """
    config = template.read(name)
    for path, value in _edits().get(name, {}).items():
        Edit(path=path, value=value).apply_to(config)
    return config


def left_out(name: str) -> frozenset[str]:
    """The fields that the template `name` leaves out, and for which no value was published."""
    every = _edits()
    if name in every:
        return frozenset()
    return frozenset(path for edits in every.values() for path, value in edits.items() if value is not None)


def without_names(config: Config) -> Config:
    """A copy of `config` without names of files; the name of a checkpoint is replaced by a fixed one."""
    kept = type(config)()
    kept.CopyFrom(config)
    if kept.model.HasField("center_net"):
        kept.model.center_net.ClearField("keypoint_label_map_path")
    for reader in (kept.train_input_reader, *kept.eval_input_reader):
        for field in _OF_INPUTS:
            reader.ClearField(field)
    for field in _OF_OUTPUTS:
        kept.eval_config.ClearField(field)
    if kept.train_config.fine_tune_checkpoint:
        kept.train_config.fine_tune_checkpoint = _SOME_FILE
    # A message without fields means the same as no message.
    for message in (kept.train_config, kept.train_input_reader, kept.eval_config):
        message.SetInParent()
    if not kept.eval_input_reader:
        kept.eval_input_reader.add()
    return kept


@functools.cache
def _edits() -> dict[str, dict[str, str | None]]:
    found: dict[str, dict[str, str | None]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found
