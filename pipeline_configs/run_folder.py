"""The folder of a run: its config, which `train` writes and `evaluate` and `export` read, and its last checkpoint."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline_configs.checkpoints import checkpoint
from pipeline_configs.checkpoints.checkpoint import Checkpoint
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import CheckpointError, ConfigError

_NAME = "pipeline.config"
_MARK = "# The config of the last run in this folder, written by tfod_tools.train."
_CHECKPOINTS = "checkpoint"  # in this file TensorFlow lists the checkpoints of a folder

# The parts of a model that may change while a run goes on, since the weights do not depend on them.
_POST_PROCESSING = ("post_processing", "second_stage_post_processing")


def path(model_dir: Path) -> Path:
    """The path of the config of the run in `model_dir`."""
    return model_dir / _NAME


def config(model_dir: Path, named: Path | None) -> tuple[Path, Config]:
    """The path of the run's config, and the config; both of the file `named`, if there is one.

    Raises:
      CheckpointError: the folder does not exist, or it has no config and `named` is None.
      ConfigError: the config cannot be read.
    """
    if not model_dir.is_dir():
        raise CheckpointError("there is no such folder. Pass the --model_dir of a training run.", path=model_dir)
    found = named or path(model_dir)
    if named is None and not found.is_file():
        raise CheckpointError(f"holds no {_NAME}. Pass --config, or train there first.", path=model_dir)
    return found, schema.read(found)


def text(pipeline: Config) -> str:
    """The text that a run writes into its folder: the config, with a mark in the first line."""
    return f"{_MARK}\n{schema.dump(pipeline)}"


def is_marked(model_dir: Path) -> bool:
    """Whether `train` wrote the config in `model_dir`."""
    try:
        return path(model_dir).read_bytes().startswith(_MARK.encode())
    except OSError:
        return False


def check_same_run(model_dir: Path, pipeline: Config, source: Path) -> None:
    """Makes sure that a run of `pipeline`, read from `source`, may write its config into `model_dir`.

    Raises:
      ConfigError: the config there was not written by a run, or it belongs to checkpoints of another model.
    """
    there = path(model_dir)
    if not there.exists():
        return
    if not is_marked(model_dir):
        raise ConfigError(
            "is your own file, and training would overwrite it. Move it to another folder and pass it from there.",
            path=there,
        )
    if holds_another_model(model_dir, pipeline):
        message = (
            f"its model differs from that of {there}, and that folder has checkpoints. Choose another --model_dir."
        )
        raise ConfigError(message, path=source)


def holds_another_model(model_dir: Path, pipeline: Config) -> bool:
    """Whether `model_dir` has checkpoints, and a config with another model than `pipeline`.

    Raises:
      ConfigError: that config cannot be read.
    """
    there = path(model_dir)
    trained = there.exists() and (model_dir / _CHECKPOINTS).exists()
    return trained and _weights(schema.read(there)) != _weights(pipeline)


def last_checkpoint(model_dir: Path) -> Checkpoint | None:
    """The checkpoint from which training would go on in `model_dir`; None if there is none, or it cannot be read."""
    try:
        state = (model_dir / _CHECKPOINTS).read_text(encoding="utf-8")
        match = re.match(r'model_checkpoint_path: "(.*)"', state)
        return checkpoint.read(str(model_dir / match[1])) if match else None
    except (OSError, ValueError, CheckpointError):
        return None


def _weights(pipeline: Config) -> Config:
    """The model without the steps after its last layer."""
    copy = type(pipeline.model)()
    copy.CopyFrom(pipeline.model)
    model = getattr(copy, schema.architecture(pipeline))
    for name in _POST_PROCESSING:
        if name in model.DESCRIPTOR.fields_by_name:
            model.ClearField(name)
    return copy
