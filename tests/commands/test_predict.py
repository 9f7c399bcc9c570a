"""What `predict` reads and refuses before TensorFlow starts."""

import json
from pathlib import Path

import pytest
from PIL import Image
from support import tiny_run


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


def test_files_of_others_are_replaced_only_on_demand(model: Path, images: Path, tmp_path: Path) -> None:
    """Those of an earlier run are not of others."""
    found = tmp_path / "found"
    found.mkdir()
    (found / "a.jpg").write_text("mine")
    flags = [str(model), str(images), f"--output={found}", "--dry_run"]
    said = tiny_run.tfod("predict", *flags, expect=2)
    assert said == f"{found / 'a.jpg'}: is there already. Name another --output, or add --overwrite to replace it.\n"
    assert "in 2 images" in tiny_run.tfod("predict", *flags, "--overwrite")
    (found / "b.jpg").touch()
    (found / "detections.json").write_text("no JSON")
    said = tiny_run.tfod("predict", *flags, expect=2)
    assert said.startswith(f"{found / 'detections.json'}: is there already.")
    assert said.endswith("to replace it. (and 2 more like this)\n")
    (found / "detections.json").write_text(json.dumps({"images": [{"picture": "a.jpg"}, {"picture": "b.jpg"}]}))
    assert "in 2 images" in tiny_run.tfod("predict", *flags)


def test_the_plan_as_json(model: Path, images: Path, tmp_path: Path) -> None:
    flags = [str(model), str(images), f"--output={tmp_path / 'o'}", "--dry_run"]
    answer = json.loads(tiny_run.tfod("predict", *flags, "--json"))
    expected = {"classes": 1, "images": 2, "output": str(tmp_path / "o")}
    assert answer == {**expected, "detections": str(tmp_path / "o" / "detections.json")}
    assert tiny_run.tfod("predict", *flags, "--quiet") == ""
