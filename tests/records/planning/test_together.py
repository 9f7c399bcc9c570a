"""Copies are found by their bytes, groups by rule or table."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from record_builders.annotations import AnnotatedImage
from record_builders.planning import build, duplicates, groups
from record_builders.planning.plan import Plan, Request
from tfod_tools.base.errors import AnnotationError, ImageError, UsageError

if TYPE_CHECKING:
    from tests.records.conftest import VocFolder

BOX = ("cat", 1, 2, 30, 40)


def plan(voc: VocFolder, **options: object) -> Plan:
    request = Request(format="voc", annotations=voc.annotations, images=voc.images, output=voc.root / "out", **options)  # type: ignore[arg-type]
    return build.plan(request)


def names(found: tuple[duplicates.Copies, ...]) -> list[list[str]]:
    return [[image.image_name for image in same.images] for same in found]


def test_copies(voc: VocFolder) -> None:
    """Sets of two and three; boxes of other order are the same boxes."""
    for stem, objects in {
        "a": [BOX, ("dog", 5, 5, 20, 20)], "b": [("dog", 5, 5, 20, 20), BOX],
        "c": [BOX], "d": [BOX], "e": [("cat", 1, 2, 31, 40)], "f": [BOX],
    }.items():  # fmt: skip
        voc.add(stem, *objects)
    for copy, of in (("b", "a"), ("d", "c"), ("e", "c")):
        (voc.images / f"{copy}.jpg").write_bytes((voc.images / f"{of}.jpg").read_bytes())
    found = plan(voc).copies
    assert names(found) == [["a.jpg", "b.jpg"], ["c.jpg", "d.jpg", "e.jpg"]]
    assert [same.boxes_differ for same in found] == [False, True]


@pytest.mark.parametrize("place", [0, 10_000, 20_001, 39_999])
def test_files_of_one_size_that_differ_somewhere(voc: VocFolder, place: int) -> None:
    """In or outside the part that is looked at first."""
    noise = bytearray(random.Random(0).randbytes(40_000))
    for stem in ("a", "b"):
        voc.add(stem, BOX)
        noise[place] ^= 1
        (voc.images / f"{stem}.jpg").write_bytes((voc.images / "a.jpg").read_bytes()[:2000] + noise + b"\xff\xd9")
    assert not plan(voc).copies


def test_a_file_that_vanishes(voc: VocFolder) -> None:
    for stem in ("a", "b"):
        voc.add(stem, BOX)
    (voc.images / "b.jpg").write_bytes((voc.images / "a.jpg").read_bytes())
    images = plan(voc).images
    (voc.images / "b.jpg").unlink()
    with pytest.raises(ImageError, match=r"b\.jpg: cannot read the image"):
        duplicates.find(images)


def test_copies_and_groups_join(voc: VocFolder) -> None:
    """A copy of an image of a scene is in the split of the whole scene, whatever the seed."""
    for scene in range(5):
        for number in range(3):
            voc.add(f"scene{scene}_{number}", BOX)
    (voc.images / "scene0_0.jpg").write_bytes((voc.images / "scene4_2.jpg").read_bytes())
    for seed in range(10):
        planned = plan(voc, seed=seed, val_fraction=0.4, group_by="^(.*)_")
        assert planned.groups == groups.Groups(
            members=tuple(tuple(f"scene{scene}_{number}" for number in range(3)) for scene in range(5)), others=0
        )
        parts = [{image.image_id.partition("_")[0] for image in split.images} for split in planned.splits]
        assert not parts[0] & parts[1]
        assert {"scene0", "scene4"} <= parts[0] or {"scene0", "scene4"} <= parts[1]


def test_nothing_validates_where_all_belong_together(voc: VocFolder) -> None:
    for number in range(4):
        voc.add(f"a_{number}", BOX)
    assert [split.name for split in plan(voc, val_fraction=0.5, group_by="(a)").splits] == ["train"]


@pytest.fixture
def images(voc: VocFolder) -> tuple[AnnotatedImage, ...]:
    for stem in ("a_1", "a_2", "b_1", "c"):
        voc.add(stem, BOX)
    return tuple(sorted(plan(voc).images, key=lambda image: image.image_id))


@pytest.mark.parametrize(
    ("rule", "members", "others"),
    [
        ("^(.*)_", (("a_1", "a_2"), ("b_1",)), 1),
        ("_(.)$", (("a_1", "b_1"), ("a_2",)), 1),
        ("(z)|a", (), None),
    ],
)
def test_by_expression(images: tuple[AnnotatedImage, ...], rule: str, members: object, others: int | None) -> None:
    if others is None:
        with pytest.raises(UsageError, match="gives no image a group"):
            groups.of(rule, images)
    else:
        assert groups.of(rule, images) == groups.Groups(members=members, others=others)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["image,kind,scene\na_1,x,s\nb_1.jpg,y,s\nc,,\nnone,z,s\n\n", "i;scene\na_1;s\nb_1;s"])
def test_by_table(images: tuple[AnnotatedImage, ...], tmp_path: Path, text: str) -> None:
    (tmp_path / "scenes.csv").write_text(text)
    assert groups.of(f"{tmp_path}/scenes.csv:scene", images) == groups.Groups(members=(("a_1", "b_1"),), others=2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "scenes.csv:1: the table has no column 'scene' after the first one. The list of names is empty."),
        ("image,scenes\n", "scenes.csv:1: the table has no column 'scene' after the first one. Did you mean scenes?"),
        ("scene,x\n", "scenes.csv:1: the table has no column 'scene' after the first one. Known: x."),
        ("image,scene\na\n", "scenes.csv:2: the row has 1 values, but the first line has 2. Correct it."),
        ("i,scene\na,1\na,2\n", "scenes.csv:3: 'a' is in the group '2', but in '1' in a line before. Correct one."),
        ("i,scene\n\xff", "scenes.csv: the table is not UTF-8 text. Save it as UTF-8."),
    ],
)
def test_bad_tables(images: tuple[AnnotatedImage, ...], tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "scenes.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(AnnotationError, match=re.escape(message)):
        groups.of(f"{tmp_path}/scenes.csv:scene", images)
