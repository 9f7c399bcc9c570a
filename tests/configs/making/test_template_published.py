"""The values of a template are those of the config that was published, but for the few fields that are named here.

Those are in the package's `published.json`. The one beside this file has a digest of each published config, of all but
names of files, so that this holds without their texts. They are of the copies in the package picsellia-tf2 0.11.10;
centernet_resnet50_v2_512x512_coco17_tpu-8 is that of tensorflow/models at 36b06a8.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from support import assignments

from pipeline_configs.checking import nearest
from pipeline_configs.making import published, template
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config

DIGESTS = Path(__file__).with_name("published.json")
SHARED = Path(__file__).parents[3].parent / "shared"
PUBLISHED = [row.name for row in template.listing() if row.published]

# What a few templates have and the published config has not: a number of steps, without which the engine trains for
# ever, and the kind of masks that make_records writes.
ADDED = {
    "embedded_ssd_mobilenet_v1_256x256": {"train_config.num_steps"},
    "facessd_mobilenet_v2_quantized_320x320": {"train_config.num_steps"},
    "faster_rcnn_inception_resnet_v2_atrous_cosine_lr": {"train_config.num_steps"},
    "faster_rcnn_resnet101": {"train_config.num_steps"},
    "faster_rcnn_resnet101_atrous": {"train_config.num_steps"},
    "mask_rcnn_resnet101": {"train_input_reader.mask_type", "eval_input_reader[0].mask_type"},
}
# All that a template may leave out: what the data decide, the checkpoint, and what only the legacy trainer reads.
LEFT_OUT = {
    *(f"model.{architecture}.num_classes" for architecture in schema.ARCHITECTURES),
    "model.center_net.keypoint_estimation_task[0].keypoint_class_name",
    *(f"train_config.{field}" for field in ("sync_replicas", "replicas_to_aggregate", "startup_delay_steps")),
    *(f"train_config.fine_tune_checkpoint{field}" for field in ("", "_type", "_version")),
    *("train_config.from_detection_checkpoint", "train_config.load_all_detection_checkpoint_vars"),
    *(f"eval_config.{field}" for field in ("batch_size", "num_examples", "max_evals", "metrics_set")),
    *(f"eval_input_reader[0].{field}" for field in ("shuffle", "num_epochs", "sample_1_of_n_examples")),
}


def digest(config: Config) -> str:
    return hashlib.sha256(published.without_names(config).SerializeToString(deterministic=True)).hexdigest()


@pytest.mark.parametrize("name", PUBLISHED)
def test_its_values_are_the_published_ones(name: str) -> None:
    assert digest(published.read(name)) == json.loads(DIGESTS.read_text())[name]


def test_nothing_is_left_over() -> None:
    assert list(json.loads(DIGESTS.read_text())) == PUBLISHED
    assert list(json.loads(published.FILE.read_text())) == PUBLISHED


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_template_has_all_but_what_it_may_leave_out(name: str) -> None:
    there, left = (published.without_names(config) for config in (published.read(name), template.read(name)))
    fields = dict(assignments.assignments(left, there))
    assert fields.keys() == json.loads(published.FILE.read_text())[name].keys()
    assert {path for path, value in fields.items() if value is not None} <= LEFT_OUT
    assert {path for path, value in fields.items() if value is None} == ADDED.get(name, set())


def test_what_is_left_out_with_nothing_published() -> None:
    own = [name for name in template.names() if name not in PUBLISHED]
    for name in own:
        assert published.left_out(name) == LEFT_OUT
        assert published.read(name) == template.read(name)
    assert own
    assert published.left_out(PUBLISHED[0]) == frozenset()


def test_names_of_files_do_not_count() -> None:
    text = """
        train_config { fine_tune_checkpoint: "NAME" }
        train_input_reader { label_map_path: "NAME" tf_record_input_reader { input_path: "NAME" } num_epochs: 3 }
        eval_input_reader { label_map_path: "NAME" tf_record_input_reader { input_path: "NAME" } num_epochs: 4 }
        eval_config { export_path: "NAME" }
    """
    one, other = (published.without_names(schema.parse(text.replace("NAME", name))) for name in ("a", "b"))
    assert one == other
    assert one.train_config.fine_tune_checkpoint
    assert (one.train_input_reader.num_epochs, one.eval_input_reader[0].num_epochs) == (3, 4)
    nothing = published.without_names(schema.parse(""))
    assert not nothing.train_config.fine_tune_checkpoint
    assert len(nothing.eval_input_reader) == 1


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
    assert entry["steps"] == (0 if "train_config.num_steps" in ADDED.get(name, ()) else train_config.num_steps)
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
    ("file", "name", "changes", "lesser"),
    [
        (
            "faster_rcnn_inception_v2_pets.config",
            "faster_rcnn_inception_v2",
            ["train_config.load_all_detection_checkpoint_vars: false -> true"],
            [
                "model.faster_rcnn.num_classes: 90 -> 4",
                "eval_config.num_examples: 8000 -> 1101",
                "eval_config.max_evals: 10 -> unset",
            ],
        ),
        (
            "ssd_mobilenet_v2_coco.config",
            "ssd_mobilenet_v2_300x300",
            ["train_config.batch_size: 24 -> 16", "train_config.num_steps: 200000 -> 5000"],
            ["model.ssd.num_classes: 90 -> 4"],
        ),
        (
            "ssd_efficientdet_d0_512x512_coco17_tpu-8.config",
            "ssd_efficientdet_d0_512x512_keras",
            [
                "train_config.batch_size: 128 -> 16",
                "train_config.num_steps: 300000 -> 8000",
                'train_config.fine_tune_checkpoint_type: "classification" -> "detection"',
                "eval_config.batch_size: 1 -> 16",
            ],
            ["model.ssd.num_classes: 90 -> 4"],
        ),
    ],
)
def test_posted_configs_agree(file: str, name: str, changes: list[str], lesser: list[str]) -> None:
    author = "TannerGilbert__Tensorflow-Object-Detection-API-Train-Model__training"
    path = SHARED / "data" / "wild_configs" / "pipeline" / f"{author}-{file}"
    if not path.is_file():
        pytest.skip("the posted configs are not here")
    found = nearest.nearest(schema.read(path))
    assert found is not None
    assert (found.template, list(map(str, found.changes)), list(map(str, found.lesser))) == (name, changes, lesser)
