"""What `demo` would run, and what it leaves alone. Its whole run is `make demo`."""

from pathlib import Path

import tiny_run

from tfod_tools import demo
from tfod_tools.__main__ import commands


def test_dry_run_lists_every_command_in_order(tmp_path: Path) -> None:
    said = tiny_run.tfod("demo", f"--output={tmp_path / 'demo'}", "--steps=7", "--dry_run").splitlines()
    run = [line.split()[2].removeprefix("tfod_tools.") for line in said]
    assert run == ["make_records", "make_config", "train", "evaluate", "export", "predict"]
    assert set(run) <= set(commands())
    assert "--steps=7" in said[2]
    assert not (tmp_path / "demo").exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    said = tiny_run.tfod("demo", f"--output={tmp_path}", expect=1)
    assert "holds no earlier demo" in said
    assert (tmp_path / "thesis.txt").exists()


def test_every_stage_names_what_it_makes(tmp_path: Path) -> None:
    assert all(stage.makes.is_relative_to(tmp_path) for stage in demo.stages(tmp_path, "any", None))
