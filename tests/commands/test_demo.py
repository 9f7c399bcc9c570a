"""What `demo` would run, and what it leaves alone. Its whole run is `make demo`."""

import json
from pathlib import Path

import pytest
from support import tiny_run

from tfod_tools import demo
from tfod_tools.__main__ import commands
from tfod_tools.base.errors import UsageError


def test_dry_run_lists_every_command_in_order(tmp_path: Path) -> None:
    said = tiny_run.tfod("demo", f"--output={tmp_path / 'demo'}", "--steps=7", "--dry_run").splitlines()
    run = [line.split()[1] for line in said]
    assert run == ["make_records", "make_config", "train", "evaluate", "export", "predict"]
    assert set(run) <= set(commands())
    assert "--steps=7" in said[2]
    assert not (tmp_path / "demo").exists()


def test_the_plan_as_json(tmp_path: Path) -> None:
    answer = json.loads(tiny_run.tfod("demo", str(tmp_path / "demo"), "--dry_run", "--json"))
    assert [command[:2] for command in answer["commands"]][2] == ["tfod", "train"]
    assert tiny_run.tfod("demo", str(tmp_path / "demo"), "--dry_run", "--quiet") == ""


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    said = tiny_run.tfod("demo", f"--output={tmp_path}", expect=1)
    assert "no earlier demo made it" in said
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.parametrize("mark", ["", "{}", '{"AP50": 0.5, "seconds": {}}', '{"made_by": "another.demo"}', "not JSON"])
def test_a_folder_with_another_demo_json_is_left_alone(mark: str, tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text(mark)
    (tmp_path / "model").mkdir()
    with pytest.raises(UsageError, match="no earlier demo made it"):
        demo._clear(tmp_path)
    assert (tmp_path / "model").is_dir()
    assert (tmp_path / "demo.json").read_text() == mark


def test_a_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    said = tiny_run.tfod("demo", f"--output={tmp_path / 'thesis.txt'}", expect=1)
    assert len(said.splitlines()) == 1
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("exists", [True, False])
def test_a_new_folder_needs_no_mark(exists: bool, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    if exists:
        folder.mkdir()
    demo._clear(folder)
    assert folder.exists() == exists


def test_an_earlier_demo_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    """Whether it was finished or not; also a folder of the user's whose name is near."""
    demo._draw(tmp_path, 10)
    assert json.loads((tmp_path / "demo.json").read_text()) == {"made_by": "tfod_tools.demo"}
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"demo.json", "voc", "unseen"}
    for name in {stage.makes.relative_to(tmp_path).parts[0] for stage in demo.stages(tmp_path, "any", None)}:
        (tmp_path / name).mkdir(exist_ok=True)
    for name in ("pipeline.config", "metrics.json"):
        (tmp_path / name).rmdir()
    for name in ("pipeline.config", "metrics.json", "thesis.txt", "voc/old.txt", "records/old.txt"):
        (tmp_path / name).write_text("text")
    (tmp_path / "records_of_mine").mkdir()
    demo._draw(tmp_path, 10)
    assert {path.name for path in tmp_path.iterdir()} == made | {"thesis.txt", "records_of_mine"}
    assert not (tmp_path / "voc" / "old.txt").exists()


def test_all_that_the_stages_write_is_replaced_the_next_time(tmp_path: Path) -> None:
    words = [word.split("=")[-1] for stage in demo.stages(tmp_path, "any", None) for word in stage.command]
    paths = {Path(word) for word in words if word.startswith(str(tmp_path))}
    assert len(paths) > 6
    assert {path.relative_to(tmp_path).parts[0] for path in paths} <= set(demo._MADE)


def test_every_stage_names_what_it_makes(tmp_path: Path) -> None:
    assert all(stage.makes.is_relative_to(tmp_path) for stage in demo.stages(tmp_path, "any", None))
