"""The config of a run is found in its folder, unless another is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline_configs import run_folder
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import CheckpointError, ConfigError, TfodError


def write(path: Path, batch_size: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"train_config {{ batch_size: {batch_size} }}")
    return path


def test_the_config_that_training_left(tmp_path: Path) -> None:
    left = write(tmp_path / "model" / "pipeline.config", 3)
    path, config = run_folder.config(tmp_path / "model", None)
    assert path == left
    assert config.train_config.batch_size == 3


@pytest.mark.parametrize("left", [True, False])
def test_a_named_config_goes_first(tmp_path: Path, left: bool) -> None:
    (tmp_path / "model").mkdir()
    if left:
        write(tmp_path / "model" / "pipeline.config", 3)
    named = write(tmp_path / "other.config", 5)
    path, config = run_folder.config(tmp_path / "model", named)
    assert path == named
    assert config.train_config.batch_size == 5


def error_of(kind: type[TfodError], model_dir: Path, named: Path | None) -> str:
    with pytest.raises(kind) as caught:
        run_folder.config(model_dir, named)
    return str(caught.value)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("is_file", [True, False])
def test_no_folder(tmp_path: Path, named: bool, is_file: bool) -> None:
    other = write(tmp_path / "other.config", 5) if named else None
    if is_file:
        (tmp_path / "model").touch()
    assert error_of(CheckpointError, tmp_path / "model", other) == (
        f"{tmp_path / 'model'}: there is no such folder. Pass the --model_dir of a training run."
    )


def test_a_folder_without_a_config(tmp_path: Path) -> None:
    assert error_of(CheckpointError, tmp_path, None) == (
        f"{tmp_path}: holds no pipeline.config. Pass --config, or train there first."
    )


def test_a_named_config_that_is_not_there(tmp_path: Path) -> None:
    """The config that training left is not used in its place, since the user named another one."""
    write(tmp_path / "pipeline.config", 3)
    assert error_of(ConfigError, tmp_path, tmp_path / "other.config").startswith(
        f"{tmp_path / 'other.config'}: there is no"
    )


def test_a_broken_config(tmp_path: Path) -> None:
    (tmp_path / "pipeline.config").write_text("train_config {\n  batch_sise: 3\n}")
    assert error_of(ConfigError, tmp_path, None).startswith(
        f"{tmp_path / 'pipeline.config'}:2: TrainConfig has no field"
    )


def test_what_a_run_writes_is_found_again(tmp_path: Path) -> None:
    pipeline = schema.parse("model { ssd { num_classes: 3 } } train_config { num_steps: 7 }")
    run_folder.path(tmp_path).write_text(run_folder.text(pipeline))
    assert run_folder.config(tmp_path, None) == (tmp_path / "pipeline.config", pipeline)
    first = run_folder.text(pipeline).splitlines()[0]
    assert first.startswith("#")
    assert "tfod_tools.train" in first


SOURCE = Path("run/new.config")


def run_left(model_dir: Path, text: str, *, checkpoints: bool) -> Path:
    """A folder in which a run of the config `text` has left its config."""
    model_dir.mkdir()
    run_folder.path(model_dir).write_text(run_folder.text(schema.parse(text)))
    if checkpoints:
        (model_dir / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-7"')
    return model_dir


def refused(model_dir: Path, pipeline: Config) -> str:
    """The reason; also makes sure that the folder stays as it is."""
    before = {path: path.read_bytes() for path in model_dir.iterdir()}
    with pytest.raises(ConfigError) as caught:
        run_folder.check_same_run(model_dir, pipeline, SOURCE)
    assert {path: path.read_bytes() for path in model_dir.iterdir()} == before
    return str(caught.value)


@pytest.mark.parametrize("exists", [True, False])
def test_a_first_run(tmp_path: Path, exists: bool) -> None:
    """Also in a folder that has checkpoints but no config any more."""
    if exists:
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "checkpoint").touch()
    run_folder.check_same_run(tmp_path / "model", schema.parse("model { ssd { } }"), SOURCE)


@pytest.mark.parametrize("checkpoints", [True, False])
@pytest.mark.parametrize("text", ["", "model { ssd { } }", "model { ssd {", "\n{mark}\n", "# {mark}", "\xff"])
def test_a_config_of_the_users_own(tmp_path: Path, checkpoints: bool, text: str) -> None:
    """Even if it is the same config, and whatever it contains, because its comments would be lost."""
    model_dir = run_left(tmp_path / "model", "model { ssd { } }", checkpoints=checkpoints)
    mark = run_folder.path(model_dir).read_text().splitlines()[0]
    run_folder.path(model_dir).write_bytes(text.replace("{mark}", mark).encode("latin-1"))
    assert refused(model_dir, schema.parse("model { ssd { } }")) == (
        f"{model_dir / 'pipeline.config'}: is your own file, and training would overwrite it."
        " Move it to another folder and pass it from there."
    )


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("ssd { num_classes: 3 }", "ssd { num_classes: 4 }"),
        ("ssd { }", "ssd { feature_extractor { type: 'ssd_mobilenet_v2' } }"),
        ("ssd { }", "faster_rcnn { }"),
        ("faster_rcnn { }", "faster_rcnn { first_stage_max_proposals: 7 }"),
        ("center_net { }", "center_net { num_classes: 4 }"),
    ],
)
def test_another_model(tmp_path: Path, before: str, now: str) -> None:
    """It is accepted until there are checkpoints of the first model."""
    new = schema.parse(f"model {{ {now} }}")
    run_folder.check_same_run(run_left(tmp_path / "a", f"model {{ {before} }}", checkpoints=False), new, SOURCE)
    model_dir = run_left(tmp_path / "b", f"model {{ {before} }}", checkpoints=True)
    assert refused(model_dir, new) == (
        f"{SOURCE}: its model differs from that of {model_dir / 'pipeline.config'}, and that folder has checkpoints."
        " Choose another --model_dir."
    )


_POST = "{ batch_non_max_suppression { iou_threshold: 0.3 } score_converter: SIGMOID }"


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("model { ssd { } }", "model { ssd { } } train_config { batch_size: 3 } eval_config { batch_size: 3 }"),
        ("model { ssd { } }", f"model {{ ssd {{ post_processing {_POST} }} }}"),
        (f"model {{ ssd {{ post_processing {_POST} }} }}", "model { ssd { } }"),
        ("model { faster_rcnn { } }", f"model {{ faster_rcnn {{ second_stage_post_processing {_POST} }} }}"),
        ("model { center_net { } }", "model { center_net { } } train_config { num_steps: 9 }"),
    ],
)
def test_the_same_weights(tmp_path: Path, before: str, now: str) -> None:
    """The run goes on, and the config that it is given is not touched."""
    pipeline = schema.parse(now)
    run_folder.check_same_run(run_left(tmp_path / "model", before, checkpoints=True), pipeline, SOURCE)
    assert pipeline == schema.parse(now)
