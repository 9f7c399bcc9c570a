"""Each shim is needed by the engine's call that it names: that call works with all shims and fails without that one."""

import functools
import importlib.metadata
import io
import json
import re
from pathlib import Path

import pytest
from packaging.version import Version
from PIL import Image
from support import engine_child

from tfod_tools.base import plugins
from tfod_tools.engine import shims

pytestmark = pytest.mark.engine

DECODE = """
import tensorflow as tf
from object_detection.data_decoders import tf_example_decoder
example = tf.train.Example()
example.features.feature["image/encoded"].bytes_list.value.append(ENCODED)
decoded = tf_example_decoder.TfExampleDecoder().decode(tf.constant(example.SerializeToString()))
assert decoded["image"].shape[-1] == 3
"""


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG")
    return buffer.getvalue()


DRAW_A_BOX = """
import numpy as np
from object_detection.utils import visualization_utils
image = np.zeros([40, 40, 3], np.uint8)
visualization_utils.draw_bounding_box_on_image_array(image, .1, .1, .9, .9, display_str_list=["one"])
assert image.any()
"""
PASCAL_METRIC = """
import numpy as np
from object_detection.utils import metrics
precision, recall = metrics.compute_precision_recall(np.array([.9, .1]), np.array([1., 0.]), 1)
assert metrics.compute_average_precision(precision, recall) == 1.0
assert np.isnan(metrics.compute_average_precision(None, None))  # a class without ground truth
"""
FIGURE = """
import numpy as np, tensorflow.compat.v1 as tf
from object_detection.utils import visualization_utils
with tf.Graph().as_default(), tf.Session() as session:
    visualization_utils.add_cdf_image_summary(tf.linspace(0., 1., 9), "cdf")
    visualization_utils.add_hist_image_summary(tf.linspace(0., 1., 9), [0., .5, 1.], "histogram")
    for summary in session.run(tf.get_collection(tf.GraphKeys.SUMMARIES)):
        image = tf.Summary.FromString(summary).value[0].image
        drawn = session.run(tf.io.decode_png(image.encoded_image_string))
        assert drawn.shape[2] == 3 and drawn.min() < 50 and drawn[0, 0].min() == 255
"""
SEQUENCE_EXAMPLE = """
import numpy as np
from object_detection.dataset_tools import seq_example_util
example = seq_example_util.make_sequence_example(
    "set", "video", [b"one", b"two"], 48, 64, bboxes=[np.array([[.1, .2, .3, .4]]), np.zeros([0, 4])],
    label_strings=[["a"], []])
tops = [list(frame.float_list.value) for frame in example.feature_lists.feature_list["region/bbox/ymin"].feature]
assert tops == [[np.float32(.1)], []]
"""
KERAS_EXTRACTOR = """
from object_detection.models import ssd_mobilenet_v2_keras_feature_extractor as extractor
from object_detection.builders import hyperparams_builder
from object_detection.protos import hyperparams_pb2
from google.protobuf import text_format
proto = text_format.Parse("regularizer { l2_regularizer {} } initializer { truncated_normal_initializer {} }",
                          hyperparams_pb2.Hyperparams())
model = extractor.SSDMobileNetV2KerasFeatureExtractor(
    is_training=False, depth_multiplier=0.35, min_depth=16, pad_to_multiple=1,
    conv_hyperparams=hyperparams_builder.KerasLayerHyperparams(proto), freeze_batchnorm=False,
    inplace_batchnorm_update=False)
import tensorflow as tf
maps = model(tf.zeros([1, 96, 96, 3]))
assert len(maps) == 6
"""
KERAS_RESNET = """
from object_detection.models.keras_models import resnet_v1
import tensorflow as tf
assert resnet_v1.resnet_v1_18(weights=None, include_top=False)(tf.zeros([1, 64, 64, 3])).shape[-1] == 512
"""
EFFICIENTNET = """
import tensorflow as tf
from official.legacy.image_classification.efficientnet import efficientnet_model
network = efficientnet_model.EfficientNet.from_name("efficientnet-b0", overrides={"rescale_input": False})
# As ssd_efficientnet_bifpn_feature_extractor does.
tf.keras.Model(inputs=network.inputs, outputs=network.get_layer("stack_1/block_1/add").output)
"""
LEARNING_PHASE = """
import tensorflow.compat.v1 as tf
tf.keras.backend.set_learning_phase(True)  # as model_lib.model_fn does
"""
SLIM_EXTRACTOR = """
import tensorflow.compat.v1 as tf, tf_slim as slim
from nets.mobilenet import mobilenet_v2
logits, _ = mobilenet_v2.mobilenet(tf.zeros([1, 96, 96, 3]), depth_multiplier=0.35, num_classes=3)
assert logits.shape[-1] == 3
"""
EMBEDDING = """
import tempfile, tensorflow as tf
from object_detection.dataset_tools.context_rcnn import generate_embedding_data

class Model(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def detect(self, examples):
        return {"detection_features": tf.ones([1, 2, 1, 1, 4]), "detection_boxes": tf.ones([1, 2, 4]),
                "detection_scores": tf.constant([[.75, .25]]), "num_detections": tf.constant([2.])}

folder, model = tempfile.mkdtemp(), Model()
tf.saved_model.save(model, folder, signatures={"serving_default": model.detect})
embedding = generate_embedding_data.GenerateEmbeddingDataFn(folder, top_k_embedding_count=2, bottom_k_embedding_count=0)
embedding.setup()
((_, example),) = embedding.process(("key", tf.train.Example().SerializeToString()))
assert list(example.features.feature["image/embedding_score"].float_list.value) == [.75, .25]
"""
STYLE = """
from object_detection.builders import model_builder
assert "ssd_mobilenet_v2" in model_builder.SSD_FEATURE_EXTRACTOR_CLASS_MAP
"""

NEEDED_BY = {
    ("tf1", "tf1_behavior"): STYLE,
    ("tf1", "legacy_keras"): LEARNING_PHASE,
    ("tf1", "numpy_aliases"): PASCAL_METRIC,
    ("tf1", "pillow_fonts"): DRAW_A_BOX,
    ("tf1", "slim_ops"): DECODE.replace("ENCODED", repr(_png())),
    ("tf1", "contrib"): "from object_detection.builders import matcher_builder",
    ("tf1", "graph_transforms"): "from object_detection import export_tflite_ssd_graph_lib",
    ("tf1", "keras_layers"): SLIM_EXTRACTOR,
    ("tf1", "estimator"): "from object_detection import model_lib",
    ("tf1", "figure_pixels"): FIGURE,
    ("tf1", "sequence_examples"): SEQUENCE_EXAMPLE,
    ("tf2", "legacy_keras"): KERAS_EXTRACTOR + EFFICIENTNET,
    ("tf2", "numpy_aliases"): PASCAL_METRIC,
    ("tf2", "pillow_fonts"): DRAW_A_BOX,
    ("tf2", "slim_ops"): DECODE.replace("ENCODED", repr(_png())),
    ("tf2", "contrib"): "from object_detection.utils import autoaugment_utils as a\na.contrib_training.HParams(x=1)",
    ("tf2", "keras_package"): KERAS_RESNET,
    ("tf2", "tensorflow_io"): "from object_detection.meta_architectures import deepmac_meta_arch",
    ("tf2", "estimator"): "from object_detection import model_lib_v2",
    ("tf2", "figure_pixels"): FIGURE,
    ("tf2", "sequence_examples"): SEQUENCE_EXAMPLE,
    ("tf2", "eager_int"): EMBEDDING,
}


def test_every_shim_has_a_reason() -> None:
    assert set(NEEDED_BY) == {(style, name) for style in ("tf1", "tf2") for name in shims.names(style)}


def test_every_shim_file_is_applied() -> None:
    found = plugins.names(Path(shims.__file__).parent)
    assert set(found) == set(shims.names("tf1")) | set(shims.names("tf2"))


@pytest.mark.parametrize("style", ["tf1", "tf2"])
def test_with_all_shims_the_engine_works(style: str) -> None:
    code = "\n".join(dict.fromkeys(code for (s, _), code in NEEDED_BY.items() if s == style))
    child = engine_child.run(style, code)
    assert child.returncode == 0, child.stderr[-3000:]


@pytest.mark.parametrize("style", ["tf1", "tf2"])
def test_a_second_time_they_change_nothing(style: str) -> None:
    code = NEEDED_BY[style, "contrib"]
    child = engine_child.run(style, f"{code}\nshims.apply({style!r})\n{code}")
    assert child.returncode == 0, child.stderr[-3000:]


@functools.cache
def reasons(style: str) -> dict[str, str | None]:
    """Why each shim of a style is needed with the packages that are installed; None for one that is not."""
    code = f"import json\nfrom tfod_tools.engine import shims\nprint(json.dumps(dict(shims.applying({style!r}))))"
    child = engine_child.run(style, code, without=shims.names(style))
    assert child.returncode == 0, child.stderr[-3000:]
    return json.loads(child.stdout.splitlines()[-1])


@pytest.mark.parametrize(("style", "name"), NEEDED_BY, ids=["-".join(key) for key in NEEDED_BY])
def test_without_a_shim_the_engine_fails(style: str, name: str) -> None:
    child = engine_child.run(style, NEEDED_BY[style, name], without=[name])
    if reasons(style)[name]:
        assert child.returncode != 0, f"works without, and {name} says: {reasons(style)[name]}"
    else:
        assert child.returncode == 0, f"{name} says it is not needed\n{child.stderr[-3000:]}"


@pytest.mark.parametrize(("style", "name"), NEEDED_BY, ids=["-".join(key) for key in NEEDED_BY])
def test_a_shim_is_needed_only_on_the_versions_that_it_names(style: str, name: str) -> None:
    package, version = re.match(r"([\w-]+) >= ([\d.]+)", shims.load(name).NEEDED_ON).groups()
    if reasons(style)[name]:
        assert Version(importlib.metadata.version(package)) >= Version(version)


@pytest.mark.parametrize("style", ["tf1", "tf2"])
def test_bipartite_match_takes_the_closest_pair_first(style: str) -> None:
    code = """
import itertools, numpy as np, tensorflow.compat.v1 as tf
from tensorflow.contrib.image.python.ops import image_ops
rng = np.random.default_rng(0)
for rows, columns, valid in [(3, 5, 3), (5, 3, 4), (4, 4, 0), (1, 1, 1)]:
    distance = rng.random((rows, columns), np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        matched = image_ops.bipartite_match(distance, num_valid_rows=valid)
        got_rows, got_columns = session.run(matched)
    want_rows, want_columns = [-1] * rows, [-1] * columns
    for r, c in sorted(itertools.product(range(valid), range(columns)), key=lambda at: distance[at]):
        if want_rows[r] == want_columns[c] == -1:
            want_rows[r], want_columns[c] = c, r
    assert got_rows.tolist() == want_rows and got_columns.tolist() == want_columns
"""
    child = engine_child.run(style, code)
    assert child.returncode == 0, child.stderr[-3000:]


def test_moving_average_optimizer_keeps_the_average() -> None:
    code = """
import tensorflow.compat.v1 as tf
from tensorflow.contrib import opt
weight = tf.get_variable("w", initializer=8.0)
train = opt.MovingAverageOptimizer(tf.train.GradientDescentOptimizer(1.0), average_decay=0.75)
step = train.minimize(weight, global_step=tf.train.get_or_create_global_step())
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(step); session.run(step)
    average = [v for v in tf.global_variables() if v.op.name == "w/ExponentialMovingAverage"][0]
    assert session.run(weight) == 6.0
    assert abs(session.run(average) - (0.75 * (0.75 * 8 + 0.25 * 7) + 0.25 * 6)) < 1e-6
"""
    child = engine_child.run("tf1", code)
    assert child.returncode == 0, child.stderr[-3000:]


def test_rgb_to_lab_of_known_colours() -> None:
    # L*a*b* (D65) of the sRGB primaries and white, as published by http://www.brucelindbloom.com
    code = """
import numpy as np, tensorflow as tf, tensorflow_io as tfio
rgb = tf.constant([[1., 1., 1.], [1., 0., 0.], [0., 1., 0.], [0., 0., 1.], [0., 0., 0.]])
lab = tfio.experimental.color.rgb_to_lab(rgb).numpy()
want = [[100, 0, 0], [53.24, 80.09, 67.20], [87.73, -86.18, 83.18], [32.30, 79.19, -107.86], [0, 0, 0]]
np.testing.assert_allclose(lab, want, atol=0.05)
"""
    child = engine_child.run("tf2", code)
    assert child.returncode == 0, child.stderr[-3000:]


def test_autoaugment_geometry_moves_pixels_the_right_way() -> None:
    code = """
import numpy as np, tensorflow as tf
from tensorflow.contrib import image as contrib_image
picture = np.arange(25, dtype=np.uint8).reshape(5, 5, 1)
moved = contrib_image.translate(picture, [1, 0]).numpy()
assert (moved[:, 1:] == picture[:, :-1]).all() and not moved[:, 0].any()
turned = contrib_image.rotate(picture, np.pi / 2).numpy()
assert (turned[..., 0] == np.rot90(picture[..., 0])).all()
"""
    child = engine_child.run("tf2", code)
    assert child.returncode == 0, child.stderr[-3000:]
