"""What is wrong with records, one line for each kind, whoever wrote them."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from record_builders import label_map
from record_builders.inspection import inventory as inspection
from record_builders.inspection import views
from record_builders.records import tfrecord
from record_builders.records.protos import Example
from tfod_tools.base.errors import RecordError

CAT_AND_DOG = label_map.parse("item { name: 'cat' id: 1 } item { name: 'dog' id: 2 display_name: 'Dog' }")
Changes = dict[str, Any]


def encoded(format: str = "JPEG", size: tuple[int, int] = (100, 50)) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(file, format)
    return file.getvalue()


GOOD: Changes = {
    "image/encoded": [encoded()],
    "image/format": [b"jpeg"],
    "image/filename": [b"a.jpg"],
    "image/source_id": [b"a"],
    "image/height": [50],
    "image/width": [100],
    "image/object/bbox/xmin": [0.1, 0.5],
    "image/object/bbox/xmax": [0.2, 1.0],
    "image/object/bbox/ymin": [0.0, 0.5],
    "image/object/bbox/ymax": [0.2, 1.0],
    "image/object/class/text": [b"cat", b"dog"],
    "image/object/class/label": [1, 2],
}


def record(changes: Changes | None = None) -> bytes:
    """A good record but for `changes`; None leaves a feature out."""
    example = Example()
    for key, values in (GOOD | (changes or {})).items():
        if values is not None:
            kinds = {bytes: "bytes_list", int: "int64_list", float: "float_list"}
            kind = kinds[type((values or GOOD[key])[0])]
            getattr(example.features.feature[key], kind).SetInParent()
            getattr(example.features.feature[key], kind).value.extend(values)
    return bytes(example.SerializeToString())


def inspect(*paths: Path, decode: bool = False, classes: label_map.LabelMap | None = None) -> inspection.Inspection:
    return inspection.inspect(paths, classes, decode=decode, on_progress=lambda count: None)


def problems(folder: Path, *records: bytes, **options: Any) -> list[str]:
    path = folder / "a.record"
    tfrecord.write(path, records)
    return [line.removeprefix(f"{path}") for line in inspect(path, **options).problem_lines()]


def test_nothing_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.record"
    background = {key: None for key in GOOD if "object" in key} | {"image/source_id": [b"b"]}
    tfrecord.write(path, [record(), record(background)])
    found = inspect(path, decode=True, classes=CAT_AND_DOG)
    assert not found.problem_lines()
    assert found.records == {path: 2}
    assert found.sizes == {(100, 50): 2}
    assert (found.background, found.most_boxes, found.masks) == (1, 2, 0)
    assert found.classes == {
        "cat": inspection.ClassCount(numbers={1}, images=1, boxes=1, small=1),
        "dog": inspection.ClassCount(numbers={2}, images=1, boxes=1, medium=1),
    }


def boxes(**sides: list[float]) -> Changes:
    return {f"image/object/bbox/{side}": values for side, values in sides.items()}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image/encoded": None}, "image/encoded is missing or empty: the engine stops with 'Input is empty'."),
        ({"image/encoded": [b""]}, "image/encoded is missing or empty: the engine stops with 'Input is empty'."),
        ({"image/encoded": [encoded()[:-9]]}, "image/encoded: the JPEG ends early, expected all of it."),
        ({"image/encoded": [encoded("GIF")]}, "image/encoded: found a GIF, expected JPEG, PNG or BMP."),
        ({"image/encoded": [encoded()] * 2}, "image/encoded has 2 values, expected one."),
        ({"image/filename": []}, "image/filename has 0 values, expected one."),
        ({"image/height": [51]}, "image/width and image/height are not those of the encoded image. Make"),
        ({"image/height": [100], "image/width": [50]}, "They are exchanged: was it an EXIF rotation"),
        ({"image/width": None}, "image/width or image/height is missing or 0, expected pixels."),
        ({"image/width": [1.0]}, "feature image/width is a float_list, but the engine reads a int64_list."),
        ({"image/source_id": [b""]}, "image/source_id is missing or empty: evaluation makes one up."),
        (boxes(xmin=[0.1]), "xmin, ymin, xmax and ymax have 1, 2, 2, 2 values, not the same number each."),
        (boxes(xmin=[10.0, 50.0], xmax=[20.0, 60.0]), "boxes are in pixels, expected fractions"),
        (boxes(xmax=[0.2, 1.01]), "a box reaches over the edge of the image, expected fractions from 0 to 1."),
        (boxes(xmin=[-0.1, 0.5]), "a box reaches over the edge of the image"),
        (boxes(xmax=[0.1, 0.9]), "a box has no extent, expected xmin < xmax and ymin < ymax."),
        (boxes(ymin=[float("nan"), 0.5]), "a coordinate of a box is not a number"),
        ({"image/object/class/text": [b"cat"]}, "image/object/class/text has not as many values as there are boxes."),
        ({"image/object/class/text": [b"cat", b""]}, "a box has the class ''"),
        ({"image/object/class/text": None, "image/object/class/label": None}, "boxes have no class, expected"),
        ({"image/object/class/label": [0, 2]}, "a class has a number below 1, which is the background's."),
        ({"image/object/difficult": [1]}, "image/object/difficult has not as many values as there are boxes."),
        ({"image/object/mask": [b""] * 3}, "image/object/mask has not as many values as there are boxes."),
    ],
)
def test_a_record(tmp_path: Path, changes: Changes, message: str) -> None:
    """One line for one mistake."""
    (line,) = problems(tmp_path, record(changes))
    assert line.startswith(", record 0: ")
    assert message in line


def test_the_same_of_many_is_one_line(tmp_path: Path) -> None:
    found = problems(tmp_path, *(record({"image/height": [9], "image/source_id": [b"%d" % i]}) for i in range(5)))
    assert len(found) == 1
    assert found[0].endswith("(and 4 more like this)")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image/object/class/text": [b"cat", b"Dog"]}, ""),
        ({"image/object/class/text": [b"cat", b"cow"]}, "class 'cow' is not in the label map: the engine drops"),
        ({"image/object/class/label": [1, 1]}, "'dog' has number 1 in records, which is 'cat', and 2 in the label map"),
        ({"image/object/class/label": [1, 7]}, "class 'dog' has number 7 in records, and 2 in the label map."),
        ({"image/object/class/text": None}, ""),
        ({"image/object/class/text": None, "image/object/class/label": [1, 3]}, "class number 3 is not in the label"),
    ],
)
def test_agreement_with_a_label_map(tmp_path: Path, changes: Changes, message: str) -> None:
    found = problems(tmp_path, record(changes), classes=CAT_AND_DOG)
    assert len(found) == bool(message)
    assert message in "".join(found)


def test_across_records(tmp_path: Path) -> None:
    other = record({"image/object/class/label": [3, 2]})
    assert problems(tmp_path, record(), other) == [
        ", record 1: image/source_id is that of another record too: evaluation passes over one of them. Rename one.",
        "class 'cat' has the numbers 1, 3 in different records, expected one.",
    ]


def test_an_image_whose_pixels_are_damaged(tmp_path: Path) -> None:
    """Its header and its end are fine."""
    png = encoded("PNG")
    damaged = record({"image/encoded": [png[:60] + bytes(len(png) - 80) + png[-20:]]})
    assert not problems(tmp_path, damaged)
    (line,) = problems(tmp_path, damaged, decode=True)
    assert "image/encoded: the image cannot be decoded: " in line


def flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


@pytest.mark.parametrize(
    ("spoil", "message", "whole"),
    [
        (lambda data: b"", "the file is empty: the engine waits for ever for its first record. Remove it.", 0),
        (gzip.compress, "the file is compressed with gzip, which the engine does not read. Unpack it.", 0),
        (lambda data: data[:-5], "the file ends inside record 2 at byte", 2),
        (lambda data: flip(data, 500), "the data of record 0 at byte 0 is damaged: its CRC-32C does not match.", 2),
        (lambda data: flip(data, 3), "the length of record 0 at byte 0 is damaged", 0),
        (lambda data: b"{" + data, "the length of record 0 at byte 0 is damaged", 0),
    ],
)
def test_a_damaged_file(tmp_path: Path, spoil: Callable[[bytes], bytes], message: str, whole: int) -> None:
    """What follows damaged data is still read."""
    path = tmp_path / "a.record"
    tfrecord.write(path, [record({"image/source_id": [b"%d" % number]}) for number in range(3)])
    path.write_bytes(spoil(path.read_bytes()))
    found = inspect(path)
    (line,) = found.problem_lines()
    assert line.startswith(f"{path}: {message}")
    assert found.records[path] == whole


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"no proto", "the record is not a tf.train.Example."),
        (record() + b"\x12\x00", "the record is a tf.train.SequenceExample"),
        (b"", "the record has no feature of an image."),
    ],
)
def test_records_of_another_kind(tmp_path: Path, data: bytes, message: str) -> None:
    (line,) = problems(tmp_path, data)
    assert message in line


def test_missing_shards(tmp_path: Path) -> None:
    for index in (0, 2):
        tfrecord.write(tmp_path / f"train.record-{index:05d}-of-00003", [record({"image/source_id": [b"%d" % index]})])
    paths = inspection.files([str(tmp_path)])
    assert inspect(*paths).problem_lines() == [
        f"{tmp_path}/train.record-00001-of-00003: the shard is missing. Make the records again."
    ]
    assert inspection.by_pattern(inspect(*paths).records) == {f"{tmp_path}/train.record-?????-of-00003": (2, 2)}


def test_files(tmp_path: Path) -> None:
    """A folder's record files, patterns and files, each once."""
    names = ["a.record", "b.tfrecords", "train.record-00000-of-00001", "notes.txt", ".c.record.partial"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    found = inspection.files([str(tmp_path / "a.record"), str(tmp_path), f"{tmp_path}/*.record*"])
    assert [path.name for path in found] == names[:3]
    with pytest.raises(RecordError, match="no record file is here"):
        inspection.files([str(tmp_path / "none*")])


def test_views(tmp_path: Path) -> None:
    """A record as JSON with boxes in pixels, also one with numbers alone and one whose image is none."""
    path = tmp_path / "a.record"
    numbers = {"image/object/class/text": None, "image/object/difficult": [0, 1]}
    tfrecord.write(path, [record(), record(numbers), record({"image/encoded": [b"none"]})])
    _, content = next(views.chosen([path], {1}))
    assert views.image_suffix(content) == ".jpg"
    assert json.loads(views.as_json(content, path, CAT_AND_DOG))["objects"][1] == {
        "label": "dog", "label_id": 2, "difficult": True, "xmin": 50.0, "ymin": 25.0, "xmax": 100.0, "ymax": 50.0,
    }  # fmt: skip
    contents = [content for _, content in views.chosen([path], {0, 1, 2})]
    assert views.image_suffix(contents[2]) == ".bin"
    with Image.open(io.BytesIO(views.contact_sheet(contents, None))) as sheet:
        assert sheet.size == (2 * 324, 2 * 324)
        assert sheet.getpixel((100, 400)) == (211, 211, 211)
        colours = {colour for _, colour in sheet.crop((0, 0, 320, 160)).getcolors(1 << 20)}
        assert any(max(colour) - min(colour) > 100 for colour in colours)  # a box on grey noise
