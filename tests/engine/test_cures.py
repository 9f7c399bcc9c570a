"""What the engine does silently wrong when it trains, evaluates and exports, and that the commands do not.

Further ones are in test_training.py (fine_tune_checkpoint, the last checkpoint, that of step 0, NaN losses), in
test_whole_way.py and test_coco_metrics.py (metrics of each class, all records evaluated) and in test_shims.py (fonts
and `np.float` at the end of an evaluation).
"""

import json
from pathlib import Path

import pytest
from support import engine_child, tiny_run

pytestmark = pytest.mark.engine

RMS_PROP_AND_AVERAGES = (
    "train_config.optimizer={use_moving_average: true moving_average_decay: 0.5 rms_prop_optimizer {"
    "learning_rate {constant_learning_rate {learning_rate: 0.001}} momentum_optimizer_value: 0.9}}",
    "eval_config.use_moving_averages=true",
)
OPTIMIZER = """
import tensorflow as tf
from google.protobuf import text_format
from object_detection.builders import optimizer_builder
from object_detection.protos import optimizer_pb2
from tfod_tools.engine.training import rms_prop
config = text_format.Parse(
    "use_moving_average: false rms_prop_optimizer {momentum_optimizer_value: 0 epsilon: 1e-10"
    " learning_rate {constant_learning_rate {learning_rate: 0.004}}}", optimizer_pb2.Optimizer())

def step_after(steps, optimizer):
    # With a gradient that stays 1 the mean of its squares is 1, and a step is as long as the learning rate.
    weight = tf.Variable(0.0)
    for _ in range(steps):
        optimizer.apply_gradients([(tf.constant(1.0), weight)])
    before = float(weight)
    optimizer.apply_gradients([(tf.constant(1.0), weight)])
    return before - float(weight)

for_steps = 200
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a TF2 model that was trained with RMSProp and moving averages."""
    folder = tmp_path_factory.mktemp("averages")
    records = tiny_run.make_records(folder)
    config = tiny_run.make_config(records, "tf2", folder / "pipeline.config", *RMS_PROP_AND_AVERAGES)
    tiny_run.tfod("train", f"--config={config}", f"--model_dir={folder / 'model'}", "--steps=3")
    return folder / "model"


def test_the_engine_lets_rms_prop_stop_learning() -> None:
    code = "optimizer, _ = optimizer_builder.build(config)\nassert step_after(for_steps, optimizer) < 0.004 / 100"
    child = engine_child.run("tf2", OPTIMIZER + code)
    assert child.returncode == 0, child.stderr[-3000:]


def test_rms_prop_goes_on_learning() -> None:
    code = """
with rms_prop.decay_of_the_mean():
    optimizer, _ = optimizer_builder.build(config)
assert abs(step_after(for_steps, optimizer) / 0.004 - 1) < 0.05
assert optimizer.get_config()["rho"] == 0.8999999761581421
"""
    child = engine_child.run("tf2", OPTIMIZER + code)
    assert child.returncode == 0, child.stderr[-3000:]


def test_training_uses_that_rms_prop(trained: Path) -> None:
    code = f"""
import tensorflow as tf
reader = tf.train.load_checkpoint({str(trained)!r})
values = {{name.split("/")[-3]: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()
          if name.startswith("optimizer/") and not reader.get_variable_to_shape_map()[name]}}
assert values["decay"] == 0 and abs(values["rho"] - 0.9) < 1e-6, values
"""
    child = engine_child.run("tf2", code)
    assert child.returncode == 0, child.stderr[-3000:]


def test_moving_averages_are_evaluated_and_exported(trained: Path, tmp_path: Path) -> None:
    # The engine's exporter takes the raw variables, and its evaluation stops: swap_weights wants a replica context.
    tiny_run.tfod("evaluate", f"--model_dir={trained}")
    assert json.loads((trained / "metrics-3.json").read_text())["metrics"]["images"] == 3
    exported = tmp_path / "exported"
    tiny_run.tfod("export", f"--model_dir={trained}", f"--output={exported}")
    code = f"""
import numpy as np, tensorflow as tf
trained, exported = (tf.train.load_checkpoint(path) for path in ({str(trained)!r}, {str(exported / "checkpoint")!r}))
value, slot = "/.ATTRIBUTES/VARIABLE_VALUE", "/.OPTIMIZER_SLOT/optimizer/average"
averaged = moved = 0
for name in exported.get_variable_to_shape_map():
    stem = name.removesuffix(value)
    if trained.has_tensor(stem + slot + value):
        averaged += 1
        np.testing.assert_array_equal(exported.get_tensor(name), trained.get_tensor(stem + slot + value))
        moved += not np.array_equal(exported.get_tensor(name), trained.get_tensor(name))
    elif name.startswith("model/"):
        np.testing.assert_array_equal(exported.get_tensor(name), trained.get_tensor(name))
assert averaged > 50 and moved > 50, (averaged, moved)
"""
    child = engine_child.run("tf2", code)
    assert child.returncode == 0, child.stderr[-3000:]


def test_averages_that_are_not_there_are_not_exported(trained: Path, tmp_path: Path) -> None:
    records = tiny_run.make_records(tmp_path)
    config = tiny_run.make_config(records, "tf2", tmp_path / "pipeline.config", "eval_config.use_moving_averages=true")
    model = tmp_path / "model"
    tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=1")
    said = tiny_run.tfod("export", f"--model_dir={model}", f"--output={tmp_path / 'exported'}", expect=2)
    assert "holds no moving averages, but eval_config.use_moving_averages is set" in said


def test_the_engine_waits_for_ever_for_empty_records(tmp_path: Path) -> None:
    records = tiny_run.make_records(tmp_path)
    config = tiny_run.make_config(records, "tf2", tmp_path / "pipeline.config", "train_input_reader.shuffle=false")
    code = """
import os, threading
from object_detection import inputs
from object_detection.utils import config_util
configs = config_util.get_configs_from_pipeline_file(CONFIG)
def first_batch():
    next(iter(inputs.train_input(configs["train_config"], configs["train_input_config"], configs["model"])))
reading = threading.Thread(target=first_batch, daemon=True)
reading.start(); reading.join(SECONDS)
print("waits" if reading.is_alive() else "read", flush=True)
os._exit(0)
""".replace("CONFIG", repr(str(config)))
    assert engine_child.run("tf2", code.replace("SECONDS", "200")).stdout.strip() == "read"
    for shard in records.glob("train*"):
        shard.write_bytes(b"")
    assert engine_child.run("tf2", code.replace("SECONDS", "30")).stdout.strip() == "waits"
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={tmp_path / 'model'}", "--steps=1", expect=2)
    assert "are empty" in said
