"""The command end to end: what it writes, what it prints, and one line for every mistake."""

from __future__ import annotations

import difflib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline_configs.making import template
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools import app, make_config

ROOT = Path(__file__).parents[2]
TEMPLATE = "--template=ssd_mobilenet_v2_small_192x192"
HEAVY = ("tensorflow", "numpy", "PIL", "google.protobuf", "object_detection")


@pytest.fixture(autouse=True)
def fresh_flags() -> Iterator[None]:
    """Puts every flag back to its default, as a new process would."""
    yield
    forget_flags()


def forget_flags() -> None:
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


def odd_layout() -> str:
    """A config in which a comment stands between a field and the semicolon behind it."""
    text = template.text("ssd_mobilenet_v2_300x300")
    return text.replace("batch_size: 24", "batch_size: 24; sync_replicas: true # a comment before the semicolon\n;")


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
        "Trains in TF1 style.",
        "1000 steps of 12 images: 1000 epochs of 12 images.",
        "Learning rate: starts at 0.0001, rises to 0.001 at step 100, falls from step 101 (epoch 101), ends at"
        " 3.05e-09.",
        "Wrote run/pipeline.config",
        "Next: tfod train run/pipeline.config --model_dir=run/model",
    ]


def test_the_same_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = [
        TEMPLATE,
        "--records=records",
        "--output=run/pipeline.config",
        "--batch_size=4",
        "--set=model.ssd.num_classes=3",
    ]
    assert run(*flags, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["start"], answer["style"], answer["written"]) == ("ssd_mobilenet_v2_small_192x192", "tf1", True)
    assert {"path": "model.ssd.num_classes", "old": "unset", "new": "3"} in answer["changes"]
    by_flags = {step["flags"]: step for step in answer["steps"]}
    assert by_flags["--batch_size=4"]["edits"][0] == {
        "path": "train_config.batch_size",
        "value": "4",
        "operation": "set",
    }
    assert by_flags["--batch_size=4"]["reason"]
    assert (answer["run"]["steps"], answer["run"]["batch_size"]) == (1000, 4)
    assert answer["run"]["epochs"] == pytest.approx(1000 * 4 / 12)
    assert answer["run"]["learning_rate"]["highest_at"] == 100
    assert answer["next"].startswith("tfod train run/pipeline.config")
    assert answer["download"] is None
    assert schema.read(folder / answer["output"]).model.ssd.num_classes == 3


@pytest.mark.usefixtures("folder")
def test_quietly(capsys: pytest.CaptureFixture[str]) -> None:
    made("--quiet")
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("folder")
def test_another_file_is_replaced_only_where_the_user_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    made()
    before = Path("run/pipeline.config").read_bytes()
    assert run(TEMPLATE, RECORDS, OUTPUT, "--batch_size=3", "--plot=lr.png") == 2
    assert "run/pipeline.config: is there already" in capsys.readouterr().err
    assert Path("run/pipeline.config").read_bytes() == before
    assert not Path("lr.png").exists()
    assert made("--batch_size=3", "--overwrite").train_config.batch_size == 3


def test_templates_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--list", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["templates"]}
    assert list(rows) == list(template.names())
    assert rows["ssd_mobilenet_v2_300x300"]["zoo_map"] == 22


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
    assert "Trains in TF2 style." in out
    assert "Next: tfod train 'my run/pipeline.config' '--model_dir=my run/model'" in out


@pytest.mark.usefixtures("folder")
def test_a_config_of_ones_own_keeps_its_comments_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    text = template.text("ssd_mobilenet_v2_300x300").replace("batch_size: 24", "batch_size: 24  # what fits")
    Path("mine.config").write_text(text)
    steps = ["--set=train_config.num_steps=7", "--set=train_config.data_augmentation_options+={random_adjust_hue {}}"]
    for _ in range(2):
        assert run("--from=mine.config", "--output=mine.config", *steps) == 0
        lines = difflib.ndiff(text.splitlines(), Path("mine.config").read_text().splitlines())
        assert [line.rstrip() for line in lines if line[0] in "+-"] == [
            *("-   num_steps: 200000", "+   num_steps: 7", "+   data_augmentation_options {"),
            *("+     random_adjust_hue {", "+     }", "+   }"),
        ]
    assert "Nothing changes in mine.config.\nTrains in TF1 style.\n7 steps of 24 images.\n" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_a_layout_that_cannot_be_kept_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("odd.config").write_text(odd_layout())
    assert run("--from=odd.config", "--output=new.config", "--unset=train_config.sync_replicas") == 0
    assert "printed anew, without its comments" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_named_edits_show_what_they_stand_for(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--batch_size=4", "--epochs=2.5", "--hard_miner=off", "--unset=train_config.data_augmentation_options[0]"]
    config = made(*flags, "--set=train_config.num_steps=9")
    assert (config.train_config.batch_size, config.train_config.num_steps) == (4, 9)
    assert not config.model.ssd.loss.HasField("hard_example_miner")
    out = capsys.readouterr().out
    assert out.startswith(
        "--batch_size=4 --epochs=2.5 stands for:\n  --set=train_config.batch_size=4\n  --set=train_config.num_steps=8\n"
    )
    assert "in proportion to the batch size, which changes from 16 to 4. Use --lr to set another rate.\n" in out
    assert "--hard_miner=off stands for:\n  --unset=model.ssd.loss.hard_example_miner\n" in out
    assert "9 steps of 4 images: 3 epochs of 12 images.\nLearning rate: " in out
    assert "--model_dir=run/model --checkpoint_every=1\n" in out
    shown = [shlex.split(line)[0] for line in out.splitlines() if line.startswith(("  --", "  '--"))]
    forget_flags()
    again = made(*shown, "--set=train_config.num_steps=9")
    assert again == config


@pytest.mark.usefixtures("folder")
def test_a_patch_from_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("small.yaml").write_text("model..l2_regularizer.weight: 7e-5\ntrain_config:\n  num_steps: 70\n")
    config = made("--patch=small.yaml", "--set=train_config.num_steps=71")
    assert config.train_config.num_steps == 71
    assert config.model.ssd.feature_extractor.conv_hyperparams.regularizer.l2_regularizer.weight == pytest.approx(7e-5)
    assert capsys.readouterr().out.count("l2_regularizer.weight: ") == 2


@pytest.mark.usefixtures("folder")
def test_a_picture_of_the_learning_rate(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    assert run(TEMPLATE, RECORDS, OUTPUT, "--plot=records") == 2
    assert capsys.readouterr().err == "records: is a folder, but --plot must name a file. Name another --plot.\n"
    assert not Path("run").exists()
    made("--plot=lr.png")
    assert Path("lr.png").read_bytes().startswith(b"\x89PNG")
    Path("lr.png").unlink()
    made("--plot=lr.png", "--dry_run")
    assert not Path("lr.png").exists()


@pytest.mark.usefixtures("folder")
def test_a_dry_run_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(TEMPLATE, "--records=records", "--output=run/pipeline.config", "--dry_run") == 0
    assert not Path("run").exists()
    out = capsys.readouterr().out
    assert "  model.ssd.num_classes: unset -> 2\n" in out
    assert out.endswith("Dry run: nothing is written. Without --dry_run this writes run/pipeline.config.\n")


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--list") == 0
    names, *rows = capsys.readouterr().out.splitlines()[:-3]
    assert names.split() == ["template", "style", "input", "mAP", "ms", "of"]
    assert [row.split()[0] for row in rows] == list(template.names())
    assert [row.split()[1:] for row in rows if row.startswith("ssd_mobilenet_v2_300x300 ")] == [
        ["tf1", "300x300", "22", "31", "COCO"]
    ]
    assert [row.split()[1:] for row in rows if row.startswith("ssd_mobilenet_v2_small_192x192 ")] == [
        ["tf1", "192x192", "-", "-"]
    ]


@pytest.mark.usefixtures("folder")
def test_published_weights(capsys: pytest.CaptureFixture[str]) -> None:
    published = ["--template=ssd_mobilenet_v2_300x300", "--records=records", "--output=run/pipeline.config"]
    assert run(*published, "--checkpoint=auto") == 0
    train_config = schema.read(Path("run/pipeline.config")).train_config
    name = "ssd_mobilenet_v2_coco_2018_03_29"
    assert train_config.fine_tune_checkpoint == f"{Path.cwd()}/run/{name}/model.ckpt"
    assert train_config.fine_tune_checkpoint_type == "detection"
    out = capsys.readouterr().out
    assert out.startswith("--checkpoint=auto stands for:\n  '--set=train_config.fine_tune_checkpoint=")
    assert f"First get the weights: curl -L http://download.tensorflow.org/models/object_detection/{name}.tar.gz" in out
    assert out.endswith(f" | tar xz -C {Path.cwd()}/run\n")
    Path("weights").mkdir()
    Path("weights/model.ckpt.index").touch()
    assert run(*published, "--checkpoint=weights/model.ckpt", "--overwrite") == 0
    assert "First get" not in capsys.readouterr().out


RECORDS, OUTPUT = "--records=records", "--output=run/pipeline.config"


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        ([RECORDS, OUTPUT], 1, "Give --template or --from"),
        ([TEMPLATE, "--from=a.config", RECORDS, OUTPUT], 1, "--template and --from are both given"),
        ([TEMPLATE, OUTPUT], 1, "--records is missing"),
        ([TEMPLATE, RECORDS], 1, "--output is missing"),
        ([TEMPLATE, RECORDS, OUTPUT, "extra"], 1, "'extra' is taken as --template, but --template is given too"),
        ([TEMPLATE, RECORDS, OUTPUT, "--sett=a=b"], 1, "Unknown command line flag 'sett'"),
        ([TEMPLATE, RECORDS, OUTPUT, "--set=model"], 1, "--set is 'model'. Write field.path=value."),
        (["--template=ssd_mobilenet_v3", RECORDS, OUTPUT], 1, "no template is called 'ssd_mobilenet_v3'. Did you mean"),
        (
            ["--from=odd.config", "--output=odd.config", "--unset=train_config.sync_replicas"],
            2,
            "comments would be lost",
        ),
        ([TEMPLATE, RECORDS, OUTPUT, "--patch=absent.yaml"], 2, "absent.yaml: there is no such file"),
        (
            [TEMPLATE, RECORDS, OUTPUT, "--patch=broken.yaml"],
            2,
            "broken.yaml:2: model.sdd.x: DetectionModel has no field",
        ),
        ([TEMPLATE, RECORDS, OUTPUT, "--set=model..num_clases=1"], 2, "Did you mean num_classes"),
        ([TEMPLATE, RECORDS, OUTPUT, "--unset=eval_config.num_example"], 2, "Did you mean num_examples"),
        ([TEMPLATE, RECORDS, OUTPUT, "--epochs=2", "--steps=3"], 1, "--steps and --epochs are both given"),
        ([TEMPLATE, RECORDS, OUTPUT, "--batch_size=0"], 1, "--batch_size"),
        (
            [TEMPLATE, RECORDS, OUTPUT, "--batch_size=13"],
            1,
            "one step takes 13 images on all GPUs together, but there are only 12",
        ),
        ([TEMPLATE, RECORDS, OUTPUT, "--gpus=2"], 1, "--gpus=2: a config of TF1 style trains on one GPU"),
        ([TEMPLATE, RECORDS, OUTPUT, "--resize=300"], 1, "--resize is '300'"),
        (
            [TEMPLATE, RECORDS, OUTPUT, "--anchors=scales=a..0.9"],
            2,
            "min_scale: the value is 'a', but the field takes a number",
        ),
        ([TEMPLATE, RECORDS, OUTPUT, "--unset=train_config.optimizer", "--plot=p.png"], 2, "no learning rate to draw"),
        (["--from=own.config", OUTPUT, "--epochs=2"], 1, "--epochs needs --records"),
        (["--from=own.config", OUTPUT, "--checkpoint=auto"], 1, "--checkpoint needs --template"),
        ([TEMPLATE, RECORDS, OUTPUT, "--checkpoint=auto"], 1, "no weights were published for ssd_mobilenet_v2_small"),
        (["--from=absent.config", RECORDS, OUTPUT], 2, "absent.config: there is no such file"),
        (["--from=broken.config", RECORDS, OUTPUT], 2, "broken.config:2: Ssd has no field 'num_clases'. Did you mean"),
        (["--from=no_model.config", RECORDS, OUTPUT], 2, "the config has no model"),
        ([TEMPLATE, "--records=absent", OUTPUT], 2, "absent: there is no such folder"),
        ([TEMPLATE, "--records=empty", OUTPUT], 2, "empty: has no manifest.json. Run make_records first."),
        ([TEMPLATE, "--records=no_val", OUTPUT], 2, "Run make_records again with --val_fraction=0.1."),
        ([TEMPLATE, RECORDS, OUTPUT, "--set=model.sdd.num_classes=1"], 2, "no field 'sdd'. Did you mean ssd?"),
        (
            [TEMPLATE, RECORDS, OUTPUT, "--set=model.ssd.num_classes=x"],
            2,
            "the value is 'x', but the field takes a whole number",
        ),
        ([TEMPLATE, RECORDS, OUTPUT, "--set=model.ssd.feature_extractor.type=x"], 2, "no extractor is called 'x'"),
        ([TEMPLATE, RECORDS, "--output=records"], 2, "records: is a folder, but --output must name a file"),
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
    (folder / "own.config").write_text(template.text("ssd_mobilenet_v2_300x300"))
    (folder / "odd.config").write_text(odd_layout())
    (folder / "broken.yaml").write_text("# two lines\nmodel: {sdd: {x: 1}}")
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


@pytest.mark.usefixtures("folder")
def test_without_the_engine_one_line_says_what_to_install() -> None:
    code = (
        "import sys\n"
        "sys.modules['object_detection'] = None\n"
        "from tfod_tools import app, make_config as command\n"
        f"sys.exit(app.status(command.main, command.FLAGS, command.__doc__, {['x', TEMPLATE, RECORDS, OUTPUT]}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1
    assert done.stderr == "tf-object-detection-api is not installed. Run: pip install 'tfod-tools[train]'\n"


def test_a_folder_of_the_engines_name_is_told_apart(folder: Path) -> None:
    (folder / "object_detection").mkdir()
    (folder / "object_detection" / "__init__.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "tfod_tools.make_config", TEMPLATE, RECORDS, OUTPUT],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"{folder}/object_detection: has the engine's name, so Python imports it instead of the engine."
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
