"""What `check_config --checkpoint` says is restored is what the engine restores, in both styles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support import engine_code, tiny_run

pytestmark = pytest.mark.engine

# A copy of a checkpoint without some of its weights, in which no other has a value that a new model has.
VARY = """
import numpy as np
import tensorflow as tf
source, copy, *dropped = sys.argv[1:]
reader = tf.train.load_checkpoint(source)
random = np.random.default_rng(0)
values = {
    name: reader.get_tensor(name) for name in sorted(reader.get_variable_to_shape_map())
    if not any(part in name for part in dropped)
}
for name, value in values.items():
    if getattr(value, "dtype", None) == np.float32:
        values[name] = value + random.uniform(0.1, 0.2, value.shape).astype(np.float32)
tf.raw_ops.SaveV2(
    prefix=copy, tensor_names=list(values), shape_and_slices=[""] * len(values),
    tensors=[tf.constant(value) for value in values.values()],
)
"""

# The names under which two checkpoints of TF1's kind have the same values.
EQUAL = """
import json
import numpy as np
import tensorflow as tf
one, other = (tf.train.load_checkpoint(prefix) for prefix in sys.argv[1:])
names = set(one.get_variable_to_shape_map()) & set(other.get_variable_to_shape_map())
print(json.dumps(sorted(n for n in names if np.array_equal(one.get_tensor(n), other.get_tensor(n)))))
"""

# For each type: what the entry says, and either the weights that change when the engine loads them, or what it says.
LOAD = """
import json
import numpy as np
import tensorflow as tf
from object_detection import model_lib_v2
from object_detection.builders import model_builder
from object_detection.protos import train_pb2
from object_detection.utils import config_util
from tfod_tools.engine import restoration
file, prefix, classes = sys.argv[1:]
configs = config_util.get_configs_from_pipeline_file(file)
configs["model"].ssd.num_classes = int(classes)
model = model_builder.build(configs["model"], is_training=True)
tf.function(lambda: restoration._predict(model, configs["model"])).get_concrete_function()
variables = dict(restoration._weights(tf.train.Checkpoint(model=model)))
told = {}
for kind in ("detection", "full", "classification"):
    configs["train_config"].fine_tune_checkpoint = prefix
    configs["train_config"].fine_tune_checkpoint_type = kind
    found, weights = restoration._by_objects(configs["model"], configs["train_config"])
    before = {path: variable.numpy() for path, variable in variables.items()}
    try:
        model_lib_v2.load_fine_tune_checkpoint(
            model, prefix, kind, train_pb2.CheckpointVersion.V2, False, None, False)
        said = ""
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    changed = [path for path, variable in variables.items() if not np.array_equal(before[path], variable.numpy())]
    told[kind] = {"found": found, "weights": weights, "said": said, "changed": changed}
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.make_records(tmp_path_factory.mktemp("data"), images=8)


def trained(records: Path, kind: str, folder: Path, *sets: str) -> Path:
    """The checkpoint of a run of one step."""
    config = tiny_run.make_config(records, kind, folder / "source.config", *sets)
    tiny_run.tfod("train", f"--config={config}", f"--model_dir={folder / 'source'}", "--steps=1")
    return folder / "source" / ("model.ckpt-1" if kind == "tf1" else "ckpt-2")


def test_tf1_style(records: Path, tmp_path: Path) -> None:
    start, model = tmp_path / "start", tmp_path / "model"
    source = trained(records, "tf1", tmp_path, "model.ssd.num_classes=7")
    engine_code.printed("tf2", VARY, str(source), str(start), "expanded_conv_3/", "expanded_conv_4/")
    edits = (
        f"fine_tune_checkpoint={start}",
        "fine_tune_checkpoint_type=detection",
        "load_all_detection_checkpoint_vars=true",
    )
    config = tiny_run.make_config(
        records, "tf1", tmp_path / "pipeline.config", *(f"train_config.{edit}" for edit in edits)
    )
    flags = (f"--config={config}", f"--checkpoint={start}")
    said = tiny_run.tfod("check_config", *flags, "--json", expect=2)
    found = json.loads(said[said.index("{") :])
    assert [one["code"] for one in found["findings"] if one["severity"] == "error"] == ["CFG36"]
    told = found["restoration"]
    assert told["others"] == 0
    assert len(told["missing"]) == 30
    assert {name.split("/")[2] for name in told["missing"]} == {"expanded_conv_3", "expanded_conv_4"}
    assert len(told["other_shape"]) == 12
    assert told["other_shape"]["BoxPredictor_1/ClassPredictor/biases"] == [[48], [30]]

    tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=1")
    equal = json.loads(engine_code.printed("tf2", EQUAL, str(start), str(model / "model.ckpt-0"))[-1])
    assert told["restored"] == [name for name in equal if "Adam" not in name and name != "global_step"]
    assert len(equal) > 200


def test_tf2_style(records: Path, tmp_path: Path) -> None:
    source = trained(records, "tf2", tmp_path)
    engine_code.printed("tf2", VARY, str(source), str(tmp_path / "start"))
    config = tmp_path / "source.config"
    told: dict[str, Any] = json.loads(engine_code.printed("tf2", LOAD, str(config), str(tmp_path / "start"), "5")[-1])
    detection, full, classification = (told[kind] for kind in ("detection", "full", "classification"))
    assert not detection["said"]
    assert len(detection["found"]) == 300
    assert all(ours == theirs for ours, theirs in detection["found"].values())
    assert sorted(detection["found"]) == sorted(detection["changed"])

    assert len(full["found"]) == full["weights"] == 324
    other_shape = {path for path, (ours, theirs) in full["found"].items() if ours != theirs}
    assert len(other_shape) == 12
    assert all("/class_predictions_with_background/" in path for path in other_shape)
    assert "ValueError: Received incompatible tensor with shape" in full["said"]

    missing = [path for path, (_, theirs) in classification["found"].items() if theirs is None]
    assert f"Found {len(missing)} Python objects that were not bound" in classification["said"]
    assert len(missing) == len(classification["found"]) == 260
