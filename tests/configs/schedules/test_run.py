"""Batch size, GPUs, length and learning rate change together."""

from __future__ import annotations

import pytest

from pipeline_configs.dataset import Split
from pipeline_configs.making import template
from pipeline_configs.patches.patch import ConfigPatch
from pipeline_configs.schedules import run, schedule
from pipeline_configs.schedules.checkpoints import default_checkpoint_every
from pipeline_configs.schedules.run import Run
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import UsageError

TRAIN = Split(pattern="x", images=1000, most_boxes=9)
COSINE = template.read("ssd_mobilenet_v2_320x320_keras")


def start(rate: str, steps: int = 1000, batch: int = 32) -> Config:
    learning_rate = f"momentum_optimizer {{ learning_rate {{ {rate} }} }}"
    text = f"train_config {{ num_steps: {steps} batch_size: {batch} optimizer {{ {learning_rate} }} }}"
    return schema.parse(text)


STAIRS = start(
    "exponential_decay_learning_rate { initial_learning_rate: 0.4 decay_steps: 100 burnin_steps: 10"
    " burnin_learning_rate: 0.2 min_learning_rate: 0.1 }"
)
MANUAL = start(
    "manual_step_learning_rate { initial_learning_rate: 0.4 schedule { step: 10 learning_rate: 0.8 }"
    " schedule { step: 500 learning_rate: 0.08 } schedule { step: 501 learning_rate: 0.008 } }"
)
CUT_SHORT = start(
    "manual_step_learning_rate { initial_learning_rate: 0.4 schedule { step: 900000 learning_rate: 0.04 }"
    " schedule { step: 1200000 learning_rate: 0.004 } }",
    steps=200000,
)
CONSTANT = start("constant_learning_rate { learning_rate: 0.4 }")


def sized(config: Config, train: Split | None = TRAIN, style: str = "tf2", **wishes: float) -> list[str]:
    """The edits, without the beginning that their paths share."""
    made = run.sized(Run(**wishes), config, style, train)  # type: ignore[arg-type]
    ConfigPatch(edits=made.edits).apply(config)
    found = schedule.of(config)
    return [
        str(edit).removeprefix(f"{found.path}." if found else "").removeprefix("train_config.") for edit in made.edits
    ]


@pytest.mark.parametrize(
    ("config", "wishes", "edits"),
    [
        (CONSTANT, {"batch_size": 32}, []),
        (CONSTANT, {"batch_size": 8}, ["batch_size=8", "learning_rate=0.1"]),
        (CONSTANT, {"gpus": 2}, ["batch_size=64", "learning_rate=0.8"]),
        (CONSTANT, {"batch_size": 8, "gpus": 4}, []),
        (CONSTANT, {"batch_size": 8, "lr": 0.3}, ["batch_size=8", "learning_rate=0.3"]),
        (CONSTANT, {"lr": 0.3}, ["learning_rate=0.3"]),
        (CONSTANT, {"steps": 10}, ["num_steps=10"]),
        (CONSTANT, {"epochs": 3}, ["num_steps=94"]),
        (CONSTANT, {"epochs": 0.5, "batch_size": 10}, ["batch_size=10", "num_steps=50", "learning_rate=0.125"]),
        (
            STAIRS,
            {"batch_size": 16, "steps": 500},
            [
                *("batch_size=16", "num_steps=500"),
                *("initial_learning_rate=0.2", "burnin_learning_rate=0.1", "min_learning_rate=0.05"),
                *("decay_steps=50", "burnin_steps=5"),
            ],
        ),
        (STAIRS, {"steps": 1}, ["num_steps=1", "decay_steps=1", "burnin_steps=0"]),
        (
            MANUAL,
            {"lr": 0.08, "steps": 100},
            [
                *("num_steps=100", "initial_learning_rate=0.04", "schedule[0].learning_rate=0.08"),
                *("schedule[1].learning_rate=0.008", "schedule[2].learning_rate=0.0008"),
                *("schedule[0].step=1", "schedule[1].step=50", "schedule[2].step=51"),
            ],
        ),
        (
            CUT_SHORT,
            {"steps": 9000},
            ["num_steps=9000", "schedule[0].step=6000", "schedule[1].step=8000"],
        ),
        (CUT_SHORT, {"lr": 0.4}, []),
        (
            COSINE,
            {"batch_size": 8, "steps": 5000},
            [
                *("batch_size=8", "num_steps=5000", "learning_rate_base=0.0125", "warmup_learning_rate=0.00208328"),
                *("total_steps=5000", "warmup_steps=200"),
            ],
        ),
        (
            start("cosine_decay_learning_rate { }", steps=0),
            {"steps": 4000},
            ["num_steps=4000", "total_steps=4000", "warmup_steps=10"],
        ),
    ],
)
def test_edits(config: Config, wishes: dict[str, float], edits: list[str]) -> None:
    assert sized(config, **wishes) == edits


def test_a_schedule_in_proportion_has_the_same_shape() -> None:
    made = ConfigPatch(edits=run.sized(Run(batch_size=16, steps=500), STAIRS, "tf2").edits).apply(STAIRS)
    before, after = schedule.of(STAIRS), schedule.of(made)
    assert before and after
    for step in range(500):
        assert after.rate_at(step) == pytest.approx(before.rate_at(2 * step) / 2)


def test_the_reason_is_given() -> None:
    assert run.sized(Run(batch_size=8), COSINE, "tf2").reason == (
        "The highest learning rate changes from 0.8 to 0.0125, in proportion to the batch size, which changes from 512"
        " to 8. Use --lr to set another rate."
    )
    assert run.sized(Run(steps=8), COSINE, "tf2").reason == ""
    assert (
        run.sized(Run(steps=8), CUT_SHORT, "tf2").reason
        == "All decays came after the end of the run. Now the last one is at 8/9 of the run."
    )


def test_fewer_images_than_the_batch() -> None:
    few = Split(pattern="x", images=8, most_boxes=9)
    assert sized(CONSTANT, few, epochs=2) == ["batch_size=8", "num_steps=2", "learning_rate=0.1"]
    with pytest.raises(
        UsageError, match="one step takes 16 images on all GPUs together, but there are only 8 to train on"
    ):
        sized(CONSTANT, few, batch_size=16)


@pytest.mark.parametrize(
    ("split", "edits"),
    [
        (Split(pattern="x", images=2048, most_boxes=1, shards=100, bytes=10**9), []),
        (Split(pattern="x", images=5000, most_boxes=1, shards=3, bytes=10**8), ["shuffle_buffer_size=5000"]),
        (Split(pattern="x", images=16000, most_boxes=1, shards=3, bytes=1024 * 10**6), ["shuffle_buffer_size=8000"]),
        (Split(pattern="x", images=5000, most_boxes=1, shards=3, bytes=10**10), []),
        (Split(pattern="x", images=100, most_boxes=1, shards=101, bytes=1), ["filenames_shuffle_buffer_size=101"]),
    ],
)
def test_buffers_are_sized_from_the_records(split: Split, edits: list[str]) -> None:
    assert sized(CONSTANT, split, batch_size=32) == [f"train_input_reader.{edit}" for edit in edits]


@pytest.mark.parametrize(
    ("wishes", "train", "problem"),
    [
        ({"steps": 1, "epochs": 1}, TRAIN, "--steps and --epochs are both given"),
        ({"epochs": 1}, None, "--epochs needs --records"),
        ({"epochs": float("nan")}, TRAIN, "--epochs is nan"),
        ({"lr": 0}, TRAIN, "--lr is 0. Give a number above 0"),
        ({"lr": float("nan")}, TRAIN, "--lr is nan"),
    ],
)
def test_values_that_cannot_be_used(wishes: dict[str, float], train: Split | None, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        sized(CONSTANT, train, **wishes)


def test_several_gpus_need_tf2_style() -> None:
    with pytest.raises(UsageError, match="a config of TF1 style trains on one GPU"):
        sized(CONSTANT, style="tf1", gpus=2)
    assert sized(CONSTANT, style="tf1", gpus=1) == []


def test_a_rate_where_there_is_none() -> None:
    with pytest.raises(UsageError, match="no learning rate to change"):
        sized(schema.parse("train_config { }"), lr=1)
    with pytest.raises(UsageError, match="every learning rate in the config is 0"):
        sized(start("constant_learning_rate { learning_rate: 0 }"), lr=1)


@pytest.mark.parametrize(
    ("steps", "batch", "images", "every"),
    [(1000, 10, None, 100), (1000, 10, 300, 90), (1000, 10, 5000, 100), (5, 10, 100, 1), (100, 1, 10, 10)],
)
def test_checkpoints_come_at_the_end_of_epochs(steps: int, batch: int, images: int | None, every: int) -> None:
    assert run.checkpoint_every(steps, batch, images) == every


@pytest.mark.parametrize(
    ("steps", "every"), [(1, 1), (9, 1), (57, 5), (100, 10), (119, 10), (157, 10), (1234, 120), (200_000, 1000)]
)
def test_the_usual_distance_of_checkpoints_is_a_tenth_of_the_run(steps: int, every: int) -> None:
    assert default_checkpoint_every(steps) == every
