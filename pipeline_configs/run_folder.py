"""The config of a training run: the one that `train` left in its folder, unless another is named."""

from __future__ import annotations

from pathlib import Path

from pipeline_configs import schema
from pipeline_configs.text_proto import Config
from tfod_tools.base.errors import CheckpointError


def config(model_dir: Path, named: Path | None) -> tuple[Path, Config]:
    """The path of the config that belongs to `model_dir`, and the config.

    Raises:
      CheckpointError: the folder does not exist, or holds no config and none is named.
      ConfigError: the config cannot be read.
    """
    if not model_dir.is_dir():
        raise CheckpointError("there is no such folder. Pass the --model_dir of a training run.", path=model_dir)
    path = named or model_dir / "pipeline.config"
    if named is None and not path.is_file():
        raise CheckpointError("holds no pipeline.config. Pass --config, or train there first.", path=model_dir)
    return path, schema.read(path)
