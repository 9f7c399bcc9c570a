"""What a job of training takes where the user names no value."""

from __future__ import annotations

import pytest

from cloud import job


@pytest.mark.parametrize(
    ("steps", "every"), [(1, 1), (9, 1), (57, 5), (100, 10), (119, 10), (157, 10), (1234, 120), (200_000, 1000)]
)
def test_the_usual_distance_of_checkpoints_is_a_tenth_of_the_run(steps: int, every: int) -> None:
    assert job.default_checkpoint_every(steps) == every
