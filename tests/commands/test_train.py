"""What `train` plans and refuses before the engine starts."""

from pathlib import Path

import pytest
import tiny_run


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tiny_run.make_config(tiny_run.make_records(tmp_path), "tf1", tmp_path / "pipeline.config")


def test_dry_run_shows_the_words_and_writes_nothing(config: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=500", "--dry_run")
    assert "TF1 style" in said
    assert f"python -m tfod_tools.engine.train --style=tf1 --config={model / 'pipeline.config'}" in said
    assert "--steps=500 --checkpoint_every=50" in said
    assert not model.exists()


def test_missing_config_is_one_line(tmp_path: Path) -> None:
    said = tiny_run.tfod("train", f"--config={tmp_path}/none.config", f"--model_dir={tmp_path}/model", expect=2)
    assert "none.config" in said
    assert len(said.splitlines()) == 1


def test_missing_records_are_named(config: Path, tmp_path: Path) -> None:
    for shard in (tmp_path / "records").glob("train*"):
        shard.unlink()
    (tmp_path / "records" / "label_map.pbtxt").unlink()
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={tmp_path / 'model'}", expect=2).splitlines()
    assert len(said) == 3
    assert "train_input_reader: no records match" in said[0]
    assert "there is no label map" in said[1]
    assert not (tmp_path / "model").exists()


def test_a_config_without_steps_needs_the_flag(config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text().replace("num_steps: 1000", ""))
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={tmp_path / 'model'}", expect=2)
    assert "train_config.num_steps is not set" in said


@pytest.mark.parametrize("flag", ["--steps=0", "--steps=many", "--step=5"])
def test_wrong_flags_are_one_line(flag: str, config: Path, tmp_path: Path) -> None:
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={tmp_path / 'model'}", flag, expect=1)
    assert len(said.splitlines()) == 1
