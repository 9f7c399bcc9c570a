"""What `predict` reads and refuses before TensorFlow starts, and how it names its pictures."""

from pathlib import Path

import pytest
import tiny_run
from PIL import Image

from tfod_tools import predict


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "label_map.pbtxt").write_text('item { id: 1 name: "ball" }\n')
    return tmp_path / "export"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for name in ("b.png", "a.JPG"):
        Image.new("RGB", (8, 6)).save(tmp_path / "images" / name)
    (tmp_path / "images" / "notes.txt").write_text("no image")
    return tmp_path / "images"


def test_dry_run_counts(model: Path, images: Path, tmp_path: Path) -> None:
    said = tiny_run.tfod("predict", f"--model={model}", f"--images={images}", f"--output={tmp_path / 'o'}", "--dry_run")
    assert "1 classes in 2 images" in said
    assert not (tmp_path / "o").exists()


def test_missing_things_are_one_line_each(model: Path, images: Path, tmp_path: Path) -> None:
    output = f"--output={tmp_path / 'o'}"
    said = tiny_run.tfod("predict", f"--model={tmp_path}/none", f"--images={images}", output, expect=2)
    assert "there is no such model" in said
    said = tiny_run.tfod("predict", f"--model={model}", f"--images={images},{tmp_path}/none.jpg", output, expect=2)
    assert "none.jpg: there is no such file or folder" in said
    said = tiny_run.tfod("predict", f"--model={model}", f"--images={model}", output, expect=2)
    assert "holds no image" in said
    (model / "label_map.pbtxt").unlink()
    said = tiny_run.tfod("predict", f"--model={model}", f"--images={images}", output, expect=2)
    assert "label_map.pbtxt: cannot read the label map" in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "o").exists()


def test_folders_are_listed_in_order_and_files_kept_as_named(images: Path) -> None:
    assert [path.name for path in predict.image_paths([images])] == ["a.JPG", "b.png"]
    assert predict.image_paths([images / "notes.txt"]) == [images / "notes.txt"]
