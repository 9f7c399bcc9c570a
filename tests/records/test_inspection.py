"""What is wrong with records of any tool: one line for each kind of problem."""

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
from record_builders.inspection import report, survey, views
from record_builders.inspection.survey import ClassCount, Survey
from record_builders.records import tfrecord
from record_builders.records.protos import Example
from tfod_tools.base.errors import RecordError

CAT_AND_DOG = label_map.parse("item { name: 'cat' id: 1 } item { name: 'dog' id: 2 display_name: 'Dog' }")
Changes = dict[str, Any]


def encoded(format: str = "JPEG", size: tuple[int, int] = (100, 50), orientation: int = 1) -> bytes:
    file, exif = io.BytesIO(), Image.Exif()
    if orientation != 1:
        exif[0x0112] = orientation
    Image.effect_noise(size, 90).convert("RGB").save(file, format, exif=exif)
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
    """A good record with `changes`; None leaves a feature out."""
    example = Example()
    for key, values in (GOOD | (changes or {})).items():
        if values is not None:
            kinds = {bytes: "bytes_list", int: "int64_list", float: "float_list"}
            kind = kinds[type((values or GOOD[key])[0])]
            getattr(example.features.feature[key], kind).SetInParent()
            getattr(example.features.feature[key], kind).value.extend(values)
    return bytes(example.SerializeToString())


def inspect(*paths: Path, decode: bool = False, classes: label_map.LabelMap | None = None) -> Survey:
    return survey.read(paths, label_map=classes, decode=decode)


def lines(found: Survey) -> list[str]:
    return [report.problem_line(problem) for problem in found.problems.values()]


def problems(folder: Path, *records: bytes, **options: Any) -> list[str]:
    path = folder / "a.record"
    tfrecord.write(path, records)
    return [line.removeprefix(f"{path}") for line in lines(inspect(path, **options))]


def test_nothing_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.record"
    background = {key: None for key in GOOD if "object" in key} | {"image/source_id": [b"b"]}
    tfrecord.write(path, [record(), record(background)])
    found = inspect(path, decode=True, classes=CAT_AND_DOG)
    assert not lines(found)
    assert found.files[path].records == found.records == 2
    assert found.sizes == {(100, 50): 2}
    assert (found.background, found.most_boxes, found.images_with_masks) == (1, 2, 0)
    assert found.classes == {
        "cat": ClassCount(images=1, boxes=1, small=1),
        "dog": ClassCount(images=1, boxes=1, medium=1),
    }


def boxes(**sides: list[float]) -> Changes:
    return {f"image/object/bbox/{side}": values for side, values in sides.items()}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"image/encoded": None},
            "error DAT12: image/encoded is missing or empty. The engine stops with 'Input is empty'.",
        ),
        (
            {"image/encoded": [b""]},
            "error DAT12: image/encoded is missing or empty. The engine stops with 'Input is empty'.",
        ),
        ({"image/encoded": [encoded()[:-9]]}, "error DAT12: image/encoded: the JPEG ends early"),
        (
            {"image/encoded": [encoded("GIF")]},
            "error DAT12: image/encoded: the file is a GIF, but the engine reads only JPEG, PNG and BMP. The engine",
        ),
        ({"image/encoded": [encoded()] * 2}, "error DAT22: image/encoded has 2 values, but it must have one."),
        ({"image/filename": []}, "error DAT22: image/filename has 0 values, but it must have one."),
        (
            {"image/height": [51]},
            "warning DAT21: The record states 100 x 51 pixels, but its image has 100 x 50 pixels. The",
        ),
        (
            {"image/height": [100], "image/width": [50]},
            "Width and height are swapped: was the image turned because of EXIF?",
        ),
        (
            {"image/width": None},
            "warning DAT21: image/width or image/height is missing or 0; the image has 100 x 50 pixels.",
        ),
        ({"image/width": [1.0]}, "eature image/width "),
        ({"image/source_id": [b""]}, "warning DAT24: image/source_id is missing or empty."),
        (boxes(xmin=[0.1]), "error DAT22: xmin, ymin, xmax and ymax h"),
        (
            boxes(xmin=[10.0, 50.0], xmax=[20.0, 60.0]),
            "error DAT07: A box is in pixels, not in fractions of its image: xmin 10, ymin 0, xmax 20, ymax 0.2.",
        ),
        (
            boxes(xmax=[0.2, 1.01]),
            "error DAT07: A box reaches past the edge of its image: xmin 0.5, ymin 0.5, xmax 1.01, ymax 1.",
        ),
        (boxes(xmin=[-0.1, 0.5]), "error DAT07: A box reaches past the edge of its image: xmin -0.1,"),
        (boxes(xmax=[0.1, 0.9]), "error DAT08: A box has no width or no height: xmin 0.1, ymin 0, xmax 0.1, ymax 0.2."),
        (boxes(xmax=[0.105, 0.9]), "error DAT08: A box has 0.5 x 10 pixels."),
        (boxes(xmax=[0.05, 0.9]), "error DAT06: A box ends before it begins: xmin 0.1, ymin 0, xmax 0.05, ymax 0.2."),
        (boxes(ymin=[float("nan"), 0.5]), "warning DAT09: A box has xmin 0.1, ymin nan, xmax 0.2, ymax 0.2."),
        ({"image/object/class/text": [b"cat"]}, "error DAT10: image/object/class/text has 1 value for 2 boxes."),
        ({"image/object/class/text": [b"cat", b""]}, "error DAT04: A box has the class name ''"),
        ({"image/object/class/text": None, "image/object/class/label": None}, "error DAT10: Boxes have no class: "),
        (
            {"image/object/class/label": [0, 2]},
            "warning DAT25: Class 'cat' has the number 0, but class numbers start at 1",
        ),
        ({"image/object/class/label": [1]}, "warning DAT23: image/object/class/label has 1 value for 2 boxes."),
        ({"image/object/difficult": [0]}, "warning DAT23: image/object/difficult has 1 value for 2 boxes."),
        ({"image/object/difficult": [0, 1]}, "warning DAT15: 1 box is marked 'difficult'"),
        ({"image/encoded": [encoded(orientation=6)]}, "warning DAT13: The image has the EXIF orientation 6."),
        ({"image/encoded": [encoded("PNG", orientation=3)]}, "warning DAT13: The image has the EXIF orientation 3."),
        ({"image/format": [b"raw"]}, "error DAT12: image/format is 'raw'."),
        ({"image/object/mask": [b""] * 3}, "warning DAT23: image/object/mask has 3 values for 2 boxes."),
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
        (
            {"image/object/class/text": [b"cat", b"cow"]},
            "error DAT03: The label map does not have the class 'cow'. The engine drops",
        ),
        (
            {"image/object/class/label": [1, 1]},
            "Class 'dog' has the number 1, which is 'cat', in records, but 2 in the label map",
        ),
        ({"image/object/class/label": [1, 7]}, "Class 'dog' has the number 7 in records, but 2 in the label map."),
        ({"image/object/class/text": None}, ""),
        (
            {"image/object/class/text": None, "image/object/class/label": [1, 3]},
            "error DAT05: A box has the class number 3, which is not in the label map.",
        ),
    ],
)
def test_agreement_with_a_label_map(tmp_path: Path, changes: Changes, message: str) -> None:
    found = problems(tmp_path, record(changes), classes=CAT_AND_DOG)
    assert len(found) == bool(message)
    assert message in "".join(found)


def test_across_records(tmp_path: Path) -> None:
    other = record({"image/object/class/label": [3, 2]})
    name, numbers = problems(tmp_path, record(), other)
    assert name.startswith(", record 1: error DAT16: More than one image has the image/source_id 'a'.")
    problem = "Class 'cat' has different numbers in different records: 1, 3."
    assert numbers.startswith(f", record 1: warning DAT25: {problem}")


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
        (lambda data: b"", "warning DAT26: The file is empty. If all files are empty, the engine waits forever", 0),
        (gzip.compress, "error DAT22: The file is compressed with gzip, which the engine does not read.", 0),
        (lambda data: data[:-5], "error DAT22: The file ends ", 2),
        (
            lambda data: flip(data, 500),
            "error DAT22: The data of record 0 at byte 0 is damaged: its CRC-32C does not match.",
            2,
        ),
        (lambda data: flip(data, 3), "error DAT22: The length of record 0 at byte 0 is damaged", 0),
        (lambda data: b"{" + data, "error DAT22: The length of record 0 at byte 0 is damaged", 0),
    ],
)
def test_a_damaged_file(tmp_path: Path, spoil: Callable[[bytes], bytes], message: str, whole: int) -> None:
    """What follows damaged data is still read."""
    path = tmp_path / "a.record"
    tfrecord.write(path, [record({"image/source_id": [b"%d" % number]}) for number in range(3)])
    path.write_bytes(spoil(path.read_bytes()))
    found = inspect(path)
    (line,) = lines(found)
    assert line.startswith(f"{path}: {message}")
    assert found.records == whole


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"no proto", "error DAT22: The record is not a tf.train.Example."),
        (record() + b"\x12\x00", "error DAT22: The record is a tf.train.SequenceExample"),
        (b"", "error DAT22: The record has no feature of an image."),
    ],
)
def test_records_of_another_kind(tmp_path: Path, data: bytes, message: str) -> None:
    (line,) = problems(tmp_path, data)
    assert message in line


def test_missing_shards(tmp_path: Path) -> None:
    for index in (0, 2):
        tfrecord.write(tmp_path / f"train.record-{index:05d}-of-00003", [record({"image/source_id": [b"%d" % index]})])
    paths = survey.files([str(tmp_path)])
    (line,) = lines(inspect(*paths))
    missing = "train.record-00001-of-00003"
    assert line.startswith(f"{tmp_path}/{missing}: warning DAT26: The file {missing} is missing.")
    assert survey.by_pattern(inspect(*paths).files) == {f"{tmp_path}/train.record-?????-of-00003": (2, 2)}


def test_files(tmp_path: Path) -> None:
    """A folder's record files, patterns and files, each once."""
    names = ["a.record", "b.tfrecords", "train.record-00000-of-00001", "notes.txt", ".c.record.partial"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    found = survey.files([str(tmp_path / "a.record"), str(tmp_path), f"{tmp_path}/*.record*"])
    assert [path.name for path in found] == names[:3]
    with pytest.raises(RecordError, match="there is no record file"):
        survey.files([str(tmp_path / "none*")])


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
