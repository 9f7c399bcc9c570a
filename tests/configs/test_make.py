"""A config is made from a start, the records and what the user asks for, in this order."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline_configs.dataset import Dataset, Split
from pipeline_configs.making import make, template
from pipeline_configs.making.make import Request
from pipeline_configs.patches.difference import Change
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.schedules.run import Run
from pipeline_configs.text import rewrite, schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError, UsageError

SPLIT = Split(pattern="/data/x.record", images=8, most_boxes=3)
DATASET = Dataset(label_map_path="/data/label_map.pbtxt", num_classes=3, train=SPLIT, val=SPLIT)
MANY = Split(pattern="/data/x.record", images=1000, most_boxes=3)
OF_MANY = Dataset(label_map_path="/data/label_map.pbtxt", num_classes=20, train=MANY, val=MANY)
START = template.read("ssd_mobilenet_v2_320x320_keras")
SMALL = 'model { ssd { feature_extractor { type: "ssd_mobilenet_v2" } } }'
SMALLER = ConfigPatch(edits=(Edit.read("train_config.batch_size=4"), Edit.read("..total_steps=100")))


def made(wishes: Request, dataset: Dataset | None = DATASET) -> Config:
    return make.make(START, wishes, dataset).config


def highest(config: Config) -> float:
    rate = config.train_config.optimizer.momentum_optimizer.learning_rate.cosine_decay_learning_rate.learning_rate_base
    return float(rate)


def test_nothing_wished_is_the_data_set_alone() -> None:
    config = made(Request())
    assert (config.train_config.batch_size, config.model.ssd.num_classes) == (8, 3)
    assert highest(config) == highest(START)
    assert made(Request(), dataset=None) == START


def test_the_rate_follows_from_the_batch_of_the_start_and_not_from_that_of_few_images() -> None:
    config = made(Request(run=Run(epochs=2)))
    assert (config.train_config.batch_size, config.train_config.num_steps) == (8, 2)
    assert highest(config) == pytest.approx(highest(START) * 8 / 512)


def test_the_rate_belongs_to_the_batch_of_a_patch() -> None:
    assert highest(made(Request(patches=[SMALLER], run=Run(batch_size=8)))) == pytest.approx(highest(START) * 2)


def test_the_later_wins() -> None:
    wishes = Request(
        patches=[SMALLER],
        run=Run(steps=7),
        named={"classes": "5", "focal": "0.25,2"},
        unset=["train_config.gradient_clipping_by_norm", "train_config.data_augmentation_options[0]"],
        set=[Edit.read("model.ssd.num_classes=6"), Edit.read("train_config.num_steps=8")],
    )
    config = made(wishes)
    assert config.model.ssd.num_classes == 6
    assert config.train_config.num_steps == 8
    assert len(config.train_config.data_augmentation_options) == 1
    steps = make.make(START, wishes, DATASET).steps
    assert [step.flags for step in steps if step.flags] == [
        "--steps=7",
        "--classes=5",
        "--focal=0.25,2",
        "--unset=train_config.gradient_clipping_by_norm --unset=train_config.data_augmentation_options[0]",
    ]


def test_a_patch_may_name_what_the_data_set_brings() -> None:
    readers = ConfigPatch(edits=(Edit.read("eval_input_reader..shuffle=true"),))
    assert made(Request(patches=[readers], run=Run(steps=9))).eval_input_reader[0].shuffle


def test_a_named_edit_sees_those_before_it() -> None:
    with pytest.raises(UsageError, match="the focal loss weighs hard boxes itself"):
        made(Request(named={"focal": "0.25,2", "hard_miner": "negatives_per_positive=3"}))


def test_an_edit_that_is_not_one() -> None:
    with pytest.raises(ConfigError, match="no field 'x'"):
        made(Request(named={"classes": "2"}, set=[Edit.read("x=1")]))


def test_comments_stay_where_the_text_is_ones_own() -> None:
    text = "# Mine.\n" + schema.dump(START).replace("batch_size: 512", "batch_size: 512  # what fits")
    config = made(Request(set=[Edit.read("train_config.num_steps=9")]), dataset=None)
    assert rewrite.rewritten(text, config) == text.replace("num_steps: 50000", "num_steps: 9")


def test_edits_come_last() -> None:
    edits = [Edit(path="model.ssd.num_classes", value="7"), Edit(path="train_config.batch_size", value="64")]
    done = make.make(schema.parse(SMALL), Request(set=edits), DATASET)
    config = done.config
    assert (config.model.ssd.num_classes, config.train_config.batch_size) == (7, 64)
    assert Change("model.ssd.num_classes", "unset", "7") in done.changes
    assert done.style == "tf1"


def test_the_style_is_that_of_the_result() -> None:
    edit = Edit(path="model.ssd.feature_extractor.type", value="ssd_mobilenet_v2_keras")
    assert make.make(schema.parse(SMALL), Request(set=[edit]), DATASET).style == "tf2"


def test_an_extractor_that_does_not_exist() -> None:
    edit = Edit(path="model.ssd.feature_extractor.type", value="ssd_mobilenet")
    with pytest.raises(ConfigError, match="no extractor is called 'ssd_mobilenet'"):
        make.make(schema.parse(SMALL), Request(set=[edit]), DATASET)


WILD = Path(__file__).parents[2].parent / "shared" / "data" / "wild_configs" / "pipeline"


@pytest.mark.skipif(not WILD.is_dir(), reason="needs ../shared with configs of other people")
@pytest.mark.parametrize(
    "wishes",
    [
        Request(run=Run(batch_size=2, epochs=20)),
        Request(named={"regularizer": "l2:7e-5", "resize": "400x400", "focal": "0.25,2"}),
        Request(set=[Edit.read("train_config.data_augmentation_options+={random_adjust_hue {}}")]),
        Request(unset=["train_config.data_augmentation_options[0]"]),
    ],
)
def test_configs_of_other_people_keep_their_comments(wishes: Request) -> None:
    for path in sorted(WILD.glob("*.config")):
        text = path.read_text(encoding="utf-8")
        config = schema.parse(text)
        done = make.make(config, wishes, OF_MANY)
        new = rewrite.rewritten(text, done.config)
        assert new is not None, path.name
        assert schema.parse(new) == done.config
        comments = [line.partition("#")[2] for line in text.splitlines() if "#" in line]
        assert [line.partition("#")[2] for line in new.splitlines() if "#" in line] == comments
