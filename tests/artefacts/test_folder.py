"""Which folders export made, and so may replace."""

from pathlib import Path

import pytest

from tfod_tools.artefacts import folder

TF1 = (
    *("checkpoint", "frozen_inference_graph.pb", "label_map.pbtxt", "pipeline.config"),
    *("model.ckpt.index", "model.ckpt.meta", "model.ckpt.data-00000-of-00001", "saved_model/saved_model.pb"),
)
TF2 = (
    *("checkpoint/checkpoint", "checkpoint/ckpt-0.index", "checkpoint/ckpt-0.data-00000-of-00001"),
    *("label_map.pbtxt", "pipeline.config", "saved_model/saved_model.pb", "saved_model/fingerprint.pb"),
    *("saved_model/variables/variables.index", "saved_model/variables/variables.data-00000-of-00001"),
)


def made(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize("names", [TF1, TF2], ids=["TF1", "TF2"])
def test_a_folder_of_either_style_is_our_own(names: tuple[str, ...], tmp_path: Path) -> None:
    assert folder.foreign_file(made(tmp_path, *names)) is None
    assert folder.holds_model(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["thesis.txt", "saved_model/notes.txt", "sub/pipeline.config", "model.ckpt-9.index", "ckpt-1.index", "train.log"],
)
@pytest.mark.parametrize("names", [TF1, TF2], ids=["TF1", "TF2"])
def test_one_file_more_is_foreign(names: tuple[str, ...], name: str, tmp_path: Path) -> None:
    assert folder.foreign_file(made(tmp_path, *names, name)) == tmp_path / name


def test_a_linked_folder_is_foreign(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    export = made(tmp_path / "export", *TF1)
    (export / "saved_model" / "assets").symlink_to(tmp_path / "mine")
    assert folder.foreign_file(export) == export / "saved_model" / "assets"


@pytest.mark.parametrize(
    "names",
    [["pipeline.config"], ["pipeline.config", "checkpoint"], ["label_map.pbtxt"], ["saved_model/saved_model.pb"]],
)
def test_a_folder_without_a_model_and_its_label_map_is_foreign(names: list[str], tmp_path: Path) -> None:
    """A config and a label map also lie in folders that people made."""
    assert folder.foreign_file(made(tmp_path, *names)) is not None


def test_an_empty_folder_holds_nothing_foreign(tmp_path: Path) -> None:
    assert folder.foreign_file(tmp_path) is None
    assert not folder.holds_model(tmp_path)
