"""The made-up data set is the same wherever it is made, and as good as a real one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from record_builders.annotations import AnnotatedImage, Wanted
from record_builders.formats import voc
from record_builders.sources import shapes
from record_builders.sources.folders import ImageFolder

ROOT = Path(__file__).parents[3]
IMAGES = 40
TRANSPOSE = Image.Transpose.TRANSPOSE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of 40 images."""
    made = tmp_path_factory.mktemp("shapes")
    shapes.write_voc(made, IMAGES)
    return made


@pytest.fixture(scope="module")
def images(folder: Path) -> list[AnnotatedImage]:
    """All of it, as the VOC format reads it: without a single fault."""
    found = list(voc.read(folder / "annotations", ImageFolder(folder / "images"), Wanted()))
    read = [image for image in found if isinstance(image, AnnotatedImage)]
    assert read == found
    return read


def content(folder: Path) -> dict[str, bytes]:
    """The annotations as they are, and of the images their pixels."""
    found = {}
    for path in folder.rglob("*.*"):
        if path.suffix == ".jpg":
            with Image.open(path) as image:
                found[str(path.relative_to(folder))] = image.tobytes()
        else:
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def test_the_files(folder: Path) -> None:
    names = [f"annotations/{number:04d}.xml" for number in range(IMAGES)]
    names += [f"images/{number:04d}.jpg" for number in range(IMAGES)]
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == names


def test_every_annotation_is_read_with_its_image(images: list[AnnotatedImage]) -> None:
    assert len(images) == IMAGES
    assert {(image.header.width, image.header.height) for image in images} == {(320, 240)}


def test_boxes_are_inside_and_have_an_extent(images: list[AnnotatedImage]) -> None:
    for image in images:
        assert 1 <= len(image.objects) <= 3
        for item in image.objects:
            assert 0 < item.box.xmin < item.box.xmax < 320
            assert 0 < item.box.ymin < item.box.ymax < 240


def test_every_class_appears(images: list[AnnotatedImage]) -> None:
    counts = Counter(item.label for image in images for item in image.objects)
    assert set(counts) == set(shapes.CLASSES)
    assert min(counts.values()) >= 5


def test_classes_differ_in_aspect_ratio(images: list[AnnotatedImage]) -> None:
    for item in (item for image in images for item in image.objects):
        ratio = item.box.width / item.box.height
        assert {"bar": ratio > 2.5, "column": ratio < 0.4}.get(item.label, 0.7 < ratio < 1.6), item


def test_the_same_in_another_process(folder: Path, tmp_path: Path) -> None:
    """And with another hash seed; the first images do not depend on how many follow."""
    code = "import sys; from pathlib import Path; from record_builders.sources import shapes; "
    code += "shapes.write_voc(Path(sys.argv[1]), 5, seed=0)"
    environment = {**os.environ, "PYTHONHASHSEED": "123"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, env=environment, check=True)
    first = content(tmp_path)
    assert len(first) == 10
    assert first.items() <= content(folder).items()


def test_another_seed_gives_other_images(folder: Path, tmp_path: Path) -> None:
    shapes.write_voc(tmp_path, 5, seed=1)
    made = content(folder)
    assert all(made[name] != other for name, other in content(tmp_path).items())


@pytest.mark.parametrize("side", ["xmin", "ymin", "xmax", "ymax"])
def test_boxes_are_tight(images: list[AnnotatedImage], side: str) -> None:
    """Bars and columns fill their boxes: brightness jumps at the edge, more than a pixel before or after it."""
    jumps = Counter[int]()
    for image in images:
        with Image.open(image.image_path) as picture:
            turned = picture.convert("L") if side.startswith("x") else picture.convert("L").transpose(TRANSPOSE)
        for item in image.objects:
            if item.label in ("bar", "column"):
                along = (item.box.ymin, item.box.ymax) if side.startswith("x") else (item.box.xmin, item.box.xmax)
                edge, middle = round(getattr(item.box, side)), round(sum(along) / 2)
                for offset in (-2, -1, 0, 1, 2):
                    before, after = (turned.getpixel((edge + offset + shift, middle)) for shift in (-1, 0))
                    jumps[offset] += abs(before - after)
    assert jumps.most_common(1)[0][0] == 0
    assert jumps[0] > 2 * max(jumps[offset] for offset in (-2, -1, 1, 2))
