"""Records to pictures with the real engine: every stage, by its command, in both styles."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import tiny_run

pytestmark = pytest.mark.engine

# Runs a frozen graph with TensorFlow alone: neither this package nor the engine is imported.
PLAIN_SESSION = """
import sys
import numpy as np
import tensorflow.compat.v1 as tf
definition = tf.GraphDef()
definition.ParseFromString(open(sys.argv[1], "rb").read())
with tf.Graph().as_default() as graph:
    tf.import_graph_def(definition, name="")
    names = ["detection_boxes:0", "detection_scores:0", "detection_classes:0", "num_detections:0"]
    with tf.Session(graph=graph) as session:
        boxes, scores, classes, count = session.run(names, {"image_tensor:0": np.zeros([1, 60, 80, 3], np.uint8)})
assert boxes.shape[2] == 4 and scores.shape == classes.shape == boxes.shape[:2] and count.shape == (1,)
assert not {"object_detection", "tfod_tools", "tf_slim"} & set(sys.modules)
"""


@pytest.mark.parametrize("kind", ["tf1", "tf2", "faster_rcnn"])
def test_every_stage(kind: str, tmp_path: Path) -> None:
    records = tiny_run.make_records(tmp_path)
    config = tiny_run.make_config(records, kind, tmp_path / "pipeline.config")
    model, export, found = tmp_path / "model", tmp_path / "export", tmp_path / "found"

    said = tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=3")
    assert "Trained to step 3" in said
    lines = [line for line in (model / "train.log").read_text().splitlines() if "Reading record datasets for" in line]
    assert len(lines) == 1, lines
    assert "is already trained to step 3" in tiny_run.tfod(
        "train", f"--config={config}", f"--model_dir={model}", "--steps=3", expect=2
    )

    tiny_run.tfod("evaluate", f"--model_dir={model}")
    metrics = json.loads((model / "metrics-3.json").read_text())
    assert metrics["step"] == 3
    assert metrics["metrics"]["images"] == 3
    assert [entry["name"] for entry in metrics["metrics"]["per_class"]] == ["ball", "bar", "column", "tent"]

    tiny_run.tfod("export", f"--model_dir={model}", f"--output={export}")
    made = {path.name for path in export.iterdir()}
    assert {"frozen_inference_graph.pb", "saved_model", "label_map.pbtxt", "pipeline.config"} <= made
    subprocess.run([sys.executable, "-c", PLAIN_SESSION, str(export / "frozen_inference_graph.pb")], check=True)

    tiny_run.tfod("predict", f"--model={export}", f"--images={tmp_path / 'voc' / 'images'}", f"--output={found}")
    frozen = json.loads((found / "detections.json").read_text())["images"]
    assert len(frozen) == 12
    assert len(list(found.glob("*.jpg"))) == 12

    # The SavedModel finds the same as the frozen graph.
    (export / "frozen_inference_graph.pb").rename(tmp_path / "aside.pb")
    tiny_run.tfod("predict", f"--model={export}", f"--images={tmp_path / 'voc' / 'images'}", f"--output={found}")
    saved = json.loads((found / "detections.json").read_text())["images"]
    for one, other in zip(frozen, saved, strict=True):
        assert [d["score"] for d in one["detections"]] == pytest.approx(
            [d["score"] for d in other["detections"]], abs=2e-4
        )


def test_one_format_leaves_out_the_other(tmp_path: Path) -> None:
    records = tiny_run.make_records(tmp_path)
    config = tiny_run.make_config(records, "tf1", tmp_path / "pipeline.config")
    tiny_run.tfod("train", f"--config={config}", f"--model_dir={tmp_path / 'model'}", "--steps=1")
    output = tmp_path / "export"
    tiny_run.tfod("export", f"--model_dir={tmp_path / 'model'}", f"--output={output}", "--format=frozen_graph")
    assert (output / "frozen_inference_graph.pb").is_file()
    assert not (output / "saved_model").exists()


def test_predict_goes_on_after_an_unreadable_image(tmp_path: Path) -> None:
    records = tiny_run.make_records(tmp_path)
    config = tiny_run.make_config(records, "tf1", tmp_path / "pipeline.config")
    model, export, images = tmp_path / "model", tmp_path / "export", tmp_path / "voc" / "images"
    tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=1")
    tiny_run.tfod("export", f"--model_dir={model}", f"--output={export}", "--format=saved_model")
    (images / "broken.jpg").write_bytes(b"no image")
    said = tiny_run.tfod("predict", f"--model={export}", f"--images={images}", f"--output={tmp_path / 'out'}", expect=3)
    assert "broken.jpg: cannot be read as an image" in said
    assert len(json.loads((tmp_path / "out" / "detections.json").read_text())["images"]) == 12


SEEDS = Path(__file__).parents[2].parent / "shared" / "seeds"


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the posted config is not beside this checkout")
def test_a_config_that_somebody_posted_trains_and_exports(tmp_path: Path) -> None:
    # Its optimizer leaves use_moving_average at its default, true, which needs tf.contrib.
    (post,) = SEEDS.glob("001_*.txt")
    text = post.read_text()
    (tmp_path / "posted.config").write_text(text[text.index("model { ssd {") : text.index("Cluster setup")])
    records = tiny_run.make_records(tmp_path)
    config, model = tmp_path / "pipeline.config", tmp_path / "model"
    flags = [f"--from={tmp_path / 'posted.config'}", f"--records={records}", f"--output={config}"]
    tiny_run.tfod("make_config", *flags, "--set=train_config.batch_size=2")
    tiny_run.tfod("train", f"--config={config}", f"--model_dir={model}", "--steps=2")
    tiny_run.tfod("export", f"--model_dir={model}", f"--output={tmp_path / 'export'}", "--format=frozen_graph")
    subprocess.run(
        [sys.executable, "-c", PLAIN_SESSION, str(tmp_path / "export" / "frozen_inference_graph.pb")], check=True
    )
