"""The command end to end: what it prints, what it writes, its exit codes, and what it loads."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from configs import case_checkpoints, case_records

from pipeline_configs.making import template
from pipeline_configs.text import schema
from tfod_tools import app, check_config, fit_anchors, make_config, make_records

ROOT = Path(__file__).parents[2]
HEAVY = ("tensorflow", "numpy", "PIL", "rich")
POST = ROOT.parent / "shared" / "seeds" / "001_1730d5de25838040.txt"
WILD = ROOT.parent / "shared" / "data" / "wild_configs" / "pipeline"


@pytest.fixture(autouse=True)
def fresh_flags() -> Iterator[None]:
    """Puts every flag back to its default, as a new process would."""
    yield
    for command in (check_config, fit_anchors, make_config, make_records):
        for name in command.FLAGS:
            command.FLAGS[name].unparse()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with records of two classes and a config that make_config has made for them."""
    records = tmp_path / "records"
    records.mkdir()
    (records / "label_map.pbtxt").write_text('item { id: 1 name: "cat" } item { id: 2 name: "dog" }')
    for name in ("train", "val"):
        case_records.write(records / f"{name}.record", [{"boxes": []}])
    manifest = {
        "format_version": 1,
        "label_map": {"path": "label_map.pbtxt", "classes": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]},
        "splits": {
            "train": {"pattern": "train.record", "images": 6000, "most_boxes_on_an_image": 20},
            "val": {"pattern": "val.record", "images": 400, "most_boxes_on_an_image": 20},
        },
    }
    (records / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.chdir(tmp_path)
    made = ["make_config", "--template=ssd_mobilenet_v2_300x300", "--records=records", "--output=pipeline.config"]
    made.append("--set=train_config.optimizer.use_moving_average=false")
    assert app.status(make_config.main, make_config.FLAGS, "", made) == 0
    return tmp_path


def run(*arguments: str) -> int:
    return app.status(check_config.main, check_config.FLAGS, check_config.__doc__, ["check_config", *arguments])


def edit(old: str, new: str) -> int:
    """Changes pipeline.config, and tells the line where it did."""
    text = Path("pipeline.config").read_text()
    assert text.count(old) == 1
    Path("pipeline.config").write_text(text.replace(old, new))
    return text[: text.index(old)].count("\n") + 1


def test_warnings_alone_are_no_failure(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("--config=pipeline.config", "--records=records") == 0
    out = capsys.readouterr().out.splitlines()
    assert out == [
        "7 fields differ from the template ssd_mobilenet_v2_300x300:",
        "  pipeline.config:156: train_config.optimizer.use_moving_average: true -> false",
        '  pipeline.config:133: train_config.fine_tune_checkpoint: "PATH_TO_BE_CONFIGURED" -> unset',
        "  pipeline.config: 5 more that the data decides or the engine ignores:"
        " model.ssd.num_classes: 90 -> 2 (line 3);"
        ' train_config.fine_tune_checkpoint_type: "detection" -> unset (line 133);'
        " eval_config.num_examples: 8000 -> unset (line 166); eval_config.max_evals: 10 -> unset (line 166);"
        " eval_input_reader[0].num_epochs: unset -> 1 (line 173)",
        "The config does not start from the weights published for this template: ssd_mobilenet_v2_coco_2018_03_29.",
        "pipeline.config:148: warning OPT02"
        " train_config.optimizer.rms_prop_optimizer.learning_rate.exponential_decay_learning_rate.decay_steps:"
        " The first decay is at step 800720, but the run ends at step 200000."
        " The learning rate never falls. Set decay_steps below 200000.",
        "200000 steps of 24 images: 800 epochs of 6000 images.",
        "Learning rate: 0.004 in every step. Its first decay would be at step 800720, after the end of the run.",
        "0 errors, 1 warning, 0 notes. Use --explain=CODE to read more about a finding.",
    ]


def test_errors_have_their_line_and_fix(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = edit("num_classes: 2", "num_classes: 1")
    capsys.readouterr()
    assert run("--config=pipeline.config", "--records=records") == 2
    first, fix, *_, last = capsys.readouterr().out.splitlines()
    problem = "num_classes is 1, but the largest id of a class is 2."
    assert first.startswith(f"pipeline.config:{line}: error CFG04 model.ssd.num_classes: {problem} ")
    assert fix == "    fix: model.ssd.num_classes=2"
    counts, *hints = last.split(". ")
    assert counts == "1 error, 1 warning, 0 notes"
    assert hints == ["1 can be fixed: use --fix=FILE", "Use --explain=CODE to read more about a finding."]


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = edit("num_classes: 2", "num_classes: 1")
    capsys.readouterr()
    assert run("--config=pipeline.config", "--records=records", "--json") == 2
    shown = json.loads(capsys.readouterr().out)
    assert list(shown) == ["config", "counts", "findings", "nearest", "run"]
    assert shown["counts"] == {"error": 1, "warning": 1, "note": 0}
    assert shown["findings"][0] == {
        "code": "CFG04",
        "severity": "error",
        "path": "model.ssd.num_classes",
        "line": line,
        "problem": "num_classes is 1, but the largest id of a class is 2.",
        "meaning": "The engine trains boxes with a larger class id as objects of no class.",
        "advice": "Set it to 2.",
        "fix": [{"path": "model.ssd.num_classes", "value": "2"}],
    }
    assert shown["findings"][1]["fix"] is None
    like = shown["nearest"]
    assert list(like) == ["template", "changes", "lesser"]
    assert like["template"] == "ssd_mobilenet_v2_300x300"
    changed = {"path": "train_config.optimizer.use_moving_average", "line": 156, "old": "true", "new": "false"}
    assert like["changes"][0] == changed
    assert like["lesser"][0] == {"path": "model.ssd.num_classes", "line": line, "old": "90", "new": "1"}
    assert [len(like["changes"]), len(like["lesser"])] == [2, 5]


def test_fixes_are_written_and_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit("num_classes: 2", "num_classes: 1")
    edit("model {", "# Mine.\nmodel {")
    before = Path("pipeline.config").read_text()
    capsys.readouterr()
    assert run("--config=pipeline.config", "--records=records", "--fix=fixed.config") == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "1 error, 1 warning, 0 notes. Use --explain=CODE to read more about a finding.",
        "  model.ssd.num_classes: 1 -> 2",
        "Wrote fixed.config. 0 errors left.",
    ]
    assert Path("fixed.config").read_text() == before.replace("num_classes: 1", "num_classes: 2")
    assert Path("pipeline.config").read_text() == before


def test_a_config_is_fixed_where_it_is(folder: Path) -> None:
    edit("num_classes: 2", "num_classes: 1  # a comment")
    before = Path("pipeline.config").read_text()
    assert run("--config=pipeline.config", "--records=records", "--fix=pipeline.config") == 0
    assert Path("pipeline.config").read_text() == before.replace("num_classes: 1", "num_classes: 2")


def test_a_config_that_has_to_be_written_anew(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit("batch_size: 24", "batch_size: 24; sync_replicas: true # a comment before the semicolon\n;")
    before = Path("pipeline.config").read_bytes()
    assert run("--config=pipeline.config", "--fix=pipeline.config") == 2
    assert "comments would be lost" in capsys.readouterr().err
    assert Path("pipeline.config").read_bytes() == before
    assert run("--config=pipeline.config", "--fix=fixed.config") == 0
    assert not schema.read(Path("fixed.config")).train_config.sync_replicas


def test_fixes_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit("num_classes: 2", "num_classes: 1")
    capsys.readouterr()
    assert run("--config=pipeline.config", "--records=records", "--fix=fixed.config", "--json") == 0
    assert json.loads(capsys.readouterr().out)["fix"] == {
        "path": "fixed.config",
        "changes": ["model.ssd.num_classes: 1 -> 2"],
        "errors_left": 0,
    }


def test_another_file_is_not_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit("num_classes: 2", "num_classes: 1")
    Path("fixed.config").write_text("mine")
    flags = ("--config=pipeline.config", "--records=records", "--fix=fixed.config")
    assert run(*flags) == 2
    assert "fixed.config: is there already" in capsys.readouterr().err
    assert Path("fixed.config").read_text() == "mine"
    assert run(*flags, "--overwrite") == 0
    assert "num_classes: 2" in Path("fixed.config").read_text()


def test_quiet(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = edit("num_classes: 2", "num_classes: 1")
    capsys.readouterr()
    assert run("--config=pipeline.config", "--records=records", "--quiet") == 2
    shown = capsys.readouterr()
    assert not shown.out
    first, fix = shown.err.splitlines()
    assert first.startswith(f"pipeline.config:{line}: error CFG04 ")
    assert fix == "    fix: model.ssd.num_classes=2"
    assert run("--config=pipeline.config", "--records=records", "--quiet", "--fix=fixed.config") == 0
    assert capsys.readouterr() == ("", "")


def test_errors_that_are_left_after_a_fix(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit("decay_steps: 800720", "decay_steps: 0")
    edit("num_classes: 2", "num_classes: 1")
    assert run("--config=pipeline.config", "--records=records", "--fix=fixed.config") == 2
    assert capsys.readouterr().out.splitlines()[-1] == "Wrote fixed.config. 1 error left."


def test_a_dry_run_writes_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit("num_classes: 2", "num_classes: 1")
    assert run("--config=pipeline.config", "--records=records", "--fix=fixed.config", "--dry_run") == 0
    assert "Dry run: would write fixed.config" in capsys.readouterr().out
    assert not Path("fixed.config").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 1, "--config is missing"),
        (("pipeline.config", "extra"), 1, "unexpected argument 'extra'"),
        (("--explain=CFG99",), 1, "there is no code 'CFG99'"),
        (("--config=none.config",), 2, "none.config: there is no such file"),
        (("--config=records",), 2, "cannot be read"),
        (("--config=pipeline.config", "--records=none"), 2, "there is no such folder"),
        (("--config=gs://a/pipeline.config",), 1, "is remote"),
        (("--config=pipeline.config", "--extension=none.py"), 1, "there is no file none.py"),
        (
            ("--config=pipeline.config", "--checkpoint=none"),
            2,
            "none: this is not the prefix of a checkpoint: there is no file none.index",
        ),
        (("--config=pipeline.config", "--checkpoint=gs://a/ckpt-0"), 1, "is remote"),
    ],
)
def test_mistakes(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], status: int, message: str
) -> None:
    assert run(*arguments) == status
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_text_with_unknown_fields_is_not_fixed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit("num_steps: 200000", "num_stesp: 200000")
    assert run("--config=pipeline.config", "--fix=fixed.config") == 2
    assert "Did you mean num_steps?" in capsys.readouterr().err
    assert not Path("fixed.config").exists()


def test_an_extractor_of_the_users_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit('type: "ssd_mobilenet_v2"', 'type: "ssd_mine_keras"')
    assert run("--config=pipeline.config") == 2
    assert run("--config=pipeline.config", "--extension=mine") == 0


def test_the_configs_own_checkpoint_is_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case_checkpoints.write(folder / "zoo" / "model.ckpt", {"MobilenetV2/Conv/weights": [3, 3, 3, 32]})
    line = edit("num_steps: 200000", 'num_steps: 200000 fine_tune_checkpoint: "zoo/model.ckpt"')
    edit("batch_size: 24", 'batch_size: 24 fine_tune_checkpoint_type: "detection"')
    capsys.readouterr()
    assert run("--config=pipeline.config") == 2
    first, fix = capsys.readouterr().out.splitlines()[:2]
    assert " error CFG36 train_config.fine_tune_checkpoint_type: " in first
    assert "the checkpoint model.ckpt has no weights with names that begin with FeatureExtractor/. " in first
    assert fix == "    fix: train_config.fine_tune_checkpoint_type=classification"
    Path("zoo/model.ckpt.index").write_bytes(b"cut")
    assert run("--config=pipeline.config") == 2
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(
        f"pipeline.config:{line}: error CFG31 train_config.fine_tune_checkpoint: The file zoo/model.ckpt.index "
    )


def test_a_text_that_cannot_be_read_is_not_shown_to_the_engine(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case_checkpoints.write(folder / "model.ckpt", {"FeatureExtractor/Conv/weights": [3, 3, 3, 32]})
    Path("pipeline.config").write_text("model {")
    capsys.readouterr()
    assert run("--config=pipeline.config", "--checkpoint=model.ckpt") == 2
    shown = capsys.readouterr()
    assert "error CFG28" in shown.out
    assert not shown.err


def test_the_folder_of_the_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "run").mkdir()
    (folder / "run" / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-1"')
    (folder / "run" / "pipeline.config").write_text("model { ssd { num_classes: 90 } }")
    assert run("--config=pipeline.config", "--model_dir=run") == 2
    assert "error RUN03 model: The model is not the model in run/pipeline.config, " in capsys.readouterr().out
    assert run("--config=pipeline.config", "--model_dir=elsewhere") == 0


def test_what_it_is_trained_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In TF1 style each GPU and machine has batches of its own."""
    on_several = ("--config=pipeline.config", "--gpus=5", "--machines=2")
    assert run(*on_several) == 0
    edit('type: "ssd_mobilenet_v2"', 'type: "ssd_mobilenet_v2_keras"')
    capsys.readouterr()
    assert run(*on_several) == 2
    shown = capsys.readouterr().out
    assert "error OPT11 train_config.batch_size: batch_size is 24, and 5 GPUs cannot share it evenly. " in shown
    assert "    fix: train_config.batch_size=20\n" in shown
    assert (
        "error DAT17 train_input_reader.tf_record_input_reader.input_path: There is 1 file of training records for 2 "
        in shown
    )


def test_explaining_a_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("--explain=OPT02") == 0
    out = capsys.readouterr().out
    assert out.startswith("OPT02, warning: The learning rate never falls during the run.\n\n")
    assert "utils/learning_schedules.py" in out
    assert max(map(len, out.splitlines())) <= 100
    assert run("--explain=OPT02", "--json") == 0
    assert json.loads(capsys.readouterr().out)["title"] == "The learning rate never falls during the run."


def test_records_that_make_records_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From annotations to a checked config: nothing is wrong but that there is little of everything."""
    monkeypatch.chdir(tmp_path)
    sample = ROOT / "tests" / "formats" / "coco"
    made = [f"--annotations={sample / 'annotations'}", f"--images={sample / 'images'}", "--output=records"]
    assert app.status(make_records.main, make_records.FLAGS, "", ["make_records", *made, "--val_fraction=0.5"]) == 0
    made = ["--template=ssd_mobilenet_v2_small_192x192", "--records=records", "--output=pipeline.config"]
    assert app.status(make_config.main, make_config.FLAGS, "", ["make_config", *made]) == 0
    capsys.readouterr()
    assert run("--config=pipeline.config", "--records=records", "--json") == 0
    assert {"CFG37", "EVA04"} <= {finding["code"] for finding in json.loads(capsys.readouterr().out)["findings"]}


def test_a_whole_process_loads_nothing_heavy(folder: Path) -> None:
    code = (
        "import atexit, json, runpy, sys; "
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr)); "
        "sys.argv = ['check_config', '--config=pipeline.config', '--records=records']; "
        "runpy.run_module('tfod_tools.check_config', run_name='__main__', alter_sys=True)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "0 errors, 1 warning" in done.stdout
    assert not set(json.loads(done.stderr)) & set(HEAVY)


@pytest.mark.skipif(not WILD.is_dir(), reason="needs ../shared with configs of other people")
def test_configs_of_other_people(capsys: pytest.CaptureFixture[str]) -> None:
    """All that stops them: paths of their authors' machines, and a schedule from step 0 on."""
    for path in sorted(WILD.glob("*.config")):
        run(f"--config={path}", "--json")
        shown = json.loads(capsys.readouterr().out)
        errors = {finding["code"] for finding in shown["findings"] if finding["severity"] == "error"}
        assert errors <= {"DAT01", "CFG31", "OPT04"}, path.name


def test_the_templates_are_checked_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    for name in template.names():
        assert run(f"--config={template.FOLDER / f'{name}.config'}") == 2
        assert "CFG03" in capsys.readouterr().out


@pytest.mark.skipif(not POST.is_file(), reason="needs ../shared with the question that this answers")
def test_the_config_of_a_question_is_answered_in_the_order_of_importance(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody had changed the classes and the regularisation (datascience.stackexchange.com, 66683), and more."""
    post = POST.read_text(encoding="utf-8")
    (tmp_path / "posted.config").write_text(post[post.index("model { ssd") : post.index("Cluster setup")])
    _write_objects_of_50_pixels(tmp_path)
    run(f"--config={tmp_path / 'posted.config'}", f"--records={tmp_path}")
    out = capsys.readouterr().out
    parts = [
        "9 fields differ from the template ssd_mobilenet_v2_300x300:",
        "anchor_generator.ssd_anchor_generator.min_scale: 0.2 -> 0.05",
        "feature_extractor.conv_hyperparams.regularizer.l2_regularizer.weight: 4e-05 -> 7e-05",
        "convolutional_box_predictor.conv_hyperparams.regularizer.l2_regularizer.weight: 4e-05 -> 7e-05",
        'train_config.fine_tune_checkpoint: "PATH_TO_BE_CONFIGURED" -> unset',
        "5 more that the data decides or the engine ignores: model.ssd.num_classes: 90 -> 2 (line 1);",
        'train_config.fine_tune_checkpoint_type: "detection" -> unset',
        "eval_config.num_examples: 8000 -> 870",
        "eval_config.max_evals: 10 -> unset",
        "eval_input_reader[0].shuffle: false -> true",
        "The config does not start from the weights published for this template: ssd_mobilenet_v2_coco_2018_03_29.",
        "warning ANC09 model.ssd.anchor_generator: Only 61.0% of the 100 objects have an anchor with an IoU of 0.5",
        "warning OPT02 train_config.optimizer.rms_prop_optimizer.learning_rate.exponential_decay_learning_rate.",
        "warning CFG37 train_config.fine_tune_checkpoint: fine_tune_checkpoint is not set, ",
        "warning CFG40 ",
        "warning OPT15 eval_config.num_examples",
        "Its first decay would be at step 800720",
    ]
    places = [out.index(part) for part in parts]
    assert places == sorted(places)
    flags = [f"--config={tmp_path / 'posted.config'}", f"--records={tmp_path}"]
    app.status(fit_anchors.main, fit_anchors.FLAGS, "", ["fit_anchors", *flags])
    assert re.search(r"^all +100 +61.0% → 100.0% ", capsys.readouterr().out, re.MULTILINE)


def _write_objects_of_50_pixels(folder: Path) -> None:
    """Records of images of 300x300 with one object of each of ten aspect ratios in ten places."""
    sides = [(50 * 2 ** (step / 9 - 0.5), 50 * 2 ** (0.5 - step / 9)) for step in range(10)]
    corners = [((37 * place) % 225, (83 * place + 11) % 225) for place in range(100)]
    boxes = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, sides * 10, strict=True)]
    image = {"width": 300, "height": 300}
    records = [{"image": image, "boxes": [[side / 300 for side in box]], "labels": ["Lemon"]} for box in boxes]
    for name in ("train", "val"):
        case_records.write(folder / f"{name}.record", records)
    (folder / "label_map.pbtxt").write_text('item { id: 1 name: "Lemon" } item { id: 2 name: "Cheese" }')
    classes = [{"id": 1, "name": "Lemon"}, {"id": 2, "name": "Cheese"}]
    split = {"images": 100, "most_boxes_on_an_image": 1}
    manifest = {
        "format_version": 1,
        "label_map": {"path": "label_map.pbtxt", "classes": classes},
        "splits": {name: {"pattern": f"{name}.record", **split} for name in ("train", "val")},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_picture_of_the_learning_rate(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    assert run("--config=pipeline.config", "--plot=records") == 2
    assert capsys.readouterr().err == "records: is a folder, but --plot must name a file. Name another --plot.\n"
    assert run("--config=pipeline.config", "--plot=lr.png") == 0
    assert Path("lr.png").read_bytes().startswith(b"\x89PNG")
    Path("lr.png").unlink()
    assert run("--config=pipeline.config", "--plot=lr.png", "--dry_run") == 0
    assert not Path("lr.png").exists()
