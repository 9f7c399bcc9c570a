"""The command on real records: what it prints, what it writes, and what it says to unfit files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from configs import case_records

from pipeline_configs.making import template
from pipeline_configs.patches import patch
from pipeline_configs.text import schema
from tfod_tools import app, check_config, fit_anchors

SSD = "model.ssd.anchor_generator.ssd_anchor_generator"


@pytest.fixture(autouse=True)
def fresh_flags() -> Iterator[None]:
    """Puts every flag back to its default, as a new process would."""
    yield
    for command in (check_config, fit_anchors):
        for name in command.FLAGS:
            command.FLAGS[name].unparse()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a config and records of objects that are too small for its anchors."""
    records = tmp_path / "records"
    records.mkdir()
    (records / "label_map.pbtxt").write_text('item { id: 1 name: "cat" } item { id: 2 name: "dog" }')
    boxes = [[0.1 + i / 50, 0.2, 0.1 + i / 50 + side, 0.2 + side] for i in range(8) for side in (0.06, 0.08, 0.3)]
    case_records.write(records / "train.record", [{"boxes": boxes, "image": {"width": 300, "height": 300}}] * 3)
    manifest = {
        "format_version": 1,
        "label_map": {"path": "label_map.pbtxt", "classes": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]},
        "splits": {"train": {"pattern": "train.record", "images": 3}},
    }
    (records / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline.config").write_text(template.text("ssd_mobilenet_v2_300x300"))
    return tmp_path


def run(*arguments: str) -> int:
    argv = ["fit_anchors", "--config=pipeline.config", "--records=records", *arguments]
    return app.status(fit_anchors.main, fit_anchors.FLAGS, fit_anchors.__doc__, argv)


def test_what_is_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--max_anchors=3000") == 0
    out = capsys.readouterr().out
    assert "size in COCO" in out
    assert "cat" in out
    assert "1917 anchors now" in out
    assert f"  --set {SSD}." in out
    assert sorted(path.name for path in folder.iterdir()) == ["pipeline.config", "records"]


def test_the_same_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--max_anchors=3000", "--output=fitted.config", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    (of_all,) = answer["coverage"]["all"]
    assert of_all["before"]["objects"] == of_all["after"]["objects"] == 72
    assert of_all["before"]["covered"] < of_all["after"]["covered"] <= 1
    assert answer["anchors"]["before"] == 1917
    assert answer["input"] == {"before": [300, 300], "after": [300, 300]}
    assert all(edit["path"].startswith(SSD) for edit in answer["proposal"])
    assert len(answer["without_anchor"]) == of_all["before"]["without"]
    assert (answer["border"], answer["written"]) == (None, True)
    assert (folder / answer["output"]).is_file()


def test_quietly(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--quiet", "--output=fitted.config") == 0
    assert capsys.readouterr() == ("", "")
    assert (folder / "fitted.config").is_file()


def test_another_file_is_not_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "fitted.config").write_text("mine")
    assert run("--output=fitted.config") == 2
    assert "fitted.config: is there already" in capsys.readouterr().err
    assert run("--output=fitted.config", "--overwrite") == 0


def test_a_larger_input_is_told_with_its_price(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    boxes = [[0.07 * i, 0.09 * i, 0.07 * i + 0.04, 0.09 * i + 0.04] for i in range(10)]  # 12 pixels, on a grid of 16
    case_records.write(folder / "records" / "train.record", [{"boxes": boxes, "image": {"width": 300, "height": 300}}])
    assert run("--max_pixels=150000") == 0
    out = capsys.readouterr().out
    price = re.search(r"Input of 300 x 300 then (\d+) x \1: (\d\.\d\d) times the pixels", out)
    assert price
    assert float(price[2]) == pytest.approx((int(price[1]) / 300) ** 2, abs=0.005)
    assert f"  --set model.ssd.image_resizer.fixed_shape_resizer.height={price[1]}" in out


def test_the_same_file_keeps_its_comments(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = schema.read(folder / "pipeline.config")
    comments = [
        line for line in template.text("ssd_mobilenet_v2_300x300").splitlines() if line.lstrip().startswith("#")
    ]
    assert run("--max_anchors=3000", "--output=pipeline.config") == 0
    out = capsys.readouterr().out
    text = (folder / "pipeline.config").read_text()
    assert [line for line in text.splitlines() if line.lstrip().startswith("#")] == comments
    changed = patch.diff(before, schema.parse(text))
    assert changed
    assert all(line.startswith(SSD) for line in changed)
    assert len(changed) == out.count("  --set ")
    assert out.endswith("Wrote pipeline.config\n")
    assert run("--max_anchors=3000") == 0
    assert "none with up to 3000 anchors covers more" in capsys.readouterr().out


def test_a_dry_run_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    assert run("--output=fitted.config", "--plot=sizes.png", "--dry_run") == 0
    out = capsys.readouterr().out
    assert "Without --dry_run this writes fitted.config." in out
    assert "Without --dry_run this writes sizes.png." in out
    assert sorted(path.name for path in folder.iterdir()) == ["pipeline.config", "records"]


def test_the_picture(folder: Path) -> None:
    pytest.importorskip("matplotlib")
    assert run("--plot=sizes.png") == 0
    assert (folder / "sizes.png").read_bytes().startswith(b"\x89PNG")


def test_faster_rcnn_tells_what_is_left_at_the_border(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "pipeline.config").write_text(template.text("faster_rcnn_resnet50"))
    assert run() == 0
    assert "training leaves them out" in capsys.readouterr().out


def test_extractors_that_nobody_knows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = template.text("ssd_mobilenet_v2_300x300").replace('type: "ssd_mobilenet_v2"', 'type: "ssd_mine"')
    (folder / "pipeline.config").write_text(text)
    assert run() == 2
    assert "'ssd_mine' are not known" in capsys.readouterr().err


def test_records_without_boxes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case_records.write(folder / "records" / "train.record", [{"boxes": []}])
    assert run() == 2
    assert "hold no box" in capsys.readouterr().err


def test_damaged_records(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "records" / "train.record").write_bytes(b"records")
    assert run() == 2
    assert "ends within record 0" in capsys.readouterr().err


def test_records_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["fit_anchors", "--config=pipeline.config"]
    assert app.status(fit_anchors.main, fit_anchors.FLAGS, "", argv) == 1
    assert "--records" in capsys.readouterr().err


def test_check_config_looks_at_the_same_objects(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["check_config", "--config=pipeline.config", "--records=records"]
    app.status(check_config.main, check_config.FLAGS, "", argv)
    assert "ANC09" in capsys.readouterr().out
