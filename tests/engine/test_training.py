"""Training that is stopped, killed, repeated or broken, with the real engine in both styles."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from support import engine_child, tiny_run

pytestmark = pytest.mark.engine

STYLES = ["tf1", "tf2"]
_PATIENCE_S = 300


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.make_records(tmp_path_factory.mktemp("data"))


def _start(config: Path, model: Path, steps: int, checkpoint_every: int) -> subprocess.Popen[str]:
    flags = [f"--config={config}", f"--model_dir={model}", f"--steps={steps}", f"--checkpoint_every={checkpoint_every}"]
    return subprocess.Popen(
        [sys.executable, "-m", "tfod_tools.train", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=tiny_run.environment(),
    )


def _wait_for(path: Path, training: "subprocess.Popen[str]") -> None:
    """Waits until a file that matches `path` is there."""
    deadline = time.monotonic() + _PATIENCE_S
    while not list(path.parent.glob(path.name)):
        assert training.poll() is None, training.communicate()[0]
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.1)


def _first_step(training: "subprocess.Popen[str]") -> int:
    """The first step that the command shows."""
    assert training.stdout is not None
    lines = []
    for line in training.stdout:
        lines.append(line)
        if match := re.match(r"step (\d+)/", line):
            return int(match[1])
    raise AssertionError("".join(lines))


def _stopped_at(training: "subprocess.Popen[str]") -> int:
    """The step at which the command says it stopped, once it was asked to."""
    said = training.communicate(timeout=_PATIENCE_S)[0]
    assert training.returncode == 130, said
    return int(re.findall(r"Stopped at step (\d+) of 100000\. The checkpoint of this step is saved", said)[0])


@pytest.mark.parametrize("style", STYLES)
def test_killed_training_resumes_from_its_last_checkpoint(style: str, records: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    config = tiny_run.make_config(records, style, tmp_path / "pipeline.config")
    training = _start(config, model, steps=100_000, checkpoint_every=20)
    _wait_for(model / ("model.ckpt-20.index" if style == "tf1" else "ckpt-2.index"), training)
    engine = psutil.Process(training.pid).children()
    os.kill(training.pid, signal.SIGKILL)
    training.communicate()
    assert not psutil.wait_procs(engine, timeout=20)[1], "the engine outlived the command that started it"

    resumed = _start(config, model, steps=100_000, checkpoint_every=20)
    assert _first_step(resumed) > 20
    resumed.send_signal(signal.SIGINT)
    assert _stopped_at(resumed) > 20


@pytest.mark.parametrize("style", STYLES)
def test_ctrl_c_saves_a_checkpoint_and_so_does_the_last_step(style: str, records: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    config = tiny_run.make_config(records, style, tmp_path / "pipeline.config")
    training = _start(config, model, steps=100_000, checkpoint_every=100_000)
    _first_step(training)
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=100000", expect=2)
    assert "another process is training in this folder" in said
    training.send_signal(signal.SIGINT)
    stopped = _stopped_at(training)
    # Three steps more: no multiple of checkpoint_every, nor of the engine's steps an iteration.
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", f"--steps={stopped + 3}")
    assert f"Trained to step {stopped + 3}:" in said
    tiny_run.tfod("evaluate", f"--model_dir={model}")
    assert (model / f"metrics-{stopped + 3}.json").exists()


@pytest.mark.parametrize("style", STYLES)
def test_a_loss_that_is_not_a_number_ends_training(style: str, records: Path, tmp_path: Path) -> None:
    rate = "{constant_learning_rate {learning_rate: 1e30}}"
    optimizer = "adam_optimizer" if style == "tf1" else "momentum_optimizer"
    edit = f"train_config.optimizer.{optimizer}.learning_rate={rate}"
    config = tiny_run.make_config(
        records, style, tmp_path / "pipeline.config", edit, "train_config.gradient_clipping_by_norm=0"
    )
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={tmp_path / 'model'}", "--steps=200", expect=4)
    assert "the loss is not a number" in said


def test_the_fine_tuning_checkpoint_is_not_ignored(records: Path, tmp_path: Path) -> None:
    # model_main passes no hyperparameters to the engine, which then never looks at this field in TF1 style.
    config = tiny_run.make_config(
        records, "tf1", tmp_path / "pipeline.config", f"train_config.fine_tune_checkpoint={tmp_path}/nowhere/model.ckpt"
    )
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={tmp_path / 'model'}", "--steps=2", expect=4)
    assert "nowhere" in said


def test_the_checkpoint_of_step_0_is_not_evaluated(records: Path, tmp_path: Path) -> None:
    # In TF2 style it holds no weights, and the engine scores random ones.
    config = tiny_run.make_config(records, "tf2", tmp_path / "pipeline.config")
    model = tmp_path / "model"
    training = _start(config, model, steps=100_000, checkpoint_every=100_000)
    _wait_for(model / "checkpoint", training)
    training.kill()
    training.communicate()
    said = tiny_run.tfod("evaluate", f"--model_dir={model}", "--checkpoint=ckpt-1", expect=2)
    assert "ckpt-1: holds no weights" in said
    said = tiny_run.tfod("evaluate", f"--model_dir={model}", "--checkpoint=ckpt-9", expect=2)
    assert "ckpt-9: cannot be read as a checkpoint" in said


def test_another_model_does_not_go_into_the_same_folder(records: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    config = tiny_run.make_config(records, "tf1", tmp_path / "one.config")
    tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=1")
    written = (model / "pipeline.config").read_bytes()
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=1", expect=2)
    assert "is already trained to step 1" in said
    assert (model / "pipeline.config").read_bytes() == written
    other = tiny_run.make_config(records, "tf1", tmp_path / "other.config", "model.ssd.feature_extractor.min_depth=8")
    said = tiny_run.tfod("train", f"--config={other}", f"--model_dir={model}", "--steps=2", expect=2)
    assert "Choose another --model_dir" in said


@pytest.mark.parametrize("extractor", ["ssd_mobilenet_v2", "ssd_mobilenet_v2_keras"])
def test_training_learns(extractor: str, records: Path, tmp_path: Path) -> None:
    # Nine images by heart: far from a good detector, and far from what an untrained one scores (0.00).
    learned = (records / "manifest.json").parent / "train.record-?????-of-00001"
    config = tiny_run.make_config(
        records,
        "tf1",
        tmp_path / "pipeline.config",
        f"model.ssd.feature_extractor.type={extractor}",
        "train_config.batch_size=9",
        "train_config.optimizer.adam_optimizer.learning_rate={constant_learning_rate {learning_rate: 0.002}}",
        "train_config.data_augmentation_options=[]",
        f"eval_input_reader[0].tf_record_input_reader.input_path={learned}",
    )
    model = tmp_path / "model"
    tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=200")
    tiny_run.tfod("evaluate", f"--model_dir={model}", f"--output={tmp_path / 'metrics.json'}")
    assert json.loads((tmp_path / "metrics.json").read_text())["metrics"]["AP50"] > 0.5


def test_the_steps_of_an_iteration_keep_every_count() -> None:
    code = """
from tfod_tools.engine.training.keras import iteration_steps
assert iteration_steps(0, 1000, 100) == 10
assert iteration_steps(0, 60, 6) == 6
assert iteration_steps(0, 61, 6) == 1
assert iteration_steps(1230, 5000, 500) == 10
assert iteration_steps(37, 40, 4) == 1
for start in range(0, 60, 7):
    for steps in range(start + 1, 90, 5):
        for every in (1, 4, 25, 100):
            length = iteration_steps(start, steps, every)
            assert 1 <= length <= 10
            assert (steps - start) % length == start % length == every % length == 0
"""
    child = engine_child.run("tf2", code)
    assert child.returncode == 0, child.stderr[-3000:]


def test_scalars_are_written_as_often_as_by_the_engines_script_and_all_of_them_reported(tmp_path: Path) -> None:
    code = f"""
import tensorflow as tf
from tfod_tools.engine.training.keras import _observed_summaries
from tensorflow.core.util import event_pb2
reported = []
step = tf.Variable(0, dtype=tf.int64)
with tf.compat.v2.summary.create_file_writer({str(tmp_path)!r}).as_default() as writer:
    with _observed_summaries(lambda *scalar: reported.append(scalar), iteration=7):
        for number in range(7, 320, 7):
            step.assign(number)
            tf.compat.v2.summary.scalar("Loss/total_loss", tf.constant(0.5), step=step)
    writer.close()
assert reported == [("Loss/total_loss", 0.5, number) for number in range(7, 320, 7)], reported
[path] = tf.io.gfile.glob({str(tmp_path / "*")!r})
events = [event_pb2.Event.FromString(item.numpy()) for item in tf.data.TFRecordDataset(path)]
steps = [event.step for event in events if event.summary.value]
assert steps == [*range(7, 100, 7), 105, 203, 301], steps
"""
    child = engine_child.run("tf2", code)
    assert child.returncode == 0, child.stderr[-3000:]
