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
SIZES = {"width": 100, "height": 50}
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
        "old.record: error DAT22: The file ends ",
        "error DAT03: The label map does not have the class 'dog'.",
        "old.record: warning DAT26: The file old.record is not in manifest.json, so another run wrote it.",
        "train.record-00000-of-00002 has 1 readable records, but manifest.json lists 2.",
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
        (
            {"classes": 1},
            "config:2: error CFG04 model.ssd.num_classes: num_classes is 1, but the largest id of a class is 2.",
        ),
        ({"train": "other*"}, "pipeline.config: error: No input reader reads any of these files."),
        ({"most": 0}, "warning DAT11 train_input_reader.max_number_of_boxes: "),
        ({"masks": "true"}, "warning DAT27 train_input_reader.load_instance_masks: "),
        ({"label_map": "map.pbtxt"}, "DAT25 train_input_reader.tf_record_input_reader.input_path: Class '"),
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
    assert "sheet.png: is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 1, "records"),
        (("--records=none",), 2, "none: there is no record file."),
        (("--records=voc",), 2, "voc: there is no record file."),
        (("--records=out", "--label_map=no.pbtxt"), 2, "no.pbtxt: cannot read the label map"),
        (("--records=out", "--extract=99"), 1, "--extract=99: no record with this number can be read."),
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


# The first words of each line, and how many others are like it.
WILD = {
    "datitran__raccoon_dataset__test_2017-08-22.record": {},
    "laclouis5__globox__default.tfrecord": {
        "error DAT12: image/encoded is missing or empty.": 99,
        "warning DAT24: image/source_id is missing or empty.": 99,
    },
    "openvinotoolkit__datumaro__roboflow_train.tfrecord": {
        "error DAT12: image/encoded is missing or empty.": 1,
        "warning DAT24: image/source_id is missing or empty.": 1,
    },
    "openvinotoolkit__datumaro__tf_detection_api_train.tfrecord": {
        "error DAT04: A box has the class name ''": 0,
        "warning DAT25: Class '' has the number 0": 0,
    },
    "tensorflow__models__snapshot_serengeti_sequence_examples.record": {
        "error DAT22: The record is a tf.train.SequenceExample.": 0,
    },
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
        for line, (start, others) in zip(lines, expected.items(), strict=True):
            assert f", record 0: {start}" in line
            assert line.endswith(f" (and {others} more like this)") or not others


def test_for_programs(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One document with the same content; problems are on standard error too."""
    assert run("out", "--json", "--extract=0", "--output=seen") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert json.loads(printed.out) == {
        "records": {
            "out/train.record-?????-of-00002": {"files": 2, "records": 4},
            "out/val.record-?????-of-00002": {"files": 2, "records": 2},
        },
        "classes": {
            "cat": {"id": 1, "images": 5, "boxes": 5, "small": 0, "medium": 5, "large": 0},
            "dog": {"id": 2, "images": 1, "boxes": 1, "small": 0, "medium": 1, "large": 0},
        },
        "pixels": {side: dict.fromkeys(("smallest", "median", "largest"), size) for side, size in SIZES.items()},
        "images_without_boxes": 0,
        "images_with_masks": 0,
        "most_boxes_on_an_image": 1,
        "unused_classes": [],
        "problems": [],
        "files": ["seen/record-00000.jpg", "seen/record-00000.json"],
    }
    (records / "old.record").write_bytes(b"")
    assert run("out", "--json") == 2
    (problem,) = json.loads(capsys.readouterr().out)["problems"][:1]
    assert {key: problem[key] for key in ("code", "severity", "path", "record", "problem", "count")} == {
        "code": "DAT26",
        "severity": "warning",
        "path": "out/old.record",
        "record": None,
        "problem": "The file is empty.",
        "count": 1,
    }


def test_only_errors(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("out", "--quiet") == 0
    assert capsys.readouterr() == ("", "")
    (records / "old.record").write_bytes(b"")
    assert run("out", "--quiet") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "old.record: warning DAT26: The file is empty." in printed.err


def test_what_may_be_meant_is_no_mistake(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Marks of difficult objects depend on the annotations: they are reported, and the exit code stays 0."""
    for path in Path("voc").glob("*.xml"):
        path.write_text(path.read_text().replace("<bndbox>", "<difficult>1</difficult><bndbox>"))
    request = Request(format="voc", annotations=Path("voc"), images=Path("voc"), output=Path("other"), shards=1)
    writing.write(build.plan(request), lambda count: None)
    assert run("other") == 0
    assert "warning DAT15: 1 box is marked 'difficult'" in capsys.readouterr().err


def test_other_files_are_replaced_on_request(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("sheet.png").write_bytes(b"mine")
    for flag in ("--dry_run", "--nodry_run"):
        assert run("out", "--contact_sheet=sheet.png", flag) == 2
        assert Path("sheet.png").read_bytes() == b"mine"
    assert run("out", "--contact_sheet=sheet.png", "--overwrite") == 0
    assert Path("sheet.png").read_bytes() != b"mine"


def test_a_config_that_cannot_be_read(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("object_detection.protos")
    Path("pipeline.config").write_text("model {")
    assert run("out", "--config=pipeline.config") == 2
    assert "error CFG28" in capsys.readouterr().err
    assert run("out", "--config=none.config") == 2
    assert "none.config" in capsys.readouterr().err


def test_limits_of_one_reader_are_not_those_of_the_other(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The evaluation reader that takes no box does not read the training records."""
    pytest.importorskip("object_detection.protos")
    reader = 'label_map_path: "out/label_map.pbtxt" tf_record_input_reader {{ input_path: "out/{}*" }} {}'
    Path("pipeline.config").write_text(
        f"model {{ ssd {{ num_classes: 2 }} }} train_input_reader {{ {reader.format('train', '')} }} "
        f"eval_input_reader {{ {reader.format('val', 'max_number_of_boxes: 0')} }}"
    )
    assert run("out/train*", "--config=pipeline.config") == 0
    capsys.readouterr()
    assert run("out/val*", "--config=pipeline.config", "--json") == 2
    found = json.loads(capsys.readouterr().out)["agreement"]
    assert [(one["code"], one["path"]) for one in found["findings"]] == [
        ("DAT11", "eval_input_reader[0].max_number_of_boxes")
    ]
