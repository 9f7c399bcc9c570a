"""What `train` plans and refuses before the engine starts."""

import json
from pathlib import Path

import pytest
from support import tiny_run

from cloud import job


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


@pytest.mark.parametrize("flag", ["--dry_run", "--steps=7"])
def test_a_config_of_the_users_own_in_the_model_dir_is_left_alone(flag: str, config: Path, tmp_path: Path) -> None:
    """Also when it is the one to train."""
    own = tmp_path / "model" / "pipeline.config"
    own.parent.mkdir()
    own.write_bytes(config.read_bytes())
    before = own.read_bytes()
    for source in (config, own):
        said = tiny_run.tfod("train", f"--config={source}", f"--model_dir={own.parent}", flag, expect=2)
        advice = "Move it to another folder and pass it from there."
        assert said == f"{own}: is your own file, and training would overwrite it. {advice}\n"
    assert own.read_bytes() == before
    assert list(own.parent.iterdir()) == [own]


def test_checkpoints_of_another_model(config: Path, tmp_path: Path) -> None:
    """The mark that a run leaves is there, and so is the model that its checkpoints have."""
    model = tmp_path / "model"
    text = job.plan(config, model, steps=7).config
    model.mkdir()
    (model / "pipeline.config").write_text(text)
    (model / "checkpoint").touch()
    flags = [f"--config={config}", f"--model_dir={model}", "--dry_run"]
    assert "Would train" in tiny_run.tfod("train", *flags)
    config.write_text(config.read_text().replace("height: 96", "height: 128"))
    said = tiny_run.tfod("train", *flags, expect=2)
    assert "its model differs from" in said
    assert len(said.splitlines()) == 1
    assert (model / "pipeline.config").read_text() == text


def test_words_with_spaces_can_be_pasted(config: Path, tmp_path: Path) -> None:
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={tmp_path / 'my model'}", "--dry_run")
    assert f"'--model_dir={tmp_path / 'my model'}'" in said


def test_the_plan_as_json(config: Path, tmp_path: Path) -> None:
    flags = [f"--model_dir={tmp_path / 'model'}", "--steps=500", "--dry_run", "--json"]
    answer = json.loads(tiny_run.tfod("train", str(config), *flags))
    assert answer["command"][:3] == ["python", "-m", "tfod_tools.engine.train"]
    del answer["command"]
    assert answer == {"style": "tf1", "steps": 500, "checkpoint_every": 50, "batch_size": 2}
    assert tiny_run.tfod("train", str(config), *flags[:-1], "--quiet") == ""
