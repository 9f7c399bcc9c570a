"""The same 100 images and 273 boxes in every format that they were published in, and the CSV twins of other sets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from record_builders import formats
from record_builders.annotations import AnnotatedImage, Fault, Wanted
from record_builders.planning import checks
from record_builders.sources.folders import ImageFolder
from record_builders.sources.recognise import recognise
from tfod_tools.base import plugins

FOLDER = Path(formats.__file__).parent
HALF_A_PIXEL = 0.5

Boxes = dict[str, list[tuple[str, tuple[float, ...]]]]


def read(annotations: Path, images: Path, name: str | None = None) -> list[AnnotatedImage]:
    """The images that are annotated, of a format that is recognised unless it is named; nothing may be wrong."""
    module = plugins.load("record_builders.formats", FOLDER, name or recognise(annotations), "annotation format")
    found = list(checks.checked(module.read(annotations, ImageFolder(images), Wanted()), None))
    assert not [item.error for item in found if isinstance(item, Fault)]
    return [item for item in found if isinstance(item, AnnotatedImage)]


def boxes(images: list[AnnotatedImage]) -> Boxes:
    """Label and corners of each object by image, sorted."""
    return {
        image.image_name: sorted(
            (item.label, (item.box.xmin, item.box.ymin, item.box.xmax, item.box.ymax)) for item in image.objects
        )
        for image in images
        if image.objects
    }


def assert_same(found: Boxes, expected: Boxes) -> None:
    """Every box has a partner of the same label within half a pixel, in the order of its corners."""
    assert found.keys() == expected.keys()
    for name, wanted in expected.items():
        assert [label for label, _ in found[name]] == [label for label, _ in wanted]
        for (_, one), (_, other) in zip(found[name], wanted, strict=True):
            assert one == pytest.approx(other, abs=HALF_A_PIXEL), name


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("pascalvoc_format", "voc"),
        ("imagenet_format", "voc"),
        ("coco_format_v1", "coco"),
        ("coco_format_v2", "coco"),
        ("cvat_format", "cvat"),
        ("labelme_format", "labelme"),
        ("openimages_format", "open_images"),
        ("yolo_format", "yolo"),
    ],
)
def test_eight_formats(shared_data: Path, folder: str, name: str) -> None:
    """Read as what they are recognised as, and box by box as the XML says, here read in the most naive way."""
    zoo = shared_data / "zoo_globox_voc100" / "data"
    assert recognise(zoo / "gts" / folder) == name
    expected: Boxes = {}
    flags = {}
    for path in (zoo / "gts" / "pascalvoc_format").glob("*.xml"):
        objects = re.findall(r"<object>(.*?)</object>", path.read_text(), re.DOTALL)
        corners = [
            (
                re.findall(r"<name>(.*?)</name>", text)[0],
                tuple(float(re.findall(rf"<{side}>(.*?)<", text)[0]) for side in ("xmin", "ymin", "xmax", "ymax")),
            )
            for text in objects
        ]
        expected[f"{path.stem}.jpg"] = sorted(corners)
        flags[f"{path.stem}.jpg"] = ["".join(re.findall(r"<(?:truncated|difficult)>(\d)", text)) for text in objects]
    found = read(zoo / "gts" / folder, zoo / "images")
    assert sum(map(len, expected.values())) == sum(len(image.objects) for image in found) == 273
    assert_same(boxes(found), expected)
    if folder == "pascalvoc_format":
        read_flags = {
            image.image_name: [f"{item.truncated:d}{item.difficult:d}" for item in image.objects] for image in found
        }
        assert read_flags == flags


@pytest.mark.parametrize(
    ("csv", "xml", "images"),
    [
        ("voc_raccoon/data/raccoon_labels.csv", "voc_raccoon/annotations", "voc_raccoon/images"),
        ("voc_playing_cards/images", "voc_playing_cards/images", "voc_playing_cards/images"),
        ("voc_microcontrollers/images", "voc_microcontrollers/images", "voc_microcontrollers/images"),
    ],
)
def test_csv_twins(shared_data: Path, csv: str, xml: str, images: str) -> None:
    """What was made of XML files says the same as they do."""
    from_csv = read(shared_data / csv, shared_data / images, "csv")
    from_xml = read(shared_data / xml, shared_data / images, "voc")
    assert_same(boxes(from_csv), boxes(from_xml))
