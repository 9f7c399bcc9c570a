"""What `evaluate` and `export` plan and refuse before the engine starts."""

import json
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


def made_export(folder: Path) -> Path:
    (folder / "saved_model").mkdir(parents=True)
    for name in ("label_map.pbtxt", "pipeline.config", "saved_model/saved_model.pb"):
        (folder / name).touch()
    return folder


def test_an_earlier_export_is_replaced_only_on_demand(model: Path, tmp_path: Path) -> None:
    output = made_export(tmp_path / "out")
    flags = [str(model), f"--output={output}", "--dry_run"]
    said = tiny_run.tfod("export", *flags, expect=2)
    assert said == f"{output}: is there already. Name another --output, or add --overwrite to replace it.\n"
    assert "Would write" in tiny_run.tfod("export", *flags, "--overwrite")
    (output / "saved_model" / "notes.txt").touch()
    said = tiny_run.tfod("export", *flags, "--overwrite", expect=2)
    assert "because export did not write its file saved_model/notes.txt. Name another --output." in said


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_export_never_replaces_the_folder_of_a_run(model: Path, overwrite: list[str]) -> None:
    before = sorted(model.rglob("*"))
    tiny_run.tfod("export", str(model), f"--output={model}", *overwrite, expect=2)
    assert sorted(model.rglob("*")) == before


def test_export_takes_an_empty_folder_and_no_file(model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    assert "Would write" in tiny_run.tfod("export", str(model), f"--output={tmp_path / 'empty'}", "--dry_run")
    for name in ("file", "link"):
        said = tiny_run.tfod("export", str(model), f"--output={tmp_path / name}", "--overwrite", expect=2)
        assert "is a file or a link, but --output must name a folder" in said


def test_evaluate_looks_at_its_output_before_it_starts(model: Path, tmp_path: Path) -> None:
    """Not after half an hour."""
    (tmp_path / "old.json").write_text("mine")
    flags = [str(model), f"--output={tmp_path / 'old.json'}"]
    said = tiny_run.tfod("evaluate", *flags, expect=2)
    assert (
        said == f"{tmp_path / 'old.json'}: is there already. Name another --output, or add --overwrite to replace it.\n"
    )
    assert (tmp_path / "old.json").read_text() == "mine"
    assert not (model / "evaluate.log").exists()
    assert "Would run" in tiny_run.tfod("evaluate", *flags, "--overwrite", "--dry_run")


@pytest.mark.parametrize("command", ["evaluate", "export"])
def test_the_plan_as_json(command: str, model: Path, tmp_path: Path) -> None:
    flags = [str(model), f"--output={tmp_path / 'out'}", "--dry_run"]
    answer = json.loads(tiny_run.tfod(command, *flags, "--json"))
    assert answer["command"][:4] == ["python", "-m", f"tfod_tools.engine.{command}", "--style=tf2"]
    assert tiny_run.tfod(command, *flags, "--quiet") == ""


def test_export_needs_the_label_map(model: Path, tmp_path: Path) -> None:
    (tmp_path / "records" / "label_map.pbtxt").unlink()
    said = tiny_run.tfod("export", f"--model_dir={model}", f"--output={tmp_path / 'out'}", expect=2)
    assert "label_map.pbtxt: the config names this label map, but the file is missing." in said


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
