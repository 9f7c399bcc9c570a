"""What a config was made from is found, and what somebody changed in it, whether they remember or not."""

from __future__ import annotations

import pytest
from configs.strategies import configs
from hypothesis import HealthCheck, given, settings

from pipeline_configs.checking import nearest
from pipeline_configs.dataset import Dataset, Split
from pipeline_configs.making import make, published, template
from pipeline_configs.patches.difference import Change
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config

SPLIT = Split(pattern="/data/x.record", images=9000, most_boxes=3)
DATASET = Dataset(label_map_path="/data/label_map.pbtxt", num_classes=3, train=SPLIT, val=SPLIT)
ANCHORS = "model.ssd.anchor_generator.ssd_anchor_generator"


def changed(edits: dict[str, str | None], name: str = "ssd_mobilenet_v2_300x300") -> Config:
    """The config that was published for the template `name`, with `edits` made."""
    patch = ConfigPatch(edits=tuple(Edit(path=path, value=value) for path, value in edits.items()))
    return patch.apply(published.read(name))


@pytest.mark.parametrize("name", template.names())
def test_what_was_published_is_nearest_to_its_template(name: str) -> None:
    assert nearest.nearest(published.read(name)) == nearest.Resemblance(template=name, changes=[], lesser=[])


@pytest.mark.parametrize("name", template.names())
def test_a_config_that_was_made_from_a_template_is_nearest_to_it(name: str) -> None:
    found = nearest.nearest(make.make(template.read(name), make.Request(), DATASET).config)
    assert found is not None
    assert found.template == name
    assert {one.path for one in found.changes} <= {
        *("train_config.fine_tune_checkpoint", "train_config.num_steps"),
        *("eval_config.metrics_set", "eval_config.batch_size", "eval_input_reader[0].sample_1_of_n_examples"),
    }
    assert len(found.lesser) <= 9


def test_every_change_is_named() -> None:
    # Somebody said that they had changed the classes and the regularisation (datascience.stackexchange.com, 66683).
    weight = "feature_extractor.conv_hyperparams.regularizer.l2_regularizer.weight"
    found = nearest.nearest(
        changed(
            {
                "model.ssd.num_classes": "2",
                f"model.ssd.{weight}": "0.00007",
                f"{ANCHORS}.min_scale": "0.05",
                "train_config.fine_tune_checkpoint": None,
                "train_config.fine_tune_checkpoint_type": None,
                "eval_config.num_examples": "870",
                "eval_config.max_evals": None,
                "eval_input_reader[0].shuffle": "true",
                "train_input_reader.label_map_path": "elsewhere.pbtxt",
            }
        )
    )
    assert found == nearest.Resemblance(
        template="ssd_mobilenet_v2_300x300",
        changes=[
            Change(f"{ANCHORS}.min_scale", "0.2", "0.05"),
            Change(f"model.ssd.{weight}", "4e-05", "7e-05"),
            Change("train_config.fine_tune_checkpoint", '"PATH_TO_BE_CONFIGURED"', "unset"),
        ],
        lesser=[
            Change("model.ssd.num_classes", "90", "2"),
            Change("train_config.fine_tune_checkpoint_type", '"detection"', "unset"),
            Change("eval_config.num_examples", "8000", "870"),
            Change("eval_config.max_evals", "10", "unset"),
            Change("eval_input_reader[0].shuffle", "false", "true"),
        ],
    )


@pytest.mark.parametrize(
    ("edits", "changes", "lesser"),
    [
        ({f"{ANCHORS}.min_scale": None, f"{ANCHORS}.reduce_boxes_in_lowest_layer": "true"}, [], []),
        ({"eval_config.metrics_set": "coco_detection_metrics", "train_config.fine_tune_checkpoint": "other"}, [], []),
        ({"eval_config.save_graph": "false", "eval_config.max_evals": "0"}, [], ["eval_config.max_evals: 10 -> 0"]),
        ({"train_config.num_steps": None}, ["train_config.num_steps: 200000 -> unset"], []),
        ({"train_config.startup_delay_steps": "0"}, [], ["train_config.startup_delay_steps: unset -> 0.0"]),
        ({"train_config.startup_delay_steps": "15"}, [], []),
        ({"eval_config.use_moving_averages": "true"}, ["eval_config.use_moving_averages: false -> true"], []),
        ({"train_input_reader.num_epochs": "1"}, ["train_input_reader.num_epochs: unset -> 1"], []),
        ({"eval_input_reader[0].num_epochs": "1"}, [], ["eval_input_reader[0].num_epochs: unset -> 1"]),
        (
            {"eval_input_reader[1]": "{ shuffle: false num_epochs: 1 }"},
            ["eval_input_reader[1].shuffle: unset -> false", "eval_input_reader[1].num_epochs: unset -> 1"],
            [],
        ),
        (
            {"train_config.fine_tune_checkpoint_type": None},
            ['train_config.fine_tune_checkpoint_type: "detection" -> "classification"'],
            [],
        ),
        # An old way to say the same.
        (
            {"train_config.fine_tune_checkpoint_type": None, "train_config.from_detection_checkpoint": "true"},
            [],
            [],
        ),
    ],
)
def test_what_is_a_change(edits: dict[str, str | None], changes: list[str], lesser: list[str]) -> None:
    found = nearest.nearest(changed(edits))
    assert found is not None
    assert list(map(str, found.changes)) == changes
    assert list(map(str, found.lesser)) == lesser


def test_with_nothing_published_nothing_is_said_of_what_the_data_decides() -> None:
    config = make.make(template.read("ssd_mobilenet_v2_small_192x192"), make.Request(), DATASET).config
    config.eval_config.eval_interval_secs = 60
    found = nearest.nearest(config)
    assert found is not None
    assert found.template == "ssd_mobilenet_v2_small_192x192"
    assert list(map(str, found.changes)) == []
    assert list(map(str, found.lesser)) == ["eval_config.eval_interval_secs: unset -> 60"]


def test_another_extractor() -> None:
    assert nearest.nearest(schema.parse("model { ssd { feature_extractor { type: 'my_own' } } }")) is None
    assert nearest.nearest(schema.parse("")) is None


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(configs())
def test_nothing_is_changed_by_the_comparison(odd: Config) -> None:
    config = template.read("faster_rcnn_resnet50")
    config.MergeFrom(odd)
    before = schema.dump(config)
    nearest.nearest(config)
    assert schema.dump(config) == before
