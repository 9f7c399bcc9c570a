"""Which images are read, how their pictures are called, and what is written."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tfod_tools.artefacts import detection


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for name in ("b.png", "a.JPG"):
        Image.new("RGB", (8, 6)).save(tmp_path / "images" / name)
    (tmp_path / "images" / "notes.txt").write_text("no image")
    return tmp_path / "images"


def image(path: Path, picture: str, *scores: float) -> dict[str, Any]:
    box = {"label": "ball", "label_id": 1, "xmin": 1.0, "ymin": 1.0, "xmax": 4.0, "ymax": 4.0}
    detections = [{**box, "score": score} for score in scores]
    return {"image": str(path), "picture": picture, "width": 8, "height": 6, "detections": detections}


def test_what_is_written_and_said(images: Path, tmp_path: Path) -> None:
    output = tmp_path / "found"
    pictures = {images / "a.JPG": output / "a.jpg", images / "b.png": output / "b.jpg"}
    planned = detection.Detection(model=tmp_path, labels={1: "ball"}, pictures=pictures, output=output)
    found = [image(images / "a.JPG", "a.jpg", 0.9, 0.4), image(images / "b.png", "b.jpg")]
    detection.write(planned, found, 0.5)
    assert {path.name for path in output.iterdir()} == {"a.jpg", "b.jpg", "detections.json"}
    assert json.loads(planned.detections.read_text()) == {"format_version": 1, "images": found}
    assert detection.lines(planned, found, 0.5) == [f"1 objects of score 0.5 or more in 2 images. Written: {output}"]
    assert "The highest score of all is 0.90." in detection.lines(planned, found, 0.95)[1]
    assert len(detection.lines(planned, [], 0.95)) == 1


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
    assert detection.picture_names([Path(name) for name in images]) == expected


def test_folders_are_listed_in_order_and_files_kept_as_named(images: Path) -> None:
    assert [path.name for path in detection.image_paths([images])] == ["a.JPG", "b.png"]
    assert detection.image_paths([images / "notes.txt"]) == [images / "notes.txt"]
