"""An ssd_mobilenet_v2 with graph_rewriter, from `tfod train` to a model of integers for TensorFlow Lite."""

import re
from pathlib import Path

import pytest
from support import engine_child, tiny_run

pytestmark = pytest.mark.engine

RATE = "train_config.optimizer.adam_optimizer.learning_rate={constant_learning_rate {learning_rate: 0.002}}"
QUANTISED = "graph_rewriter.quantization={delay: 0 weight_bits: 8 activation_bits: 8}"
# Averages that 40 steps fill, as evaluation uses them.
NORMS = (
    "model.ssd.feature_extractor.conv_hyperparams.batch_norm.decay=0.5",
    "model.ssd.box_predictor.convolutional_box_predictor.conv_hyperparams.batch_norm.decay=0.5",
)


@pytest.fixture(scope="module")
def ssd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model_dir of an ssd_mobilenet_v2 that was trained with quantisation from its first step."""
    folder = tmp_path_factory.mktemp("ssd")
    records = tiny_run.make_records(folder)
    config = tiny_run.make_config(records, "tf1", folder / "pipeline.config", QUANTISED, RATE, *NORMS)
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={folder / 'model'}", "--steps=40")
    losses = [float(loss) for loss in re.findall(r"loss ([\d.]+)", said)]
    assert losses[-1] < losses[0], said
    return folder / "model"


def test_ssd_learns_its_ranges(ssd: Path) -> None:
    _run(f"""
import tensorflow as tf
reader = tf.train.load_checkpoint({str(ssd)!r})
ranges = {{name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if name.endswith("_quant/max")}}
assert len(ranges) == 2 * 72 + 11 + 2  # layers, residual additions, concatenations of predictions
assert all(value != 6 for value in ranges.values()), ranges
steps = [reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if name.endswith("/local_step")]
assert set(steps) == {{40}}
name = "FeatureExtractor/MobilenetV2/Conv/BatchNorm/moving_variance"
assert (reader.get_tensor(name) != 1).all()
""")


def test_ssd_is_evaluated_and_exported_with_its_ranges(ssd: Path, tmp_path: Path) -> None:
    tiny_run.tfod("evaluate", f"--model_dir={ssd}")
    assert (ssd / "metrics-40.json").exists()
    tiny_run.tfod("export", f"--model_dir={ssd}", f"--output={tmp_path / 'exported'}")
    _run(f"""
import tensorflow.compat.v1 as tf
graph = tf.GraphDef.FromString(open({str(tmp_path / "exported" / "frozen_inference_graph.pb")!r}, "rb").read())
types = [node.op for node in graph.node]
assert types.count("FakeQuantWithMinMaxVars") == 157 and not any("FusedBatchNorm" in kind for kind in types)
""")


def test_ssd_becomes_an_integer_model(ssd: Path, tmp_path: Path) -> None:
    # Without the operation that decodes the boxes, so that what is compared comes from the quantised layers alone.
    _run(
        f"""
import numpy as np
import tensorflow.compat.v1 as tf
from object_detection import export_tflite_ssd_graph_lib
from object_detection.utils import config_util

configs = config_util.get_configs_from_pipeline_file({str(ssd.parent / "pipeline.config")!r})
export_tflite_ssd_graph_lib.export_tflite_graph(
    config_util.create_pipeline_proto_from_configs(configs), tf.train.latest_checkpoint({str(ssd)!r}),
    {str(tmp_path)!r}, False, 10, 1)
path, images = {str(tmp_path / "tflite_graph.pb")!r}, "normalized_input_image_tensor"
results = ["raw_outputs/box_encodings", "raw_outputs/class_predictions"]
converter = tf.lite.TFLiteConverter.from_frozen_graph(path, [images], results)
converter.inference_type = tf.uint8
converter.quantized_input_stats = {{images: (128, 128)}}
interpreter = tf.lite.Interpreter(model_content=converter.convert())
interpreter.allocate_tensors()
assert {{np.dtype(tensor["dtype"]).name for tensor in interpreter.get_tensor_details()}} == {{"uint8", "int32"}}
image = np.random.default_rng(0).integers(0, 256, (1, 96, 96, 3), np.uint8)
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
interpreter.invoke()
with tf.Graph().as_default(), tf.Session() as session:
    tf.import_graph_def(tf.GraphDef.FromString(open(path, "rb").read()), name="")
    simulated = session.run([f"{{name}}:0" for name in results], {{f"{{images}}:0": image / np.float32(128) - 1}})
for name, want in zip(results, simulated):
    (to,) = [found for found in interpreter.get_output_details() if found["name"] == name]
    scale, offset = to["quantization"]
    got = (interpreter.get_tensor(to["index"]).astype(np.float32) - offset) * scale
    alike = np.corrcoef(got.ravel(), want.ravel())[0, 1]
    assert want.std() > 5 * scale and alike > 0.9, (name, alike, want.std(), scale)
"""
    )


def _run(code: str) -> None:
    child = engine_child.run("tf1", code)
    assert child.returncode == 0, child.stderr[-3000:]
