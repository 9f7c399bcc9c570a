"""What `evaluate` and `export` plan and refuse before the engine starts."""

import shutil
from pathlib import Path

import pytest
from support import tiny_run


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model_dir with a config and without a checkpoint."""
    config = tiny_run.make_config(tiny_run.make_records(tmp_path), "tf2", tmp_path / "pipeline.config")
    (tmp_path / "model").mkdir()
    return Path(shutil.move(config, tmp_path / "model")).parent


@pytest.mark.parametrize("command", ["evaluate", "export"])
def test_dry_run_shows_the_words(command: str, model: Path, tmp_path: Path) -> None:
    flags = [f"--output={tmp_path / 'out'}", "--checkpoint=ckpt-7", "--dry_run"]
    said = tiny_run.tfod(command, f"--model_dir={model}", *flags)
    assert f"python -m tfod_tools.engine.{command} --style=tf2" in said
    assert "--checkpoint=ckpt-7" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["evaluate", "export"])
def test_folder_without_a_run(command: str, tmp_path: Path) -> None:
    said = tiny_run.tfod(command, f"--model_dir={tmp_path / 'none'}", f"--output={tmp_path / 'out'}", expect=2)
    assert "there is no such folder" in said
    said = tiny_run.tfod(command, f"--model_dir={tmp_path}", f"--output={tmp_path / 'out'}", expect=2)
    assert "holds no pipeline.config" in said


def test_unknown_export_format(model: Path, tmp_path: Path) -> None:
    output = f"--output={tmp_path / 'out'}"
    said = tiny_run.tfod("export", f"--model_dir={model}", output, "--format=frozen_graf", expect=1)
    assert "Did you mean frozen_graph?" in said


def test_export_overwrites_nothing(model: Path) -> None:
    said = tiny_run.tfod("export", f"--model_dir={model}", f"--output={model}", expect=1)
    assert "exists" in said


def test_export_needs_the_label_map(model: Path, tmp_path: Path) -> None:
    (tmp_path / "records" / "label_map.pbtxt").unlink()
    said = tiny_run.tfod("export", f"--model_dir={model}", f"--output={tmp_path / 'out'}", expect=2)
    assert "label_map.pbtxt: the config's label map is not there" in said


def test_evaluation_needs_its_own_records_alone(model: Path, tmp_path: Path) -> None:
    """The training records may be on another machine."""
    for shard in (tmp_path / "records").glob("train*"):
        shard.unlink()
    assert "Would run" in tiny_run.tfod("evaluate", f"--model_dir={model}", "--dry_run")
    for shard in (tmp_path / "records").glob("val*"):
        shard.unlink()
    said = tiny_run.tfod("evaluate", f"--model_dir={model}", "--dry_run", expect=2)
    assert "eval_input_reader[0]: no records match" in said
    assert len(said.splitlines()) == 1


def test_export_of_a_config_without_any_label_map(model: Path, tmp_path: Path) -> None:
    config = model / "pipeline.config"
    lines = config.read_text().splitlines(keepends=True)
    config.write_text("".join(line for line in lines if "label_map_path" not in line))
    said = tiny_run.tfod("export", f"--model_dir={model}", f"--output={tmp_path / 'out'}", expect=2)
    assert said == f"{config}: no input reader has a label_map_path.\n"
