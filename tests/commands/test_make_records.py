"""make_records from the outside: what it prints, how it exits, what it leaves on disk, how fast it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tfod_tools import app, make_records

SHARED_DATA = Path(__file__).parents[2].parent / "shared" / "data"
GOOD_BOX = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>"
FLAT_BOX = "<bndbox><xmin>5</xmin><ymin>2</ymin><xmax>5</xmax><ymax>40</ymax></bndbox>"

Run = Callable[..., int]


def annotate(folder: Path, stem: str, *objects: tuple[str, str]) -> None:
    """A 100x50 JPEG and its XML with (label, <bndbox>) on lines of their own, from line 2."""
    folder.mkdir(exist_ok=True)
    Image.new("RGB", (100, 50), tuple(zlib.crc32(stem.encode()).to_bytes(4, "big")[:3])).save(folder / f"{stem}.jpg")
    lines = [f"<object><name>{label}</name>{box}</object>" for label, box in objects]
    (folder / f"{stem}.xml").write_text("\n".join(["<annotation>", *lines, "</annotation>"]))


@pytest.fixture
def voc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five images with a cat each in the folder `voc` of the working folder."""
    monkeypatch.chdir(tmp_path)
    for number in range(5):
        annotate(tmp_path / "voc", f"cat{number}", ("cat", GOOD_BOX))
    return tmp_path / "voc"


@pytest.fixture
def run() -> Run:
    """Runs the command in this process, with no flag left over from before."""

    def status(*arguments: str) -> int:
        for name in make_records.FLAGS:
            make_records.FLAGS[name].unparse()
        return app.status(make_records.main, make_records.FLAGS, make_records.__doc__, ["make_records", *arguments])

    return status


def test_a_good_run(voc: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Says what was written, where, and what comes next."""
    assert run("--annotations=voc", "--output=my records") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.splitlines() == [
        "split   images   boxes   shards",
        "───────────────────────────────",
        "train        4       4        1",
        "val          1       1        1",
        "",
        "class   id   train boxes   val boxes",
        "────────────────────────────────────",
        "cat      1             4           1",
        "",
        "Images found by the name of their XML file, because no image has the name in <filename>: 5",
        "Wrote to my records:",
        "  train.record-?????-of-00001",
        "  val.record-?????-of-00001",
        "  label_map.pbtxt",
        "  manifest.json",
        "Next: tfod make_config --template=NAME '--records=my records' --output=pipeline.config",
    ]
    assert sorted(path.name for path in Path("my records").iterdir()) == [
        "label_map.pbtxt",
        "manifest.json",
        "train.record-00000-of-00001",
        "val.record-00000-of-00001",
    ]


def test_dry_run_writes_nothing(voc: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """And says so."""
    assert run("--annotations=voc", "--output=out", "--dry_run") == 0
    assert "Would write to out:" in capsys.readouterr().out
    assert not Path("out").exists()


def test_problems_stop_the_run(voc: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """All of them are shown."""
    annotate(voc, "dog1", ("dog", FLAT_BOX), ("dog", GOOD_BOX))
    annotate(voc, "dog2", ("dog", GOOD_BOX))
    (voc / "dog2.jpg").unlink()
    assert run("--annotations=voc", "--output=out") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "voc/dog1.xml:2: the box (5, 2)-(5, 40) has no area: xmin must be less than xmax, and ymin less than ymax. "
        "Correct it, or remove it.",
        "voc/dog2.xml:1: no image below voc has the name 'dog2' or 'dog2.*'. Add it, or name the folder of images with "
        "--images.",
        "Problems: 2. Nothing was written. Correct them, or leave out what cannot be used with --on_problem=skip.",
    ]
    assert not Path("out").exists()


def test_the_same_fact_about_many_images_is_one_line(voc: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Missing images, and images that the engine cannot read, whatever their names."""
    for number in range(3):
        (voc / f"cat{number}.jpg").unlink()
    for number in (3, 4):
        Image.new("RGB", (100, 50)).save(voc / f"cat{number}.jpg", format="GIF")
    annotate(voc, "dog", ("dog", GOOD_BOX))
    assert run("--annotations=voc", "--output=out") == 2
    missing, unreadable, advice = capsys.readouterr().err.splitlines()
    assert missing.startswith("voc/cat0.xml:1: no image below voc has the name 'cat0'")
    assert missing.endswith("(and 2 more like this)")
    assert unreadable.startswith("voc/cat3.xml:1: its image cat3.jpg:")
    assert unreadable.endswith("(and 1 more like this)")
    assert advice.startswith("Problems: 5.")


def test_json(voc: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """The manifest and a few entries more; without shards as long as nothing is written."""
    assert run("voc", "--output=out", "--json", "--dry_run") == 0
    planned = json.loads(capsys.readouterr().out)
    assert (planned["written"], planned["output"], planned["removed_files"]) == (False, "out", [])
    assert planned["remarks"] == {
        "Images found by the name of their XML file, because no image has the name in <filename>": 5
    }
    assert run("voc", "--output=out", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    manifest = json.loads(Path("out/manifest.json").read_text())
    assert made["written"]
    assert made["files"] == [
        "train.record-?????-of-00001", "val.record-?????-of-00001", "label_map.pbtxt", "manifest.json",
    ]  # fmt: skip
    assert {key: made[key] for key in manifest} == manifest
    for split in manifest["splits"].values():
        del split["shards"]
    assert {key: planned[key] for key in manifest} == manifest


def test_quiet(voc: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Only errors are printed, not what was left out."""
    annotate(voc, "dog1", ("dog", FLAT_BOX), ("dog", GOOD_BOX))
    assert run("voc", "--output=out", "--quiet", "--on_problem=skip") == 3
    assert capsys.readouterr() == ("", "")
    assert run("voc", "--output=out", "--quiet") == 2
    assert capsys.readouterr().err.startswith("voc/dog1.xml:2: ")


def test_overwrite(voc: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Files that make_records did not write stay, unless the user says otherwise."""
    Path("out").mkdir()
    Path("out/label_map.pbtxt").write_text("mine")
    Path("missing.txt").write_text("mine")
    for arguments in (["--missing_images=missing.txt"], []):
        assert run("voc", "--output=out", *arguments) == 2
        assert "is there already" in capsys.readouterr().err
        assert run("voc", "--output=out", *arguments, "--overwrite") == 0
    assert Path("missing.txt").read_text() == ""
    assert "cat" in Path("out/label_map.pbtxt").read_text()


def test_problems_can_be_left_out(voc: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """They are shown all the same, and the exit code tells."""
    annotate(voc, "dog1", ("dog", FLAT_BOX), ("dog", GOOD_BOX))
    assert run("--annotations=voc", "--output=out", "--on_problem=skip") == 3
    printed = capsys.readouterr()
    assert printed.err.startswith("voc/dog1.xml:2: the box (5, 2)-(5, 40) has no area")
    assert "Boxes dropped because of problems: 1" in printed.out
    assert Path("out/manifest.json").exists()


def test_fix(voc: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """What can be converted is, and said; what cannot is left out."""
    annotate(voc, "moving", ("cat", GOOD_BOX))
    Image.new("RGB", (100, 50), (9, 9, 9)).save(voc / "moving.jpg", format="GIF")
    assert run("--annotations=voc", "--output=out") == 2
    assert (
        "the file is a GIF, but the engine reads only JPEG, PNG and BMP. Convert it to JPEG or PNG."
        in capsys.readouterr().err
    )
    assert run("--annotations=voc", "--output=out", "--on_problem=fix", "--verify=decode") == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "Images converted, GIF: 1" in printed.out.splitlines()
    manifest = json.loads(Path("out/manifest.json").read_text())
    assert manifest["converted"] == {"GIF": 1}
    assert (manifest["options"]["convert"], manifest["options"]["verify"]) == (True, True)
    annotate(voc, "dog1", ("dog", FLAT_BOX), ("dog", GOOD_BOX))
    assert run("--annotations=voc", "--output=out", "--on_problem=fix") == 3
    assert "Boxes dropped because of problems: 1" in capsys.readouterr().out


def test_label_map(voc: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """A class that it lacks is a problem that names the near ones."""
    Path("map.pbtxt").write_text("item { name: 'cats' id: 1 }")
    assert run("--annotations=voc", "--output=out", "--label_map=map.pbtxt") == 2
    first = capsys.readouterr().err.splitlines()[0]
    assert first == "voc/cat0.xml:2: the label map has no class 'cat'. Did you mean cats? (and 4 more like this)"


def test_copies_and_groups_are_said(voc: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Copies by name where their boxes differ."""
    annotate(voc, "copy", ("dog", GOOD_BOX))
    (voc / "copy.jpg").write_bytes((voc / "cat3.jpg").read_bytes())
    Path("scenes.csv").write_text("image,scene\ncat0,a\ncat1.jpg,a\ncat2,b\n")
    assert run("--annotations=voc", "--output=out", f"--group_by={Path('scenes.csv').absolute()}:scene") == 0
    printed = capsys.readouterr().out.splitlines()
    for line in (
        "Images that are copies of others, kept in one split with them: 1",
        "Groups of images that --group_by keeps in one split: 2",
        "Images that --group_by puts in no group: 3",
        "Copies whose boxes differ: cat3.jpg = copy.jpg",
    ):
        assert line in printed
    manifest = json.loads(Path("out/manifest.json").read_text())
    assert manifest["copies"] == [{"images": ["cat3.jpg", "copy.jpg"], "boxes_differ": True}]
    assert manifest["options"]["group_by"] == "scenes.csv:scene"


DIFFICULT_BOX = f"<difficult>1</difficult>{GOOD_BOX}"


def test_choices(voc: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """What is left out is said and counted, and is no problem."""
    annotate(voc, "dog1", ("dog", GOOD_BOX))
    annotate(voc, "mixed", ("cat", GOOD_BOX), ("dog", GOOD_BOX), ("cat", DIFFICULT_BOX), ("cat", FLAT_BOX))
    flags = ["--classes=cat", "--drop=difficult,flat", "--ignore=truncated"]
    assert run("--annotations=voc", "--output=out", *flags) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    for line in (
        "Left out, difficult: 0 images, 1 boxes",
        "Left out, flat: 0 images, 1 boxes",
        "Left out, of classes that --classes does not name: 1 images, 2 boxes",
    ):
        assert line in printed.out.splitlines()
    manifest = json.loads(Path("out/manifest.json").read_text())
    assert manifest["images"] == {"annotated": 7, "written": 6, "left_out": 1, "dropped": 0}
    assert manifest["boxes"]["found"] == 10
    assert (manifest["boxes"]["written"], manifest["boxes"]["left_out"]) == (6, 4)
    assert manifest["options"]["classes"] == ["cat"]
    assert manifest["options"]["drop"] == ["difficult", "flat"]


def test_many_boxes_are_noted(voc: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """The engine would cut them off."""
    annotate(voc, "crowd", *[("cat", GOOD_BOX)] * 101)
    assert run("--annotations=voc", "--output=out") == 0
    note = "Images with more than 100 boxes (make_config sets max_number_of_boxes for them): 1"
    assert note in capsys.readouterr().out.splitlines()


def test_missing_images_are_listed(voc: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """By the names that annotations give them; nothing else is written."""
    (voc / "cat1.jpg").unlink()
    assert run("--annotations=voc", "--output=out", "--missing_images=missing.txt") == 0
    assert capsys.readouterr().out == "Annotated images that are missing: 1. Their names are in missing.txt.\n"
    assert Path("missing.txt").read_text() == "cat1\n"
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 1, "annotations"),
        (("--annotations=voc",), 1, "output"),
        (("voc", "--output=out", "extra"), 1, "unexpected argument 'extra'"),
        (("--annotations=voc", "--output=out", "--val_fraction=1"), 1, "at least 0 and less than 1"),
        (("--annotations=voc", "--output=out", "--val_fraction=-0.1"), 1, "at least 0 and less than 1"),
        (("--annotations=voc", "--output=out", "--shards=0"), 1, "shards"),
        (("--annotations=voc", "--output=out", "--format=wolo"), 1, "format"),
        (("--annotations=voc", "--output=out", "--seed=x"), 1, "seed"),
        (("--annotations=voc", "--output=out", "--drop=crowds"), 1, "takes only crowd, depiction, difficult"),
        (("--annotations=voc", "--output=out", "--ignore=flat"), 1, "takes only crowd, depiction, difficult"),
        (("--annotations=voc", "--output=out", "--classes=cats"), 1, "no box has the class 'cats' of --classes."),
        (("--annotations=voc", "--output=out", "--image_sets=val"), 2, "voc: ImageSets/Main has no image set 'val'"),
        (
            ("--annotations=voc", "--output=out", "--group_by=("),
            1,
            "--group_by=( is not a regular expression: missing )",
        ),
        (("--annotations=voc", "--output=out", "--group_by=cat"), 1, "--group_by=cat has no part in parentheses"),
        (
            ("--annotations=voc", "--output=out", "--group_by=(dog)"),
            1,
            "gives no image a group; the first image is 'cat0'",
        ),
        (("--annotations=voc", "--output=out", "--group_by=g.csv:scene"), 2, "g.csv: cannot read the table: No such"),
        (("--annotations=none", "--output=out"), 2, "none: this folder does not exist."),
        (
            ("--annotations=voc/cat1.xml", "--output=out", "--format=voc"),
            2,
            "voc/cat1.xml: this is a file, not a folder.",
        ),
        (("--annotations=empty", "--output=out"), 2, "empty: no annotation file is here: no file ends in .xml, .json,"),
        (
            ("--annotations=empty", "--output=out", "--format=voc"),
            2,
            "empty: no XML file is here. Pascal VOC has one for each image.",
        ),
        (("--annotations=voc", "--images=none", "--output=out"), 2, "none: this folder does not exist."),
        (("--annotations=voc", "--images=empty", "--output=out"), 2, "empty: no image is here: no .jpg"),
        (("--annotations=voc", "--output=voc/cat1.xml"), 2, "voc/cat1.xml: this is a file, not a folder for the"),
        (("--annotations=voc", "--output=voc/cat1.xml/out"), 2, "voc/cat1.xml/out: cannot write the records"),
        (("--annotations=voc", "--output=out", "--label_map=no.pbtxt"), 2, "no.pbtxt: cannot read the label map"),
    ],
)
def test_bad_input_is_one_line(
    voc: Path, run: Run, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], status: int, message: str
) -> None:
    """With the documented exit code, and nothing on disk."""
    Path("empty").mkdir()
    before = sorted(Path().rglob("*"))
    assert run(*arguments) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert printed.err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


# Children find the project as this process does, installed or not.
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
LOADED = "import sys; from tfod_tools.__main__ import main; main(sys.argv[1:]); print(*sys.modules)"


@pytest.mark.parametrize(
    ("arguments", "forbidden"),
    [
        (("--help",), {"lxml", "google.protobuf", "google_crc32c", "rich", "record_builders.planning.build"}),
        (("--annotations=voc", "--output=out"), set()),
    ],
)
def test_nothing_heavy_is_loaded(voc: Path, arguments: tuple[str, ...], forbidden: set[str]) -> None:
    """Neither for the help nor for the records."""
    command = [sys.executable, "-c", LOADED, "make_records", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & (forbidden | {"tensorflow", "object_detection", "numpy", "PIL.Image"})


def test_the_same_files_whatever_the_hash_seed(voc: Path) -> None:
    """As a module of its own, in two processes."""
    annotate(voc, "both", ("dog", GOOD_BOX), ("cat", GOOD_BOX))
    written = []
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "tfod_tools.make_records", "--annotations=voc", f"--output=out{seed}"]
        subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT | {"PYTHONHASHSEED": seed})
        written.append({path.name: path.read_bytes() for path in Path(f"out{seed}").iterdir()})
    assert written[0] == written[1]


def test_real_data(tmp_path: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Two hundred XML files that all name a PNG where there is a JPEG."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared data sets do not lie next to the project")
    raccoon = SHARED_DATA / "voc_raccoon"
    annotations = raccoon / "annotations_2017-07-28_png_filenames"
    assert run(f"--annotations={annotations}", f"--images={raccoon / 'images'}", f"--output={tmp_path}/out") == 0
    assert "because no image has the name in <filename>: 200" in capsys.readouterr().out
