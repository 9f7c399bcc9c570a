"""Open Images: tables of any order and size, the hierarchy of classes, labels of images, what is missing."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from record_builders.annotations import AnnotatedImage, Fault, Found, LeftOut, Wanted
from record_builders.formats import open_images
from record_builders.formats.open_images import grouping
from record_builders.formats.open_images.grouping import Selection
from record_builders.formats.open_images.hierarchy import Hierarchy
from record_builders.formats.open_images.tables import BOX_COLUMNS, Table
from record_builders.sources.folders import ImageFolder
from tfod_tools.base.errors import AnnotationError, UsageError

BOXES = ",".join(BOX_COLUMNS)
LABELS = "ImageID,Source,LabelName,Confidence"
DESCRIPTIONS = "/m/food,Food\n/m/fruit,Fruit\n/m/lemon,Lemon\n/m/apple,Apple\n/m/tree,Tree\n"
HIERARCHY = {
    "LabelName": "/m/0bl9f",
    "Subcategory": [
        {
            "LabelName": "/m/food",
            "Subcategory": [
                {"LabelName": "/m/fruit", "Subcategory": [{"LabelName": "/m/lemon"}, {"LabelName": "/m/apple"}]}
            ],
        },
        {"LabelName": "/m/tree", "Subcategory": [{"LabelName": "/m/apple"}], "Part": [{"LabelName": "/m/lemon"}]},
    ],
}


def row(image_id: str, mid: str, corners: str = "0.1,0.5,0.2,0.6", flags: str = "0,0,0,0,0") -> str:
    return f"{image_id},xclick,{mid},1,{corners},{flags}"


class OpenImages:
    """A folder of tables and one of images of 100x50 pixels."""

    def __init__(self, root: Path) -> None:
        self.annotations, self.images = root / "annotations", root / "images"
        self.annotations.mkdir()
        self.images.mkdir()
        self.write("class-descriptions-boxable.csv", DESCRIPTIONS)
        self.write("bbox_labels_600_hierarchy.json", json.dumps(HIERARCHY))

    def write(self, name: str, *lines: str) -> Path:
        path = self.annotations / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def image(self, name: str) -> None:
        path = self.images / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (100, 50)).save(path)

    def read(self, *classes: str, expand: bool = True, sets: tuple[str, ...] = ()) -> list[Found]:
        wanted = Wanted(classes=classes, expand_hierarchy=expand, image_sets=sets)
        return list(open_images.read(self.annotations, ImageFolder(self.images), wanted))

    def labels(self, *classes: str, expand: bool = True) -> dict[str, list[str]]:
        """Labels of the boxes by image; nothing may be wrong."""
        found = self.read(*classes, expand=expand)
        assert not [item.error for item in found if isinstance(item, Fault)]
        return {
            item.image_id: [each.label for each in item.objects] for item in found if isinstance(item, AnnotatedImage)
        }


@pytest.fixture
def data(tmp_path: Path) -> OpenImages:
    """Three images with boxes: a lemon and an apple, a fruit, a tree."""
    found = OpenImages(tmp_path)
    rows = [row("aa", "/m/lemon"), row("bb", "/m/fruit"), row("cc", "/m/tree"), row("aa", "/m/apple")]
    found.write("train-annotations-bbox.csv", BOXES, *rows)
    for stem in ("aa", "bb", "cc"):
        found.image(f"{stem}.jpg")
    return found


def test_hierarchy(tmp_path: Path) -> None:
    """A class with two parents has the ancestors of both; the root and parts are none."""
    path = tmp_path / "h.json"
    path.write_text(json.dumps(HIERARCHY))
    found = Hierarchy.read(path)
    assert found.ancestors["/m/apple"] == {"/m/fruit", "/m/food", "/m/tree"}
    assert found.ancestors["/m/lemon"] == {"/m/fruit", "/m/food"}
    assert found.ancestors["/m/food"] == frozenset()
    assert found.descendants == {
        "/m/food": {"/m/fruit", "/m/lemon", "/m/apple"},
        "/m/fruit": {"/m/lemon", "/m/apple"},
        "/m/tree": {"/m/apple"},
    }


def test_boxes_count_for_ancestors(data: OpenImages) -> None:
    assert data.labels() == {
        "aa": ["Lemon", "Food", "Fruit", "Apple", "Food", "Fruit", "Tree"],
        "bb": ["Fruit", "Food"],
        "cc": ["Tree"],
    }
    assert data.labels(expand=False) == {"aa": ["Lemon", "Apple"], "bb": ["Fruit"], "cc": ["Tree"]}


@pytest.mark.parametrize("name", ["Fruit", "fruit", "/m/fruit"])
def test_a_class_has_the_boxes_of_its_descendants(data: OpenImages, name: str) -> None:
    """And the rest is counted: the boxes of other classes, and the image there that has no others."""
    assert data.labels(name) == {"aa": ["Fruit", "Fruit"], "bb": ["Fruit"]}
    left_out = [item for item in data.read(name) if isinstance(item, LeftOut)]
    assert [(item.image_name, item.images, item.boxes) for item in left_out] == [("", 0, 1), ("cc.jpg", 1, 0)]


def test_a_class_has_no_boxes_of_its_ancestors(data: OpenImages) -> None:
    """A box of a fruit may be one of a lemon, but nobody said so."""
    assert data.labels("Lemon") == {"aa": ["Lemon"]}
    assert data.labels("Lemon", "Tree") == {"aa": ["Lemon", "Tree"], "cc": ["Tree"]}
    assert sum(item.boxes for item in data.read("Lemon") if isinstance(item, LeftOut)) == 3


def test_unknown_class(data: OpenImages) -> None:
    with pytest.raises(UsageError, match=r"no class has the name 'Lemmon'\. Did you mean Lemon\?"):
        data.read("Lemmon")


def test_labels_of_images(data: OpenImages) -> None:
    """Present ones count for ancestors, absent ones for descendants; machines are not asked."""
    data.write(
        "train-annotations-human-imagelabels-boxable.csv",
        *(LABELS, "aa,verification,/m/lemon,1", "aa,verification,/m/tree,0", "aa,machine,/m/food,0.6"),
        *("dd,verification,/m/fruit,0", "ee,verification,/m/lemon,1", "ff,verification,/m/lemon,0"),
    )
    data.image("dd.jpg")
    data.image("ee.jpg")
    found = {item.image_id: item for item in data.read() if isinstance(item, AnnotatedImage)}
    assert {label.label: label.present for label in found["aa"].labels} == {
        "Lemon": True,
        "Fruit": True,
        "Food": True,
        "Tree": False,
        "Apple": False,
    }
    assert {label.label: label.present for label in found["dd"].labels} == {
        "Fruit": False,
        "Lemon": False,
        "Apple": False,
    }
    assert not found["dd"].objects
    left_out = {item.image_name: item.reason for item in data.read() if isinstance(item, LeftOut)}
    assert left_out == {
        "ee.jpg": "with a label of a wanted class, but without boxes for it",
        "": "with labels only, and missing",
    }
    lemons = {item.image_id: item for item in data.read("Lemon") if isinstance(item, AnnotatedImage)}
    assert {name: [(x.label, x.present) for x in item.labels] for name, item in lemons.items()} == {
        "aa": [("Lemon", True)],
        "dd": [("Lemon", False)],
    }


def test_flags(data: OpenImages) -> None:
    """Each in its place; -1 is unknown."""
    data.write(
        "train-annotations-bbox.csv",
        *(BOXES, row("aa", "/m/tree", flags="1,0,0,0,-1"), row("aa", "/m/tree", flags="0,1,1,0,0")),
        row("aa", "/m/tree", flags="0,0,0,1,1"),
    )
    (image,) = [item for item in data.read() if isinstance(item, AnnotatedImage)]
    names = ("occluded", "truncated", "group_of", "depiction", "inside")
    assert [[name for name in names if getattr(item, name)] for item in image.objects] == [
        ["occluded"],
        ["truncated", "group_of"],
        ["depiction", "inside"],
    ]


def test_without_first_line_and_in_two_sets(data: OpenImages) -> None:
    """As some versions have it; images may lie in folders."""
    data.write("validation-annotations-bbox.csv", row("0123456789abcdef", "/m/tree"))
    data.image("validation/0/01/0123456789abcdef.jpg")
    found = data.read(sets=("validation",))
    assert [item.image_name for item in found if isinstance(item, AnnotatedImage)] == [
        "validation/0/01/0123456789abcdef.jpg"
    ]
    assert len([item for item in data.read() if isinstance(item, AnnotatedImage)]) == 4
    with pytest.raises(AnnotationError, match="no table of boxes of test is here"):
        data.read(sets=("test",))


def test_missing_images(data: OpenImages) -> None:
    """Each is one fault with its boxes, called as the public bucket calls it."""
    (data.images / "aa.jpg").unlink()
    fault = next(item for item in data.read() if isinstance(item, Fault))
    assert (fault.image_name, fault.images, fault.boxes, fault.missing) == ("train/aa", 1, 2, True)
    assert fault.error.message.startswith("its image is missing below images. List such images with --missing_images")


FOUR_NUMBERS = "not 4 numbers from 0 to 1 and then -1, 0 or 1. Correct them."
BAD_ROWS = {
    row("aa", "/m/none"): "the class descriptions do not have '/m/none'. Add it there, or remove the box.",
    row("aa", "/m/tree", "0.1,x,0.2,0.6"): f"corners and flags are '0.1,x,0.2,0.6,0,0,0,0,0', {FOUR_NUMBERS}",
    row("aa", "/m/tree", "0.1,nan,0.2,0.6"): f"corners and flags are '0.1,nan,0.2,0.6,0,0,0,0,0', {FOUR_NUMBERS}",
    row("aa", "/m/tree", "0,1,0,5,0,2,0,6"): f"corners and flags are '0,1,0,5,0,2,0,6,0', {FOUR_NUMBERS}",
    row("aa", "/m/tree", flags="0,yes,0,0,0"): f"corners and flags are '0.1,0.5,0.2,0.6,0,yes,0,0,0', {FOUR_NUMBERS}",
    "aa,xclick,/m/tree,1,0.1,0.2": f"corners and flags are '0.1,0.2,,,,,,,', {FOUR_NUMBERS}",
    row("aa", "/m/tree", "10,50,20,60"): "XMin, XMax, YMin, YMax are 10,50,20,60, not from 0 to 1. Divide them by",
}


@pytest.mark.parametrize(("text", "message"), BAD_ROWS.items())
def test_bad_rows(data: OpenImages, text: str, message: str) -> None:
    """Each is one lost box, with its line."""
    path = data.write("train-annotations-bbox.csv", BOXES, row("aa", "/m/tree"), text)
    fault, image = data.read()
    assert isinstance(fault, Fault)
    assert isinstance(image, AnnotatedImage)
    assert str(fault.error).startswith(f"{path}:3: {message}")
    assert (fault.image_name, fault.images, fault.boxes, len(image.objects)) == ("aa.jpg", 0, 1, 1)


def test_a_table_that_cannot_be_read(data: OpenImages) -> None:
    """Other bytes than UTF-8: with the line."""
    path = data.annotations / "train-annotations-bbox.csv"
    path.write_bytes(path.read_bytes() + row("aa", "/m/\xe9").encode("latin-1") + b"\n")
    with pytest.raises(AnnotationError) as caught:
        data.read()
    assert str(caught.value) == f"{path}:6: the line is not UTF-8 text. Save the file as UTF-8."


@pytest.mark.parametrize(("before", "end"), [(b"\xef\xbb\xbf", b"\n"), (b"", b"\r\n"), (b"", b"")])
def test_bytes_at_the_edges(data: OpenImages, before: bytes, end: bytes) -> None:
    """A byte order mark, lines that end as on Windows, no end of the last line."""
    path = data.annotations / "train-annotations-bbox.csv"
    lines = path.read_bytes().splitlines()
    path.write_bytes(before + (end or b"\n").join(lines) + end)
    assert sum(map(len, data.labels(expand=False).values())) == 4


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc")), min_size=1), st.integers(1, 40))
def test_grouping(tmp_path_factory: pytest.TempPathFactory, boxes: list[tuple[int, str]], most_rows: int) -> None:
    """Each image once with all of its rows in order, however many rows are read at a time."""
    path = tmp_path_factory.mktemp("tables") / "boxes.csv"
    rows = [row(f"{number:012x}", f"/m/{letter}") for number, letter in boxes]
    path.write_text("\n".join([BOXES, *rows]) + "\n")
    expected: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for line, (number, letter) in enumerate(boxes, start=2):
        if letter != "c":
            expected[f"{number:012x}"].append((line, f"/m/{letter}"))
    table = Table.of(path)
    assert table
    selection = Selection(boxes={"/m/a", "/m/b"})
    found = [(r.image_id, [(b.line, b.mid) for b in r.boxes]) for r in grouping.grouped([table], selection, most_rows)]
    assert len(found) == len(expected)
    assert dict(found) == expected


def test_shuffled_tables_give_the_same(data: OpenImages) -> None:
    """The order of rows is only that of the boxes of an image."""
    ids = [f"{number:016x}" for number in range(40)]
    rng = random.Random(0)
    rows = [row(rng.choice(ids), mid) for mid in ("/m/tree", "/m/lemon") for _ in range(100)]
    for stem in ids:
        data.image(f"{stem}.jpg")
    data.write("train-annotations-bbox.csv", BOXES, *sorted(rows))
    ordered = {name: sorted(labels) for name, labels in data.labels().items()}
    rng.shuffle(rows)
    data.write("train-annotations-bbox.csv", BOXES, *rows)
    assert {name: sorted(labels) for name, labels in data.labels().items()} == ordered
