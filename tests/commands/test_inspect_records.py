"""inspect_records from the outside, on records of our own and of others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from record_builders.output import writing
from record_builders.planning import build
from record_builders.planning.plan import Request
from tfod_tools import app, inspect_records

SHARED_DATA = Path(__file__).parents[2].parent / "shared" / "data"
XML = (
    "<annotation><object><name>{}</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>90</xmax><ymax>40</ymax></bndbox>"
    "</object></annotation>"
)


def run(*arguments: str) -> int:
    """Runs the command in this process, with no flag left over from before."""
    for name in inspect_records.FLAGS:
        inspect_records.FLAGS[name].unparse()
    return app.status(inspect_records.main, inspect_records.FLAGS, inspect_records.__doc__, ["x", *arguments])


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Records of six images in the folder `out` of the working folder."""
    monkeypatch.chdir(tmp_path)
    voc = Path("voc")
    voc.mkdir()
    for number in range(6):
        Image.new("RGB", (100, 50), (40 * number, 0, 0)).save(voc / f"{number}.jpg")
        (voc / f"{number}.xml").write_text(XML.format("cat" if number else "dog"))
    request = Request(format="voc", annotations=voc, images=voc, output=Path("out"), shards=2, val_fraction=0.3)
    writing.write(build.plan(request), lambda count: None)
    return Path("out")


def test_a_good_folder(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--records=out", "--verify=decode") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.splitlines() == [
        "records in                        files   records",
        "─────────────────────────────────────────────────",
        "out/train.record-?????-of-00002       2         4",
        "out/val.record-?????-of-00002         2         2",
        "",
        "class   id   images   boxes   small   medium   large",
        "────────────────────────────────────────────────────",
        "cat      1        5       5       0        5       0",
        "dog      2        1       1       0        1       0",
        "",
        "pixels   smallest   median   largest",
        "────────────────────────────────────",
        "width         100      100       100",
        "height         50       50        50",
        "",
        "Images without a box: 0",
        "Images with masks: 0",
        "Most boxes on an image: 1",
        "No problem was found.",
    ]


def test_problems(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, with the code for bad input, after the tables."""
    (path,) = records.glob("train.record-00000-*")
    path.write_bytes(path.read_bytes()[:-1])
    (records / "old.record").write_bytes(path.read_bytes())
    (records / "label_map.pbtxt").write_text("item { name: 'cat' id: 1 } item { name: 'cow' id: 2 }")
    assert run("--records=out") == 2
    printed = capsys.readouterr()
    assert "Classes of the label map without a box: cow" in printed.out
    for message in (
        "old.record: the file ends within record 1 at byte",
        "class 'dog' is not in the label map",
        "old.record: is not in manifest.json: it is not of that run.",
        "train.record-00000-of-00002: holds 1 whole records, manifest.json says 2.",
    ):
        assert message in printed.err
    assert printed.err.splitlines()[-1].startswith("Problems: ")


CONFIG = """
model {{ ssd {{ num_classes: {classes} }} }}
train_input_reader {{
  label_map_path: "{label_map}" max_number_of_boxes: {most} load_instance_masks: {masks}
  tf_record_input_reader {{ input_path: "{train}" }}
}}
eval_input_reader {{ label_map_path: "{label_map}" tf_record_input_reader {{ input_path: "nothing" }} }}
"""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, ""),
        ({"classes": 1}, "pipeline.config: num_classes is 1, but the label map goes up to 2. Set it to that."),
        ({"train": "other*"}, "pipeline.config: no input reader reads any of these files."),
        ({"most": 0}, "train_input_reader.max_number_of_boxes is 0, but an image has 1 boxes: the rest is cut off."),
        ({"masks": "true"}, "train_input_reader loads instance masks, but no record has any."),
        ({"label_map": "map.pbtxt"}, "train_input_reader has another label map, map.pbtxt. Use that of the records."),
    ],
)
def test_agreement_with_a_config(
    records: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object], message: str
) -> None:
    pytest.importorskip("object_detection.protos")
    Path("map.pbtxt").write_text("item { name: 'dog' id: 1 } item { name: 'cat' id: 2 }")
    values = {"classes": 2, "label_map": "out/label_map.pbtxt", "most": 100, "masks": "false", "train": "out/train*"}
    Path("pipeline.config").write_text(CONFIG.format(**(values | changes)))
    assert run("--records=out", "--config=pipeline.config") == (2 if message else 0)
    assert message in capsys.readouterr().err


def test_extract_and_contact_sheet(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The image is the one that went in; nothing is overwritten."""
    wanted = ("--records=out", "--extract=3", "--output=seen", "--contact_sheet=sheet.png")
    assert run(*wanted, "--dry_run") == 0
    assert not Path("seen").exists()
    for _ in range(2):
        assert run(*wanted) == 0
    found = json.loads(Path("seen/record-00003.json").read_text())
    assert Path("seen/record-00003.jpg").read_bytes() == Path("voc", found["filename"]).read_bytes()
    assert found["objects"][0]["xmax"] == 90
    with Image.open("sheet.png") as sheet:
        assert sheet.size == (3 * 324, 2 * 324)
    capsys.readouterr()
    Path("sheet.png").write_bytes(b"mine")
    assert run(*wanted) == 2
    assert "sheet.png: exists and holds something else" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 1, "records"),
        (("--records=none",), 2, "none: no record file is here, expected one, a pattern, or a folder"),
        (("--records=voc",), 2, "voc: no record file is here"),
        (("--records=out", "--label_map=no.pbtxt"), 2, "no.pbtxt: cannot read the label map"),
        (("--records=out", "--extract=99"), 1, "--extract=99: there is no such record that can be read."),
        (("--records=gs://bucket/train.record",), 1, "is remote"),
    ],
)
def test_bad_input_is_one_line(
    records: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], status: int, message: str
) -> None:
    assert run(*arguments) == status
    printed = capsys.readouterr()
    assert message in printed.err
    assert printed.err.count("\n") == 1


WILD = {
    "datitran__raccoon_dataset__test_2017-08-22.record": [],
    "laclouis5__globox__default.tfrecord": [
        "image/encoded is missing or empty: the engine stops with 'Input is empty'. (and 99 more like this)",
        "image/source_id is missing or empty: evaluation makes one up. (and 99 more like this)",
    ],
    "openvinotoolkit__datumaro__roboflow_train.tfrecord": [
        "image/encoded is missing or empty: the engine stops with 'Input is empty'. (and 1 more like this)",
        "image/source_id is missing or empty: evaluation makes one up. (and 1 more like this)",
    ],
    "openvinotoolkit__datumaro__tf_detection_api_train.tfrecord": [
        "a box has the class '': the engine takes another class for it.",
        "a class has a number below 1, which is the background's.",
    ],
    "tensorflow__models__snapshot_serengeti_sequence_examples.record": [
        "the record is a tf.train.SequenceExample, expected a tf.train.Example of one image.",
    ],
}


def test_records_of_others(capsys: pytest.CaptureFixture[str]) -> None:
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared data sets do not lie next to the project")
    folder = SHARED_DATA / "wild_records"
    assert sorted(path.name for path in folder.iterdir()) == sorted(WILD)
    for name, expected in WILD.items():
        assert run(f"--records={folder / name}", "--verify=decode") == (2 if expected else 0)
        lines = capsys.readouterr().err.splitlines()[:-1]
        assert len(lines) == len(expected)
        for line, start in zip(lines, expected, strict=True):
            begin, _, end = start.partition(" (and ")
            assert f", record 0: {begin}" in line
            assert line.endswith(end)
