"""A plan accounts for every image and box, and what is written is complete, repeatable and never half there."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import google_crc32c
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from record_builders import label_map
from record_builders.output import manifest, report, writing
from record_builders.planning import build
from record_builders.planning.plan import Request
from record_builders.records import example, tfrecord
from tfod_tools.base.errors import AnnotationError, ImageError, Problems, RecordError

if TYPE_CHECKING:
    from tests.records.conftest import VocFolder


def request_for(voc: VocFolder, **options: object) -> Request:
    """The wish to make records of `voc` in its subfolder `out`."""
    request = Request(format="voc", annotations=voc.annotations, images=voc.images, output=voc.root / "out")
    return replace(request, **options)


def make(voc: VocFolder, **options: object) -> manifest.Manifest:
    """Makes records of `voc` and returns the manifest."""
    return writing.write(build.plan(request_for(voc, **options)), lambda count: None)


def content(folder: Path) -> dict[str, bytes]:
    """All files of a folder, hidden ones too."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def pets(voc: VocFolder) -> VocFolder:
    """Ten images with a cat, every other one with a dog too; one without objects, one without annotation."""
    for number in range(10):
        dog = [("dog", 20, 10, 60, 45)] if number % 2 else []
        voc.add(f"pet{number}", ("cat", 1, 2, 30, 40), *dog)
    voc.add("nothing")
    voc.image("unannotated.jpg")
    return voc


def test_what_is_written(pets: VocFolder) -> None:
    """Shards, label map and a manifest that tells the truth about them."""
    found = make(pets, shards=3, val_fraction=0.2)
    out = pets.root / "out"
    files = content(out)
    assert json.loads(files.pop("manifest.json")) == found == manifest.read(out / "manifest.json")
    assert label_map.parse(files.pop("label_map.pbtxt").decode()).ids_by_name() == {"cat": 1, "dog": 2}
    assert list(found["splits"]) == ["train", "val"]
    for name, split in found["splits"].items():
        entries = {entry["path"]: entry for entry in split["shards"]}
        assert sorted(entries) == sorted(path.name for path in out.glob(split["pattern"]))
        records = [example.parse(record) for path in entries for record in tfrecord.read(out / path)]
        assert len(records) == split["images"] == {"train": 9, "val": 2}[name]
        assert sum(len(record.boxes) for record in records) == split["boxes"] == sum(split["classes"].values())
        assert max(len(record.boxes) for record in records) == split["most_boxes_on_an_image"]
        for path, entry in entries.items():
            data = files.pop(path)
            assert entry["records"] == sum(1 for _ in tfrecord.read(out / path)) > 0
            assert (entry["bytes"], entry["crc32c"]) == (len(data), f"{google_crc32c.value(data):08x}")
    assert not files
    assert found["images"] == {"annotated": 11, "written": 11, "left_out": 0, "dropped": 0}
    assert found["boxes"] == {"found": 15, "written": 15, "clipped": 0, "ignored": 0, "left_out": 0, "dropped": 0}
    assert found["unannotated_images"] == 1


def test_images_are_copied(pets: VocFolder) -> None:
    """Byte by byte, with boxes in fractions."""
    make(pets, val_fraction=0)
    (path,) = (pets.root / "out").glob("train.record-*")
    records = {record.source_id: record for record in map(example.parse, tfrecord.read(path))}
    assert records["pet3"].encoded == (pets.images / "pet3.jpg").read_bytes()
    assert records["pet3"].labels == ("cat", "dog")
    assert records["pet3"].boxes[1].ymax == pytest.approx(45 / 50)
    assert records["nothing"].boxes == ()


def test_the_manifest_says_nothing_of_this_machine(pets: VocFolder) -> None:
    """No absolute path, and options as they were asked for."""
    pets.add("bad", ("cat", 5, 5, 5, 5))
    found = make(pets, shards=2, seed=4)
    assert str(pets.root) not in json.dumps(found)
    assert found["options"] == {
        "format": "voc",
        "seed": 4,
        "group_by": "",
        "shards": 2,
        "shard_mb": 100,
        "val_fraction": 0.2,
        "image_sets": [],
        "classes": [],
        "expand_hierarchy": True,
        "masks": False,
        "convert": False,
        "verify": False,
        "drop": [],
        "ignore": ["crowd", "group_of"],
    }
    assert found["dropped"][0]["source"] == "bad.xml:3"
    assert found["dropped"][0]["image"] == "bad.jpg"
    assert found["dropped"][0]["reason"].startswith("the box (5, 5)-(5, 5) has no area")


def test_equal_input_gives_equal_files(pets: VocFolder) -> None:
    """Also over an earlier run."""
    make(pets, shards=2)
    first = content(pets.root / "out")
    make(pets, shards=2)
    make(pets, shards=2, output=pets.root / "other")
    assert content(pets.root / "out") == content(pets.root / "other") == first


def test_the_files_do_not_depend_on_the_number_of_processes(pets: VocFolder) -> None:
    """Shards are the work of one process each."""
    planned = [build.plan(request_for(pets, shards=3, output=pets.root / name)) for name in ("1", "2", "4")]
    told: list[int] = []
    for plan in planned:
        writing.write(plan, told.append, int(plan.request.output.name))
    first, *others = (content(plan.request.output) for plan in planned)
    assert all(other == first for other in others)
    assert sum(told) == 3 * 11


def test_what_only_an_earlier_run_wrote_is_removed(pets: VocFolder) -> None:
    """And nothing else."""
    out = pets.root / "out"
    make(pets, shards=3)
    for name in ("notes.txt", "test.record-00000-of-00001"):
        (out / name).write_text("mine")
    assert len(build.plan(request_for(pets, shards=1, val_fraction=0)).superseded) == 5
    make(pets, shards=1, val_fraction=0)
    assert set(content(out)) == {
        "label_map.pbtxt",
        "manifest.json",
        "notes.txt",
        "test.record-00000-of-00001",
        "train.record-00000-of-00001",
    }


@pytest.mark.parametrize("name", ["label_map.pbtxt", "train.record-00000-of-00001"])
def test_files_of_others_are_not_overwritten(pets: VocFolder, name: str) -> None:
    """A label map written by hand took somebody an hour."""
    path = pets.root / "out" / name
    path.parent.mkdir()
    path.write_text("mine")
    with pytest.raises(RecordError, match=r"is there already, and no manifest\.json says that make_records wrote it"):
        make(pets)
    assert content(path.parent) == {name: b"mine"}


def test_a_given_label_map_is_kept_as_it_is(pets: VocFolder) -> None:
    """Also in the very place where it is to be; classes that do not occur count 0."""
    path = pets.root / "out" / "label_map.pbtxt"
    path.parent.mkdir()
    text = "# mine\nitem { name: 'dog' id: 9 }\nitem { name: 'cow' id: 1 }\nitem { name: 'cat' id: 2 }\n"
    path.write_text(text)
    found = make(pets, label_map=path, val_fraction=0)
    assert path.read_text() == text
    assert found["label_map"]["classes"] == [
        {"id": 9, "name": "dog"},
        {"id": 1, "name": "cow"},
        {"id": 2, "name": "cat"},
    ]
    assert found["splits"]["train"]["classes"] == {"dog": 5, "cow": 0, "cat": 10}


@pytest.mark.parametrize("processes", [1, 2])
def test_an_image_that_vanishes_leaves_nothing_behind(pets: VocFolder, processes: int) -> None:
    """The earlier records stay as they were."""
    make(pets)
    before = content(pets.root / "out")
    planned = build.plan(request_for(pets, shards=4))
    (pets.images / "pet7.jpg").unlink()
    with pytest.raises(ImageError, match=r"pet7\.jpg: cannot read the image"):
        writing.write(planned, lambda count: None, processes)
    assert content(pets.root / "out") == before


def test_progress_is_told(pets: VocFolder) -> None:
    """One call for each image."""
    told: list[int] = []
    writing.write(build.plan(request_for(pets)), told.append)
    assert sum(told) == 11


def test_never_an_empty_shard(voc: VocFolder) -> None:
    """The engine waits for ever on one. A single image is trained on."""
    voc.add("only", ("cat", 1, 2, 30, 40))
    found = make(voc, shards=5, val_fraction=0.5)
    assert list(found["splits"]) == ["train"]
    assert [entry["records"] for entry in found["splits"]["train"]["shards"]] == [1]


def test_shards_of_a_size(pets: VocFolder) -> None:
    """Each split has as many as its images fill, and the number given wins."""
    size_bytes = (pets.images / "pet0.jpg").stat().st_size
    planned = build.plan(request_for(pets, shard_mb=4.001 * size_bytes / 1e6))
    assert [(len(split.images), split.shards) for split in planned.splits] == [(9, 3), (2, 1)]
    planned = build.plan(request_for(pets, shard_mb=1e-9, val_fraction=0))
    assert [split.shards for split in planned.splits] == [11]
    planned = build.plan(request_for(pets, shards=2, shard_mb=1e-9))
    assert [split.shards for split in planned.splits] == [2, 2]


def output_is_a_file(voc: VocFolder) -> None:
    """Something is already where the records should be."""
    voc.add("a", ("cat", 1, 2, 30, 40))
    (voc.root / "out").write_text("")


def parent_is_a_file(voc: VocFolder) -> None:
    """The folder cannot be made."""
    output_is_a_file(voc)
    (voc.root / "out").unlink()
    (voc.root / "out").symlink_to(voc.images / "a.jpg" / "out")


def foreign_manifest(voc: VocFolder) -> None:
    """Another program keeps its manifest there."""
    output_is_a_file(voc)
    (voc.root / "out").unlink()
    (voc.root / "out").mkdir()
    (voc.root / "out" / "manifest.json").write_text('{"version": 3}')


def no_boxes(voc: VocFolder) -> None:
    """Two images, nothing on them."""
    voc.add("a")
    voc.add("b")


def no_images(voc: VocFolder) -> None:
    """The wrong folder was named."""
    voc.add("a", ("cat", 1, 2, 30, 40))
    (voc.images / "a.jpg").unlink()


def only_bad_boxes(voc: VocFolder) -> None:
    """Nothing is left."""
    voc.add("a", ("cat", 1, 2, 1, 40))


@pytest.mark.parametrize(
    ("prepare", "error", "message"),
    [
        (output_is_a_file, RecordError, "out: this is a file, not a folder for the records"),
        (parent_is_a_file, RecordError, "out: cannot write the records"),
        (foreign_manifest, RecordError, "manifest.json: not a manifest of records: format_version is None"),
        (no_boxes, AnnotationError, "annotations: no annotation here has a box"),
        (no_images, ImageError, "images: no image is here"),
        (only_bad_boxes, Problems, "Without them no image is left, so nothing was written."),
    ],
)
def test_nothing_can_be_done(
    voc: VocFolder, prepare: Callable[[VocFolder], None], error: type[Exception], message: str
) -> None:
    """One clear error."""
    prepare(voc)
    with pytest.raises(error) as caught:
        make(voc)
    assert message in str(caught.value)


def test_the_plan_in_words(pets: VocFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What --dry_run prints."""
    pets.add("edge", ("bird", 90, 2, 120, 40))
    pets.add("bad", ("cat", 5, 5, 5, 5))
    monkeypatch.chdir(pets.root)
    planned = build.plan(request_for(pets, output=Path("out"), shards=2))
    assert report.lines(planned, report.remarks(planned), done=False) == [
        "split   images   boxes   shards",
        "───────────────────────────────",
        "train       10      13        2",
        "val          2       3        2",
        "",
        "class   id   train boxes   val boxes",
        "────────────────────────────────────",
        "bird     1             1           0",
        "cat      2             8           2",
        "dog      3             4           1",
        "",
        "Boxes clipped at the edge of their image: 1",
        "Images without objects, written as background: 1",
        "Images without an annotation, left out: 1",
        "Annotated images dropped because of problems: 1",
        "Boxes dropped because of problems: 1",
        "Classes without a box in val: bird",
        "Would write to out:",
        "  train.record-?????-of-00002",
        "  val.record-?????-of-00002",
        "  label_map.pbtxt",
        "  manifest.json",
    ]


OBJECTS = st.tuples(
    st.sampled_from(["cat", "dog", "fish", ""]), *(st.sampled_from([-20, 0, 30, 60, 150, "x"]) for _ in range(4))
)
ENTRIES = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c", "missing", "broken"]), st.lists(OBJECTS, max_size=4)), max_size=6
)


@settings(deadline=None, max_examples=60)
@given(ENTRIES, st.booleans(), st.integers(1, 3), st.floats(0, 0.9))
def test_every_image_and_box_has_a_fate(
    voc_folder: type[VocFolder],
    entries: list[tuple[str, list[tuple[object, ...]]]],
    given_map: bool,
    shards: int,
    fraction: float,
) -> None:
    """Whatever is wrong: found = written + dropped, for images and boxes, and the records hold what was written."""
    with tempfile.TemporaryDirectory() as folder:
        voc = voc_folder(Path(folder) / "voc")
        for stem in "abc":
            voc.image(f"{stem}.jpg")
        voc.image("broken.jpg").write_bytes(b"not an image")
        for number, (stem, objects) in enumerate(entries):
            voc.xml(f"{number}.xml", f"<filename>{stem}.jpg</filename>" + "".join(voc.marked(*o) for o in objects))
        given_path = voc.root / "given.pbtxt"
        given_path.write_text("item { name: 'cat' id: 1 } item { name: 'dog' id: 2 }")
        try:
            found = make(voc, shards=shards, val_fraction=fraction, label_map=given_path if given_map else None)
        except (AnnotationError, Problems):
            return
        paths = sorted((voc.root / "out").glob("*.record-*"))
        records = [example.parse(record) for path in paths for record in tfrecord.read(path)]
    images, boxes = found["images"], found["boxes"]
    assert images["annotated"] == len(entries) == images["written"] + images["dropped"]
    assert boxes["found"] == sum(len(objects) for _, objects in entries) == boxes["written"] + boxes["dropped"]
    assert (len(records), sum(len(record.boxes) for record in records)) == (images["written"], boxes["written"])
    assert len({record.source_id for record in records}) == len(records)
    assert boxes["clipped"] <= boxes["written"]
    assert bool(found["dropped"]) == bool(images["dropped"] + boxes["dropped"])
    for record in records:
        assert all(0 <= b.xmin < b.xmax <= 1 and 0 <= b.ymin < b.ymax <= 1 for b in record.boxes)
