"""What `predict` reads and refuses before TensorFlow starts, and how it names its pictures."""

from pathlib import Path

import pytest
from PIL import Image
from support import tiny_run

from tfod_tools import predict


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "frozen_inference_graph.pb").touch()
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
    said = tiny_run.tfod("predict", f"--model={images}", f"--images={images}", output, expect=2)
    assert "images: there is no such model" in said
    (model / "label_map.pbtxt").unlink()
    said = tiny_run.tfod("predict", f"--model={model}", f"--images={images}", output, expect=2)
    assert "label_map.pbtxt: cannot read the label map" in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("name", ["frozen_inference_graph.pb", "saved_model/saved_model.pb", "renamed.pb"])
def test_what_may_be_a_model(name: str, model: Path, images: Path, tmp_path: Path) -> None:
    """One of the two things that export writes, or a graph by its own name."""
    (model / "frozen_inference_graph.pb").unlink()
    (model / name).parent.mkdir(exist_ok=True)
    (model / name).touch()
    named = model / name if name == "renamed.pb" else model
    flags = [f"--images={images}", f"--output={tmp_path / 'o'}", "--dry_run"]
    assert "1 classes" in tiny_run.tfod("predict", f"--model={named}", *flags)


@pytest.mark.parametrize("name", ["frozen_inference_graph.pb", "saved_model.pb", "saved_model/saved_model.pb"])
def test_what_is_no_model(name: str, model: Path, images: Path, tmp_path: Path) -> None:
    """A file of another place, a folder of the name of a file."""
    (model / "frozen_inference_graph.pb").unlink()
    if name == "saved_model.pb":
        (model / name).touch()
    else:
        (model / name).mkdir(parents=True)
    flags = [f"--images={images}", f"--output={tmp_path / 'o'}", "--dry_run"]
    said = tiny_run.tfod("predict", f"--model={model}", *flags, expect=2)
    assert said == f"{model}: there is no such model. Pass a folder that export made, or a .pb file.\n"


@pytest.mark.parametrize("dry_run", [["--dry_run"], []])
@pytest.mark.parametrize("through", ["the same name", "a link"])
def test_no_image_is_overwritten(through: str, dry_run: list[str], model: Path, images: Path, tmp_path: Path) -> None:
    (images / "a.JPG").rename(images / "a.jpg")
    before = {path: path.read_bytes() for path in images.iterdir()}
    output = images
    if through == "a link":
        output = tmp_path / "link"
        output.symlink_to(images)
    flags = [f"--model={model}", f"--output={output}", *dry_run]
    said = tiny_run.tfod("predict", f"--images={images}", *flags, expect=1)
    assert said == (
        f"--output: {output / 'a.jpg'} is one of the images and would be overwritten. Choose another folder.\n"
    )
    assert {path: path.read_bytes() for path in images.iterdir()} == before


def test_pictures_may_lie_beside_the_images(model: Path, images: Path) -> None:
    """As long as no name meets: that of b.png's picture is b.jpg."""
    flags = [f"--model={model}", f"--output={images}", "--dry_run"]
    assert "in 1 images" in tiny_run.tfod("predict", f"--images={images / 'b.png'}", *flags)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (["x/a.png", "x/b.jpg"], ["a.jpg", "b.jpg"]),
        (["x/a.jpg", "x/a.png", "y/a.jpg"], ["a.jpg", "a-2.jpg", "a-3.jpg"]),
        (["x/a.jpg", "x/a-2.jpg", "y/a.jpg"], ["a.jpg", "a-2.jpg", "a-3.jpg"]),
        (["x/a.jpg", "y/a.jpg", "x/a-2.jpg"], ["a.jpg", "a-2.jpg", "a-2-2.jpg"]),
        (["x/a.b.jpg", "x/a.c.jpg"], ["a.b.jpg", "a.c.jpg"]),
    ],
)
def test_every_image_has_a_picture_of_its_own(images: list[str], expected: list[str]) -> None:
    assert predict.picture_names([Path(name) for name in images]) == dict(zip(images, expected, strict=True))


def test_folders_are_listed_in_order_and_files_kept_as_named(images: Path) -> None:
    assert [path.name for path in predict.image_paths([images])] == ["a.JPG", "b.png"]
    assert predict.image_paths([images / "notes.txt"]) == [images / "notes.txt"]
