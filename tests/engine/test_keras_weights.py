"""VGG-16 weights in the formats of Keras go into SSD300, and are where training starts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import engine_code, ssd_vgg16, tiny_run

pytestmark = pytest.mark.engine

WEIGHTS = (
    ssd_vgg16.BUILD
    + """
import os, pathlib
import h5py, tf_keras

folder = pathlib.Path(sys.argv[2])
random = np.random.default_rng(0)

def saved(network, name, save="save_weights"):
    # Biases too: a new network's are all zero.
    network.set_weights([random.normal(0, 0.05, weight.shape) for weight in network.get_weights()])
    if save:
        getattr(network, save)(str(folder / name))
    else:
        network.set_weights(list(np.load(folder / "three.npz").values()))  # the file is there
    return network

def loaded(name, **fields):
    model = built(**fields)
    model.feature_extractor.build([None, None, None, 3])
    model.feature_extractor.load_keras_weights(str(folder / name))
    return model.feature_extractor

def reduced(name, without=()):
    shapes = {layer.name: [w.shape for w in layer.weights] for layer in base.layers if layer.weights}
    weights = {}
    with h5py.File(folder / name, "w") as file:
        for layer in shapes:
            theirs = layer.replace("block", "conv").replace("_conv", "_")
            if theirs in without:
                continue
            weights[layer] = [random.normal(0, 0.05, shape).astype(np.float32) for shape in shapes[layer]]
            group = file.create_group(theirs)
            for kind, value in zip("Wb", weights[layer]):
                group[f"{theirs}_{kind}_1:0"] = value
            group.attrs["weight_names"] = [f"{theirs}_{kind}_1:0".encode() for kind in "Wb"]
        file.create_group("pool1").attrs["weight_names"] = np.array([], "S1")
        file.attrs["layer_names"] = [b"pool1", *(name.encode() for name in file if name != "pool1")]
    return weights

pixels = random.uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
differences = {}
VGG16 = tf_keras.applications.VGG16
for name, network, save in (
    ("legacy.h5", VGG16(weights=None, include_top=False), "save_weights"),
    ("two.weights.h5", VGG16(weights=None, include_top=False), "save_weights"),
    ("whole.h5", VGG16(weights=None, include_top=False), "save"),
    ("top.h5", VGG16(weights=None, input_shape=(32, 32, 3), classes=10), "save_weights"),
    ("three.weights.h5", VGG16(weights=None, include_top=False), None),
    ("whole_three.h5", VGG16(weights=None, include_top=False), None),
):
    saved(network, name, save)
    extractor = loaded(name)
    names = [layer.name for layer in network.layers if layer.name.startswith("block") and layer.name != "block5_pool"]
    assert len(names) == 17
    if name == "top.h5":
        top, network = network, VGG16(weights=None, include_top=False)
        network.set_weights(top.get_weights()[: len(network.weights)])
    base = extractor.classification_backbone
    theirs = tf_keras.Model(network.input, [network.get_layer(n).output for n in names])
    ours = tf_keras.Model(base.input, [base.get_layer(n).output for n in names])
    expected = theirs(tf_keras.applications.vgg16.preprocess_input(pixels.copy()))
    found = ours(extractor.preprocess(tf.constant(pixels)))
    differences[name] = {
        n: float(np.max(np.abs(one - other)) / np.max(np.abs(other)))
        for n, one, other in zip(names, (f.numpy() for f in found), (e.numpy() for e in expected))
    }
    (folder / name).unlink()

weights = reduced("reduced.h5")
base_of_reduced = loaded("reduced.h5").classification_backbone
equal = {
    name: all(np.array_equal(one, other) for one, other in zip(base_of_reduced.get_layer(name).get_weights(), values))
    for name, values in weights.items()
}
saved(tf_keras.applications.VGG19(weights=None, include_top=False), "vgg19.h5")
saved(tf_keras.applications.VGG19(weights=None, include_top=False), "vgg19.weights.h5")
saved(tf_keras.applications.MobileNet(weights=None, include_top=False, alpha=0.25), "mobilenet.h5")
reduced("no_fc7.h5", without=["fc7"])
reduced("no_conv5_3.h5", without=["conv5_3"])
(folder / "text.h5").write_text("no HDF5")
h5py.File(folder / "empty.h5", "w").close()
files = [
    "vgg19.h5", "vgg19.weights.h5", "mobilenet.h5", "no_fc7.h5", "no_conv5_3.h5", "text.h5", "empty.h5", "none.h5",
]
refused = {name: said(loaded, name) for name in files}
refused["narrow"] = said(loaded, "reduced.h5", depth_multiplier=0.5)
json.dump({"differences": differences, "equal": equal, "refused": refused}, open(sys.argv[3], "w"))
"""
)


# Keras 3, in a process without the shims, which put Keras 2 in its place.
THREE = """
import pathlib, sys
import keras
import numpy as np
network = keras.applications.VGG16(weights=None, include_top=False)
random = np.random.default_rng(3)
weights = [random.normal(0, 0.05, weight.shape) for weight in network.get_weights()]
network.set_weights(weights)
folder = pathlib.Path(sys.argv[1])
network.save_weights(folder / "three.weights.h5")
network.save(folder / "whole_three.h5")
np.savez(folder / "three.npz", *weights)
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    folder = tmp_path_factory.mktemp("weights")
    (folder / "files").mkdir()
    subprocess.run([sys.executable, "-c", THREE, str(folder / "files")], check=True, capture_output=True)
    engine_code.printed(
        "tf2", WEIGHTS, str(ssd_vgg16.config(folder)), str(folder / "files"), str(folder / "weights.json")
    )
    found = dict(json.loads((folder / "weights.json").read_text()))
    shutil.rmtree(folder / "files")  # hundreds of megabytes
    return found


def test_every_layer_of_vgg_16_gives_what_keras_gives(weights: dict[str, dict[str, dict[str, float]]]) -> None:
    assert len(weights["differences"]) == 6
    for differences in weights["differences"].values():
        assert len(differences) == 17
        assert max(differences.values()) < 1e-5


def test_the_fully_convolutional_form_is_loaded_with_fc6_and_fc7(weights: dict[str, dict[str, object]]) -> None:
    assert len(weights["equal"]) == 15
    assert all(weights["equal"].values())


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("vgg19.h5", "vgg19.h5: holds block3_conv4, block4_conv4, block5_conv4, but VGG-16 has no such layer."),
        (
            "vgg19.weights.h5",
            "layer conv2d_7 has the shapes [[3, 3, 256, 256], [256]], but the model needs [[3, 3, 256,",
        ),
        ("mobilenet.h5", "mobilenet.h5: holds no layer block1_conv1. Its layers: conv1, conv1_bn,"),
        ("no_fc7.h5", "no_fc7.h5: holds no layer fc7. Its layers: conv1_1, conv1_2,"),
        ("no_conv5_3.h5", "no_conv5_3.h5: holds no layer block5_conv3. Its layers: conv1_1,"),
        ("text.h5", "text.h5: is not a file of Keras weights. Pass one that save_weights('x.h5') wrote."),
        ("empty.h5", "empty.h5: is not a file of Keras weights. Pass one that save_weights('x.h5') wrote."),
        ("none.h5", "none.h5: cannot be read as a file of Keras weights. Check the path."),
        (
            "narrow",
            "its layer conv1_1 has the shapes [[3, 3, 3, 64], [64]], but the model needs [[3, 3, 3, 32], [32]].",
        ),
    ],
)
def test_a_file_that_does_not_fit(file: str, said: str, weights: dict[str, dict[str, str]]) -> None:
    found = weights["refused"][file]
    assert found.startswith("CheckpointError: ")
    assert said in found
    assert "\n" not in found


# A new VGG-16; and how many of its weights a checkpoint has, with the largest difference.
SAVE = """
import sys
import tf_keras
tf_keras.utils.set_random_seed(1)
tf_keras.applications.VGG16(weights=None, include_top=False).save_weights(sys.argv[1])
"""
COMPARE = """
import json, sys
import numpy as np
import tensorflow as tf
from tfod_tools.engine.training import keras_weights
reader = tf.train.load_checkpoint(sys.argv[1])
learned = [reader.get_tensor(name) for name, shape in reader.get_variable_to_shape_map().items()
           if name.startswith("model/_feature_extractor/classification_backbone") and ".OPTIMIZER" not in name]
kernels = {kernel.shape: [] for kernel in learned}
for kernel in learned:
    kernels[kernel.shape].append(kernel)
differences = [
    min(float(np.max(np.abs(value - one))) for one in kernels[value.shape])
    for layer in keras_weights.read(sys.argv[2]).values() for value in layer
]
print(json.dumps([len(differences), max(differences)]))
"""


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.make_records(tmp_path_factory.mktemp("data"), images=8)


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Path]:
    """A folder for hundreds of megabytes, which are not kept."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def test_ssd300_trains_from_a_keras_file_evaluates_and_exports(records: Path, space: Path) -> None:
    start, config, model = space / "vgg16.h5", space / "pipeline.config", space / "model"
    engine_code.printed("tf2", SAVE, str(start))
    edits = (
        f"train_config.fine_tune_checkpoint={start}",
        "train_config.batch_size=1",
        "train_config.gradient_clipping_by_norm=1.0",  # at a rate of 0.001: no weight moves by more in one step
    )
    made = [f"--template={ssd_vgg16.TEMPLATE}", f"--records={records}", f"--output={config}"]
    tiny_run.tfod("make_config", *made, *(f"--set={edit}" for edit in edits))
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=1")
    assert "Trained to step 1" in said
    assert f"Loaded 13 layers from {start}: block1_conv1," in (model / "train.log").read_text()
    tensors, difference = json.loads(engine_code.printed("tf2", COMPARE, str(model / "ckpt-2"), str(start))[-1])
    assert tensors == 26
    assert 0 < difference < 0.0011

    tiny_run.tfod("evaluate", f"--model_dir={model}")
    assert json.loads((model / "metrics-1.json").read_text())["metrics"]["images"] == 2
    tiny_run.tfod("export", f"--model_dir={model}", f"--output={space / 'export'}")
    images = f"--images={records.parent / 'voc' / 'images'}"
    tiny_run.tfod("predict", f"--model={space / 'export'}", images, f"--output={space / 'found'}")
    assert len(json.loads((space / "found" / "detections.json").read_text())["images"]) == 8


def test_a_keras_file_in_the_wrong_place_is_told_so_in_one_line(records: Path, tmp_path: Path) -> None:
    config, model = tmp_path / "pipeline.config", tmp_path / "model"
    (tmp_path / "any.h5").touch()
    start = f"train_config.fine_tune_checkpoint={tmp_path / 'any.h5'}"
    tiny_run.make_config(records, "tf2", config, start, "train_config.fine_tune_checkpoint_type=classification")
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=1", expect=2)
    assert said.splitlines()[-1] == (
        f"{tmp_path / 'any.h5'}: is a Keras file, but SSDMobileNetV2KerasFeatureExtractor cannot read Keras files. Pass"
        " the prefix of a TF2 checkpoint."
    )
    tiny_run.make_config(records, "tf2", config, start, "train_config.fine_tune_checkpoint_type=detection")
    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=1", expect=2)
    assert "fine_tune_checkpoint_type is 'detection'. Set it to 'classification'." in said
