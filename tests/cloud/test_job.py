"""A training job and its command."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from cloud.job import TrainJob

JOB = TrainJob(config="run/pipeline.config", model_dir="gs://bucket/a b", style="tf1", steps=5000, checkpoint_every=500)


def test_argv() -> None:
    assert JOB.argv() == (
        "tfod_tools.engine.train",
        "--style=tf1",
        "--config=run/pipeline.config",
        "--model_dir=gs://bucket/a b",
        "--steps=5000",
        "--checkpoint_every=500",
    )


@pytest.mark.parametrize("job", [JOB, dataclasses.replace(JOB, extension="my package/mine.py")])
def test_the_entry_understands_all_of_it(job: TrainJob) -> None:
    """The command holds the whole job: the flags of the entry give it back."""
    from tfod_tools.engine.train import FLAGS

    try:
        assert FLAGS(job.argv()) == ["tfod_tools.engine.train"]
        assert TrainJob(**{name: FLAGS[name].value for name in FLAGS}) == job
    finally:
        FLAGS.unparse_flags()


@pytest.mark.parametrize("name", ["steps", "checkpoint_every"])
@pytest.mark.parametrize("number", [0, -1])
def test_numbers_that_make_no_sense(name: str, number: int) -> None:
    changed: dict[str, Any] = {name: number}
    with pytest.raises(ValueError, match=f"{name} (is )?{number}.*must be positive"):
        dataclasses.replace(JOB, **changed)


def test_one_step_is_enough() -> None:
    assert dataclasses.replace(JOB, steps=1, checkpoint_every=1).steps == 1


def test_a_job_does_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        JOB.steps = 1  # type: ignore[misc]
