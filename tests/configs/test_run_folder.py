"""The config of a run is found in its folder, unless another is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline_configs import run_folder
from tfod_tools.base.errors import CheckpointError, ConfigError, TfodError


def write(path: Path, batch_size: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"train_config {{ batch_size: {batch_size} }}")
    return path


def test_the_config_that_training_left(tmp_path: Path) -> None:
    left = write(tmp_path / "model" / "pipeline.config", 3)
    path, config = run_folder.config(tmp_path / "model", None)
    assert path == left
    assert config.train_config.batch_size == 3


@pytest.mark.parametrize("left", [True, False])
def test_a_named_config_goes_first(tmp_path: Path, left: bool) -> None:
    (tmp_path / "model").mkdir()
    if left:
        write(tmp_path / "model" / "pipeline.config", 3)
    named = write(tmp_path / "other.config", 5)
    path, config = run_folder.config(tmp_path / "model", named)
    assert path == named
    assert config.train_config.batch_size == 5


def told(kind: type[TfodError], model_dir: Path, named: Path | None) -> str:
    with pytest.raises(kind) as caught:
        run_folder.config(model_dir, named)
    return str(caught.value)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("is_file", [True, False])
def test_no_folder(tmp_path: Path, named: bool, is_file: bool) -> None:
    other = write(tmp_path / "other.config", 5) if named else None
    if is_file:
        (tmp_path / "model").touch()
    assert told(CheckpointError, tmp_path / "model", other) == (
        f"{tmp_path / 'model'}: there is no such folder. Pass the --model_dir of a training run."
    )


def test_a_folder_without_a_config(tmp_path: Path) -> None:
    assert told(CheckpointError, tmp_path, None) == (
        f"{tmp_path}: holds no pipeline.config. Pass --config, or train there first."
    )


def test_a_named_config_that_is_not_there(tmp_path: Path) -> None:
    """It does not fall back to the one that training left, which would be another than the user thinks."""
    write(tmp_path / "pipeline.config", 3)
    assert told(ConfigError, tmp_path, tmp_path / "other.config").startswith(
        f"{tmp_path / 'other.config'}: there is no"
    )


def test_a_broken_config(tmp_path: Path) -> None:
    (tmp_path / "pipeline.config").write_text("train_config {\n  batch_sise: 3\n}")
    assert told(ConfigError, tmp_path, None).startswith(f"{tmp_path / 'pipeline.config'}:2: TrainConfig has no field")
