"""The command end to end: what it writes, what it prints, and one line for every mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline_configs import schema, template
from pipeline_configs.text_proto import Config
from tfod_tools import app, make_config

ROOT = Path(__file__).parents[2]
TEMPLATE = "--template=ssd_mobilenet_v2_small_192x192"
HEAVY = ("tensorflow", "numpy", "PIL", "google.protobuf", "object_detection")


@pytest.fixture(autouse=True)
def fresh_flags() -> Iterator[None]:
    """Puts every flag back to its default, as a new process would."""
    yield
    for name in make_config.FLAGS:
        make_config.FLAGS[name].unparse()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, in which `records` holds a data set with two classes."""
    write_manifest(
        tmp_path / "records",
        {
            "format_version": 1,
            "label_map": {"path": "label_map.pbtxt", "classes": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]},
            "splits": {
                "train": {"pattern": "train.record-?????-of-00004", "images": 12, "boxes": 50},
                "val": {"pattern": "val.record-?????-of-00001", "images": 4, "boxes": 9},
            },
        },
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_manifest(folder: Path, content: object) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps(content))


def run(*arguments: str) -> int:
    return app.status(make_config.main, make_config.FLAGS, make_config.__doc__, ["make_config", *arguments])


def made(*arguments: str) -> Config:
    """The config that the command writes for the template and `arguments`."""
    assert run(TEMPLATE, "--records=records", "--output=run/pipeline.config", *arguments) == 0
    return schema.read(Path("run/pipeline.config"))


def test_a_config_from_a_template(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = made()
    assert config.model.ssd.num_classes == 2
    assert config.train_config.batch_size == 12
    assert list(config.train_input_reader.tf_record_input_reader.input_path) == [
        f"{folder}/records/train.record-?????-of-00004"
    ]
    assert capsys.readouterr().out.splitlines() == [
        "Changed from ssd_mobilenet_v2_small_192x192:",
        "  model.ssd.num_classes: unset -> 2",
        "  train_config.batch_size: 16 -> 12",
        f'  train_input_reader.label_map_path: unset -> "{folder}/records/label_map.pbtxt"',
        "  train_input_reader.tf_record_input_reader.input_path:"
        f' unset -> ["{folder}/records/train.record-?????-of-00004"]',
        "  eval_config.batch_size: unset -> 1",
        '  eval_config.metrics_set: unset -> ["coco_detection_metrics"]',
        f'  eval_input_reader[0].label_map_path: unset -> "{folder}/records/label_map.pbtxt"',
        "  eval_input_reader[0].shuffle: unset -> false",
        "  eval_input_reader[0].num_epochs: unset -> 1",
        "  eval_input_reader[0].tf_record_input_reader.input_path:"
        f' unset -> ["{folder}/records/val.record-?????-of-00001"]',
        "Trains in tf1 style.",
        "Wrote run/pipeline.config",
        "Next: python -m tfod_tools.train --config=run/pipeline.config --model_dir=run/model",
    ]


@pytest.mark.usefixtures("folder")
def test_the_same_input_gives_the_same_bytes() -> None:
    made()
    first = Path("run/pipeline.config").read_bytes()
    made()
    assert Path("run/pipeline.config").read_bytes() == first
    assert [path.name for path in Path("run").iterdir()] == ["pipeline.config"]


@pytest.mark.usefixtures("folder")
def test_set_comes_last_and_may_be_repeated() -> None:
    config = made(
        "--set=model.ssd.num_classes=9",
        "--set",
        "train_config.data_augmentation_options[1]={random_adjust_hue {}}",
        "--set=train_config.optimizer.momentum_optimizer.momentum_optimizer_value=0.5",
        "--set=train_config.fine_tune_checkpoint=a=b/model.ckpt",
    )
    assert config.model.ssd.num_classes == 9
    assert len(config.train_config.data_augmentation_options) == 2
    assert config.train_config.optimizer.WhichOneof("optimizer") == "momentum_optimizer"
    assert config.train_config.fine_tune_checkpoint == "a=b/model.ckpt"


@pytest.mark.usefixtures("folder")
def test_a_config_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    text = (template.FOLDER / "ssd_mobilenet_v2_320x320_keras.config").read_text()
    Path("mine.config").write_text(f"{text}\ntrain_config {{ num_steps: 7 }}")
    assert run("--from=mine.config", "--records=records", "--output=my run/pipeline.config") == 0
    config = schema.read(Path("my run/pipeline.config"))
    assert config.train_config.num_steps == 7
    out = capsys.readouterr().out
    assert out.startswith("Changed from mine.config:\n")
    assert "Trains in tf2 style." in out
    assert "--config='my run/pipeline.config' --model_dir='my run/model'" in out


@pytest.mark.usefixtures("folder")
def test_a_dry_run_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(TEMPLATE, "--records=records", "--output=run/pipeline.config", "--dry_run") == 0
    assert not Path("run").exists()
    out = capsys.readouterr().out
    assert "  model.ssd.num_classes: unset -> 2\n" in out
    assert out.endswith("Dry run, nothing written. Would write run/pipeline.config\n")


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--list") == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[::2]] == list(template.names())
    assert "ssd_mobilenet_v2_320x320_keras  (tf2)\n    SSD with MobileNet v2" in out


RECORDS, OUTPUT = "--records=records", "--output=run/pipeline.config"


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        ([RECORDS, OUTPUT], 1, "found neither of --template and --from"),
        ([TEMPLATE, "--from=a.config", RECORDS, OUTPUT], 1, "found both of --template and --from"),
        ([TEMPLATE, OUTPUT], 1, "--records is missing"),
        ([TEMPLATE, RECORDS], 1, "--output is missing"),
        ([TEMPLATE, RECORDS, OUTPUT, "extra"], 1, "unexpected argument 'extra'"),
        ([TEMPLATE, RECORDS, OUTPUT, "--sett=a=b"], 1, "Unknown command line flag 'sett'"),
        ([TEMPLATE, RECORDS, OUTPUT, "--set=model"], 1, "--set is 'model', expected field.path=value"),
        (["--template=ssd_mobilenet_v3", RECORDS, OUTPUT], 1, "no template is called 'ssd_mobilenet_v3'. Did you mean"),
        (["--from=broken.config", "--output=broken.config", RECORDS], 1, "which --from reads"),
        (["--from=absent.config", RECORDS, OUTPUT], 2, "absent.config: there is no such file"),
        (["--from=broken.config", RECORDS, OUTPUT], 2, "broken.config:2: Ssd has no field 'num_clases'. Did you mean"),
        (["--from=no_model.config", RECORDS, OUTPUT], 2, "model holds nothing"),
        ([TEMPLATE, "--records=absent", OUTPUT], 2, "absent: there is no such folder"),
        ([TEMPLATE, "--records=empty", OUTPUT], 2, "empty: has no manifest.json. Run make_records first."),
        ([TEMPLATE, "--records=no_val", OUTPUT], 2, "Run make_records again with --val_fraction=0.1."),
        ([TEMPLATE, RECORDS, OUTPUT, "--set=model.sdd.num_classes=1"], 2, "no field 'sdd'. Did you mean ssd?"),
        ([TEMPLATE, RECORDS, OUTPUT, "--set=model.ssd.num_classes=x"], 2, "found 'x', expected a whole number"),
        ([TEMPLATE, RECORDS, OUTPUT, "--set=model.ssd.feature_extractor.type=x"], 2, "no extractor is called 'x'"),
        ([TEMPLATE, RECORDS, "--output=records"], 2, "records: cannot be written"),
        ([TEMPLATE, RECORDS, "--output=broken.config/pipeline.config"], 2, "cannot be written"),
    ],
)
def test_mistakes(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, expected: str
) -> None:
    write_manifest(
        folder / "no_val",
        {
            "format_version": 1,
            "label_map": {"path": "label_map.pbtxt", "classes": [{"id": 1, "name": "cat"}]},
            "splits": {"train": {"pattern": "train.record", "images": 20}},
        },
    )
    (folder / "empty").mkdir()
    (folder / "broken.config").write_text("model { ssd {\n  num_clases: 2 } }")
    (folder / "no_model.config").write_text("train_config { }")
    before = sorted(folder.rglob("*"))
    assert run(*arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert expected in captured.err
    assert sorted(folder.rglob("*")) == before


@pytest.mark.usefixtures("folder")
def test_all_wrong_edits_are_shown_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(TEMPLATE, RECORDS, OUTPUT, "--set=modl.x=1", "--set=train_config.num_steps=x") == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.usefixtures("folder")
def test_a_config_that_stood_there_survives_a_mistake() -> None:
    made()
    before = Path("run/pipeline.config").read_bytes()
    assert run(TEMPLATE, RECORDS, OUTPUT, "--set=modl.x=1") == 2
    assert Path("run/pipeline.config").read_bytes() == before


def loaded_after(code: str) -> list[str]:
    """Which of HEAVY a fresh interpreter has loaded after `code`."""
    code = f"{code}\nimport sys\nprint([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    names: list[str] = json.loads(done.stderr.splitlines()[-1].replace("'", '"'))
    return names


def test_without_the_engine_one_line_says_what_to_install() -> None:
    code = (
        "import sys\n"
        "sys.modules['object_detection'] = None\n"
        "from tfod_tools import app, make_config as command\n"
        "sys.exit(app.status(command.main, command.FLAGS, command.__doc__, ['x', '--list']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "tf-object-detection-api is not installed. Run: pip install 'tfod-tools[train]'\n"


def test_a_folder_of_the_engines_name_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "object_detection").mkdir()
    (tmp_path / "object_detection" / "__init__.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "tfod_tools.make_config", "--list"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"{tmp_path}/object_detection: is found in place of the engine and has no compiled protos."
        " Run from another folder.\n"
    )


def test_help_loads_nothing_heavy() -> None:
    code = (
        "from tfod_tools import app, make_config as command\n"
        "assert app.status(command.main, command.FLAGS, command.__doc__, ['x', '--help']) == 0"
    )
    assert loaded_after(code) == []


def test_a_whole_run_loads_no_tensorflow(folder: Path) -> None:
    code = (
        "from tfod_tools import app, make_config as command\n"
        f"argv = ['x', {TEMPLATE!r}, '--records={folder}/records', '--output={folder}/run/pipeline.config']\n"
        "assert app.status(command.main, command.FLAGS, command.__doc__, argv) == 0"
    )
    assert not {"tensorflow", "numpy", "PIL"} & set(loaded_after(code))
    assert Path("run/pipeline.config").is_file()
