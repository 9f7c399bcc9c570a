"""What `train` plans and refuses before the engine starts."""

import contextlib
import dataclasses
from pathlib import Path

import pytest
from support import tiny_run

from cloud.job import TrainJob
from tfod_tools import train
from tfod_tools.base import engine_process
from tfod_tools.base.errors import TfodError


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tiny_run.make_config(tiny_run.make_records(tmp_path), "tf1", tmp_path / "pipeline.config")


def test_dry_run_shows_the_words_and_writes_nothing(config: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=500", "--dry_run")
    assert "TF1 style" in said
    assert f"python -m tfod_tools.engine.train --style=tf1 --config={model / 'pipeline.config'}" in said
    assert "--steps=500 --checkpoint_every=50" in said
    assert not model.exists()


def test_missing_config_is_one_line(tmp_path: Path) -> None:
    said = tiny_run.tfod("train", f"--config={tmp_path}/none.config", f"--model_dir={tmp_path}/model", expect=2)
    assert "none.config" in said
    assert len(said.splitlines()) == 1


def test_missing_records_are_named(config: Path, tmp_path: Path) -> None:
    for shard in (tmp_path / "records").glob("train*"):
        shard.unlink()
    (tmp_path / "records" / "label_map.pbtxt").unlink()
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={tmp_path / 'model'}", expect=2).splitlines()
    assert len(said) == 3
    assert "train_input_reader: no records match" in said[0]
    assert "there is no label map" in said[1]
    assert not (tmp_path / "model").exists()


def test_a_config_without_steps_needs_the_flag(config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text().replace("num_steps: 1000", ""))
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={tmp_path / 'model'}", expect=2)
    assert "train_config.num_steps is not set" in said


@pytest.mark.parametrize("flag", ["--steps=0", "--steps=many", "--step=5"])
def test_wrong_flags_are_one_line(flag: str, config: Path, tmp_path: Path) -> None:
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={tmp_path / 'model'}", flag, expect=1)
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("flag", ["--dry_run", "--steps=7"])
def test_a_config_of_the_users_own_in_the_model_dir_is_left_alone(flag: str, config: Path, tmp_path: Path) -> None:
    """Also when it is the one to train."""
    own = tmp_path / "model" / "pipeline.config"
    own.parent.mkdir()
    own.write_bytes(config.read_bytes())
    before = own.read_bytes()
    for source in (config, own):
        said = tiny_run.tfod("train", f"--config={source}", f"--model_dir={own.parent}", flag, expect=2)
        advice = "Move it to another folder and pass it from there."
        assert said == f"{own}: is your own file, and training would overwrite it. {advice}\n"
    assert own.read_bytes() == before
    assert list(own.parent.iterdir()) == [own]


def test_checkpoints_of_another_model(config: Path, tmp_path: Path) -> None:
    """The mark that a run leaves is there, and so is the model that its checkpoints have."""
    model = tmp_path / "model"
    _, text, _ = train.plan(config, model, 7, None)
    model.mkdir()
    (model / "pipeline.config").write_text(text)
    (model / "checkpoint").touch()
    flags = [f"--config={config}", f"--model_dir={model}", "--dry_run"]
    assert "Would train" in tiny_run.tfod("train", *flags)
    config.write_text(config.read_text().replace("height: 96", "height: 128"))
    said = tiny_run.tfod("train", *flags, expect=2)
    assert "its model differs from" in said
    assert len(said.splitlines()) == 1
    assert (model / "pipeline.config").read_text() == text


def test_words_with_spaces_can_be_pasted(config: Path, tmp_path: Path) -> None:
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={tmp_path / 'my model'}", "--dry_run")
    assert f"'--model_dir={tmp_path / 'my model'}'" in said


BEFORE = b"# The config of an earlier run."
ENTRY = """
from absl import flags
from tfod_tools.base.errors import CheckpointError
from tfod_tools.engine import channel

def main(events):
    assert open("model/pipeline.config").read() == "the new config"
    {event}
    {end}

channel.serve(main, flags.FlagValues())
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Job(TrainJob):
    """One whose engine is the module `entry_of_a_test`."""

    def argv(self) -> tuple[str, ...]:
        return ("entry_of_a_test",)


@pytest.mark.parametrize("before", [BEFORE, None])
@pytest.mark.parametrize("event", ["start", "progress", None])
@pytest.mark.parametrize("end", ["raise CheckpointError('is trained that far.')", "1 / 0", "events.send('result')"])
def test_the_config_in_the_model_dir_is_that_of_the_last_run_that_began(
    end: str, event: str | None, before: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    sent = f"events.send({event!r})" if event else ""
    (tmp_path / "entry_of_a_test.py").write_text(ENTRY.format(event=sent, end=end))
    path = tmp_path / "model" / "pipeline.config"
    if before:
        path.parent.mkdir()
        path.write_bytes(before)
    job = Job(config=str(path), model_dir="model", style="tf1", steps=7, checkpoint_every=1)
    fails = "result" not in end
    seen: list[engine_process.Event] = []
    with pytest.raises(TfodError, match=r"that far|ZeroDivisionError") if fails else contextlib.nullcontext():
        train.run(job, "the new config", seen.append)
    assert seen == ([{"event": event}] if event else [])
    began = event is not None or not fails
    assert (path.read_bytes() if path.exists() else None) == (b"the new config" if began else before)


def progress(*names: str, loss: float | None = 0.1234) -> dict[str, object]:
    """A late event of a long run with losses of these names and a total."""
    losses = {f"Loss/{name}_loss": value for value, name in enumerate(names)} | {"Loss/total_loss": loss}
    return {"event": "progress", "step": 123456, "losses": losses, "learning_rate": 0.000123}


SSD = ("localization", "classification", "regularization")
FASTER_RCNN = (
    "RPNLoss/localization",
    "RPNLoss/objectness",
    "BoxClassifierLoss/localization",
    "BoxClassifierLoss/classification",
)
SPEED = "  87.6 images/s  12:34:56 left"


@pytest.mark.parametrize("names", [SSD, FASTER_RCNN])
def test_the_live_line_on_eighty_columns(names: tuple[str, ...]) -> None:
    """What tells whether all goes well, and how long to wait, is not cut off."""
    assert train.progress_line(progress(*names), 200000, SPEED)[:79].startswith(
        "step 123456/200000  loss 0.123  lr 0.000123  87.6 images/s  12:34:56 left  "
    )


def test_the_live_line_before_the_speed_is_known() -> None:
    assert train.progress_line(progress(*SSD), 200000, "") == (
        "step 123456/200000  loss 0.123  lr 0.000123  (localization 0, classification 1, regularization 2)"
    )


def test_the_losses_of_two_stages_have_names_of_their_own() -> None:
    assert train.progress_line(progress(*FASTER_RCNN), 200000, SPEED).endswith(
        "  (RPN localization 0, RPN objectness 1, BoxClassifier localization 2, BoxClassifier classification 3)"
    )


def test_a_loss_that_is_not_a_number() -> None:
    assert "  loss not a number  " in train.progress_line(progress(*SSD, loss=None), 200000, SPEED)
