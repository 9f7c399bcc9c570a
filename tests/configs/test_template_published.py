"""The values of a template are those of the config that was published, but for the data set's and a few named here.

`published.json` has a digest of each published config without those fields, so that this holds without their texts.
They are of the copies in the package picsellia-tf2 0.11.10; centernet_resnet50_v2_512x512_coco17_tpu-8 is that of
tensorflow/models at 36b06a8.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from pipeline_configs import patch, schema, template
from pipeline_configs.patch import ConfigPatch, Edit
from pipeline_configs.text_proto import Config

DIGESTS = Path(__file__).with_name("published.json")
SHARED = Path(__file__).parents[2].parent / "shared"
PUBLISHED = [row.name for row in template.listing() if row.published]

# What a data set and its records decide, and the checkpoint.
_READER = (
    *("label_map_path", "tf_record_input_reader", "input_type", "sample_1_of_n_examples"),
    *("shuffle", "num_epochs", "mask_type"),
)
_OF_DATA = (
    *(f"train_input_reader.{field}" for field in _READER),
    *(f"eval_input_reader[0].{field}" for field in _READER),
    *("eval_config.num_examples", "eval_config.max_evals", "eval_config.metrics_set", "eval_config.batch_size"),
    *("train_config.fine_tune_checkpoint", "train_config.fine_tune_checkpoint_type"),
    *("train_config.fine_tune_checkpoint_version", "train_config.from_detection_checkpoint"),
    "train_config.load_all_detection_checkpoint_vars",
)
# What only the engine's legacy trainer reads, of which check_config would warn.
_OF_LEGACY = ("train_config.sync_replicas", "train_config.replicas_to_aggregate", "train_config.startup_delay_steps")
_OF_ARCHITECTURE = {
    "ssd": ("model.ssd.num_classes",),
    "faster_rcnn": ("model.faster_rcnn.num_classes",),
    "center_net": ("model.center_net.num_classes", "model.center_net.keypoint_label_map_path"),
}
_KEYPOINTS = ("model.center_net.keypoint_estimation_task[0].keypoint_class_name",)
# Published without a number of steps; the engine would train for ever.
_STEPS = dict.fromkeys(
    (
        *("embedded_ssd_mobilenet_v1_256x256", "facessd_mobilenet_v2_quantized_320x320"),
        *("faster_rcnn_inception_resnet_v2_atrous_cosine_lr", "faster_rcnn_resnet101", "faster_rcnn_resnet101_atrous"),
    ),
    ("train_config.num_steps",),
)


def compared(config: Config, name: str) -> Config:
    """`config` without what may differ in the template `name`."""
    paths = [*_OF_DATA, *_OF_LEGACY, *_OF_ARCHITECTURE[schema.architecture(config)], *_STEPS.get(name, ())]
    if config.model.center_net.keypoint_estimation_task:
        paths += _KEYPOINTS
    if not config.eval_input_reader:
        config.eval_input_reader.add()
    # A message that is set and empty says no more than one that is not there.
    for message in (config.train_input_reader, config.eval_config, config.train_config):
        message.SetInParent()
    return ConfigPatch(edits=tuple(Edit(path=path, value=None) for path in paths)).apply(config)


def digest(config: Config, name: str) -> str:
    return hashlib.sha256(compared(config, name).SerializeToString(deterministic=True)).hexdigest()


@pytest.mark.parametrize("name", PUBLISHED)
def test_its_values_are_the_published_ones(name: str) -> None:
    assert digest(template.read(name), name) == json.loads(DIGESTS.read_text())[name]


def test_no_digest_is_left_over() -> None:
    assert list(json.loads(DIGESTS.read_text())) == PUBLISHED


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_summary_that_others_made_agrees(name: str) -> None:
    summaries = SHARED / "reference" / "sample_configs.json"
    if not summaries.is_file():
        pytest.skip("the summaries of the published configs are not here")
    row, config = template.listed(name), template.read(name)
    folder, _, file = row.published.rpartition("/")
    found = [entry for entry in json.loads(summaries.read_text()) if (entry["dir"], entry["config"]) == (folder, file)]
    if not found:
        pytest.skip("it is not among the summaries")
    train_config = config.train_config
    optimizer = train_config.optimizer.WhichOneof("optimizer")
    rate = getattr(train_config.optimizer, optimizer).learning_rate
    schedule = rate.WhichOneof("learning_rate")
    (entry,) = found
    assert entry["fe"] == getattr(config.model, entry["arch"]).feature_extractor.type
    assert entry["batch"] == train_config.batch_size
    assert entry["steps"] == (0 if name in _STEPS else train_config.num_steps)
    assert f"{entry['opt']}_optimizer" == optimizer
    assert f"{entry['sched']}_learning_rate" == schedule
    assert entry["aug"] == [step.WhichOneof("preprocessing_step") for step in train_config.data_augmentation_options]
    assert entry["q"] == config.HasField("graph_rewriter")
    if entry["warm"]:
        cosine = rate.cosine_decay_learning_rate
        assert entry["warm"] == [
            cosine.warmup_steps,
            pytest.approx(cosine.warmup_learning_rate, rel=0.01),
        ]  # it was rounded


# Posted configs that were made from published ones, and all that their authors changed beside the data set.
@pytest.mark.parametrize(
    ("file", "name", "changes"),
    [
        (
            "TannerGilbert__Tensorflow-Object-Detection-API-Train-Model__training-faster_rcnn_inception_v2_pets.config",
            "faster_rcnn_inception_v2",
            [],
        ),
        (
            "TannerGilbert__Tensorflow-Object-Detection-API-Train-Model__training-ssd_mobilenet_v2_coco.config",
            "ssd_mobilenet_v2_300x300",
            ["train_config.batch_size: 24 -> 16", "train_config.num_steps: 200000 -> 5000"],
        ),
        (
            "TannerGilbert__Tensorflow-Object-Detection-API-Train-Model__training-ssd_efficientdet_d0_512x512_coco17_tpu-8"
            ".config",
            "ssd_efficientdet_d0_512x512_keras",
            ["train_config.batch_size: 128 -> 16", "train_config.num_steps: 300000 -> 8000"],
        ),
    ],
)
def test_posted_configs_agree(file: str, name: str, changes: list[str]) -> None:
    path = SHARED / "data" / "wild_configs" / "pipeline" / file
    if not path.is_file():
        pytest.skip("the posted configs are not here")
    assert patch.diff(compared(template.read(name), name), compared(schema.read(path), name)) == changes
