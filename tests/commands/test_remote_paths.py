"""A path that is not on this machine is refused in one line, before a folder called `gs:` appears."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tfod_tools import app

REMOTE = "gs://bucket/there"

# Each command, all flags that it needs to come as far as a dry run, and those of its flags that are paths.
COMMANDS = {
    "train": (["--config=a.config", "--model_dir=model"], ("config", "model_dir")),
    "evaluate": (["--model_dir=model"], ("model_dir", "config", "output")),
    "export": (["--model_dir=model", "--output=out"], ("model_dir", "config", "output")),
    "predict": (
        ["--model=model", "--images=model/image.jpg", "--output=out"],
        ("model", "images", "output", "label_map"),
    ),
    "demo": ([], ("output",)),
}


def status(command: str, *arguments: str) -> int:
    """The exit code of the command, run in this process with no flag left over from before."""
    module = importlib.import_module(f"tfod_tools.{command}")
    try:
        return app.status(module.main, module.FLAGS, module.__doc__, [command, *arguments])
    finally:
        for name in module.FLAGS:
            module.FLAGS[name].unparse()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a config, its records, and `model`, which is a run, an export and an image in one."""
    monkeypatch.chdir(tmp_path)
    reader = 'label_map_path: "label_map.pbtxt" tf_record_input_reader { input_path: "a.record" }'
    config = (
        "model { ssd { feature_extractor { type: 'ssd_mobilenet_v2' } } } train_config { num_steps: 7 }"
        f" train_input_reader {{ {reader} }} eval_input_reader {{ {reader} }}"
    )
    (tmp_path / "model").mkdir()
    for name in ("a.config", "model/pipeline.config"):
        (tmp_path / name).write_text(config)
    for name in ("label_map.pbtxt", "model/label_map.pbtxt"):
        (tmp_path / name).write_text("item { id: 1 name: 'cat' }")
    for name in ("a.record", "model/frozen_inference_graph.pb", "model/image.jpg"):
        (tmp_path / name).write_bytes(b"content")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "flag"), [(command, flag) for command, (_, paths) in COMMANDS.items() for flag in paths]
)
def test_remote_paths(command: str, flag: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needed, _ = COMMANDS[command]
    before = sorted(folder.rglob("*"))
    assert status(command, *needed, f"--{flag}={REMOTE}", "--dry_run") == 1
    assert capsys.readouterr() == (
        "",
        f"{REMOTE} is remote, but this must be a path on this machine. Copy the files here, or mount them.\n",
    )
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "train"])
def test_they_are_all_that_is_wrong(command: str) -> None:
    """The other flags of the test above are right."""
    assert status(command, *COMMANDS[command][0], "--dry_run") == 0


def test_they_are_all_that_is_wrong_for_train() -> None:
    """Whose model_dir must hold no config of the user's own."""
    assert status("train", "--config=a.config", "--model_dir=new", "--dry_run") == 0
