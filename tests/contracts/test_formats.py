"""Every annotation format has a sample in tests/formats/NAME, and reads it as its expected.json says.

A sample is a folder `annotations`, a folder `images`, and `expected.json`: for each image its size and, for each
object, label, box in pixels (clipped to the image), and what else is known of it. A file added to
record_builders/formats fails here until it has one.
"""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from record_builders import formats
from record_builders.annotations import AnnotatedImage, Fault, ObjectAnnotation, Wanted
from record_builders.planning.checks import checked
from record_builders.sources.folders import ImageFolder
from record_builders.sources.recognise import recognise
from tfod_tools.base import plugins

FOLDER = Path(formats.__file__).parent
FLAGS = ("difficult", "truncated", "occluded", "group_of", "is_crowd", "depiction", "inside", "clipped")
SAMPLES = Path(__file__).parents[1] / "formats"


def described(image: AnnotatedImage) -> dict[str, Any]:
    labels = {item.label: item.present for item in image.labels}
    return {
        "image": image.image_name,
        "size": [image.header.width, image.header.height],
        "objects": [described_object(item) for item in image.objects],
        **({"labels": labels} if labels else {}),
    }


def described_object(item: ObjectAnnotation) -> dict[str, Any]:
    return {
        "label": item.label,
        "box": [round(side, 6) for side in (item.box.xmin, item.box.ymin, item.box.xmax, item.box.ymax)],
        "flags": [name for name in FLAGS if getattr(item, name)],
        **({"area": item.area} if item.area is not None else {}),
        **({"mask": type(item.mask).__name__} if item.mask else {}),
        **({"keypoints": [[p.name, p.x, p.y, p.visibility] for p in item.keypoints]} if item.keypoints else {}),
    }


@pytest.mark.parametrize("name", plugins.names(FOLDER))
def test_the_sample_reads_as_expected(name: str) -> None:
    module = plugins.load("record_builders.formats", FOLDER, name, "annotation format")
    assert inspect.getdoc(module), "the docstring tells the format and is its help"
    assert list(inspect.signature(module.read).parameters) == ["annotations", "images", "wanted"]
    sample = SAMPLES / name
    wanted = Wanted(masks=True)
    found = list(checked(module.read(sample / "annotations", ImageFolder(sample / "images"), wanted), None))
    assert not [item.error for item in found if isinstance(item, Fault)]
    images = [described(image) for image in found if isinstance(image, AnnotatedImage)]
    assert images == json.loads((sample / "expected.json").read_text())


@pytest.mark.parametrize("name", plugins.names(FOLDER))
@pytest.mark.parametrize(
    "content", [b"", b"\xff\x00<", b"{", b"[[{", b"<", b'{"images": []}', b"a,b\n", b"0,1", b"Car 1 2 3 4 5"]
)
def test_a_format_may_say_why_a_file_is_not_its_own(name: str, content: bytes, tmp_path: Path) -> None:
    """In sentences, whatever the file holds; nothing about a file of another kind, or one that is not there."""
    module = plugins.load("record_builders.formats", FOLDER, name, "annotation format")
    if not hasattr(module, "why_not"):
        pytest.skip("the format does not have it")
    assert list(inspect.signature(module.why_not).parameters) == ["path"]
    for suffix in (".xml", ".json", ".csv", ".tsv", ".txt", ".jpg"):
        path = tmp_path / f"file{suffix}"
        assert module.why_not(path) == ""
        path.write_bytes(content)
        said = module.why_not(path)
        assert said == "" or said.endswith(".")
        assert not (said and suffix == ".jpg")


@pytest.mark.parametrize("name", plugins.names(FOLDER))
def test_the_sample_is_recognised(name: str) -> None:
    assert recognise(SAMPLES / name / "annotations") == name
