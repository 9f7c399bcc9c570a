"""The user's own module: how --extension names it, and how commands pass it on."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import tiny_run

from pipeline_configs import extension
from tfod_tools.base.errors import UsageError


def test_a_file_is_found_from_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").touch()
    monkeypatch.chdir(tmp_path)
    assert extension.located("mine.py") == str(tmp_path / "mine.py")


@pytest.mark.parametrize(("named", "expected"), [(None, None), ("", None), ("a_package.mine", "a_package.mine")])
def test_other_names_stay_as_they_are(named: str | None, expected: str | None) -> None:
    assert extension.located(named) == expected


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("nowhere/mine.py", "there is no file nowhere/mine.py"),
        ("nowhere/mine", "is 'nowhere/mine'. Give a file that ends in .py, or the name of an installed module"),
        ("gs://bucket/mine.py", "is remote"),
    ],
)
def test_what_cannot_be_an_extension(named: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        extension.located(named)


def test_the_commands_hand_it_on(tmp_path: Path) -> None:
    records = tiny_run.make_records(tmp_path)
    config, model, own = tmp_path / "pipeline.config", tmp_path / "my model", tmp_path / "mine.py"
    own.touch()
    typed = "--set=model.ssd.feature_extractor.type=ssd_mine_keras"
    make = ["--template=ssd_mobilenet_v2_small_192x192", f"--records={records}", f"--output={config}", typed]
    said = tiny_run.tfod("make_config", *make, expect=2)
    assert "no extractor is called 'ssd_mine_keras'. Did you mean" in said
    assert "For an extractor of your own, add --extension." in said
    said = tiny_run.tfod("make_config", *make, f"--extension={own}")
    assert "Trains in TF2 style." in said
    assert said.endswith(f" --extension={own}\n")

    flags = [f"--config={config}", f"--model_dir={model}", "--dry_run"]
    assert "For an extractor of your own, add --extension." in tiny_run.tfod("train", *flags, expect=2)
    assert "there is no file" in tiny_run.tfod("train", *flags, "--extension=nowhere.py", expect=1)
    model.mkdir()
    flags.append(f"--extension={own}")
    words = {
        "train": tiny_run.tfod("train", *flags),
        "evaluate": tiny_run.tfod("evaluate", *flags),
        "export": tiny_run.tfod("export", *flags, f"--output={tmp_path / 'export'}"),
    }
    for command, shown in words.items():
        assert f"tfod_tools.engine.{command} --style=tf2" in shown
        assert f" --extension={own}" in shown
