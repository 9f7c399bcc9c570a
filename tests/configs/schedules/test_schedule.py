"""Learning rates step by step; tests/engine/test_schedules.py compares them with the engine's."""

from __future__ import annotations

import math

import pytest

from pipeline_configs.schedules import plot, schedule, summary
from pipeline_configs.schedules.schedule import Schedule
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError


def config(rate: str, more: str = "num_steps: 100 batch_size: 4") -> Config:
    text = f"train_config {{ {more} optimizer {{ adam_optimizer {{ learning_rate {{ {rate} }} }} }} }}"
    return schema.parse(text)


def found(rate: str) -> Schedule:
    made = schedule.of(config(rate))
    assert made is not None
    return made


CONSTANT = "constant_learning_rate { learning_rate: 0.5 }"
STAIRS = "exponential_decay_learning_rate { initial_learning_rate: 1 decay_steps: 10 decay_factor: 0.5"
MANUAL = "manual_step_learning_rate { initial_learning_rate: 1 schedule { step: 10 learning_rate: 2 }"
COSINE = (
    "cosine_decay_learning_rate { learning_rate_base: 1 total_steps: 100 warmup_learning_rate: 0.5 warmup_steps: 10"
)


@pytest.mark.parametrize(
    ("rate", "values"),
    [
        (CONSTANT, {0: 0.5, 99: 0.5}),
        (f"{STAIRS} }}", {0: 1, 9: 1, 10: 0.5, 19: 0.5, 20: 0.25}),
        (f"{STAIRS} min_learning_rate: 0.5 }}", {0: 1, 10: 0.5, 20: 0.5}),
        (f"{STAIRS} burnin_steps: 5 burnin_learning_rate: 0.125 }}", {0: 0.125, 4: 0.125, 5: 1, 14: 1, 15: 0.5}),
        (f"{STAIRS} burnin_steps: 5 }}", {0: 1, 4: 1, 5: 1, 15: 0.5}),
        (f"{STAIRS} staircase: false }}", {0: 1, 5: 0.5**0.5, 10: 0.5}),
        (f"{MANUAL} schedule {{ step: 20 learning_rate: 0 }} }}", {0: 1, 9: 1, 10: 2, 19: 2, 20: 0}),
        (f"{MANUAL} warmup: true }}", {0: 1, 1: 1.1, 9: 1.9, 10: 2, 50: 2}),
        ("manual_step_learning_rate { initial_learning_rate: 1 warmup: true }", {0: 1, 9: 1}),
        (f"{COSINE} }}", {0: 0.5, 5: 0.75, 10: 1, 55: 0.5, 100: 0, 101: 0}),
        (f"{COSINE} hold_base_rate_steps: 30 }}", {10: 1, 40: 1, 70: 0.5, 100: 0, 101: 0}),
        (f"{COSINE} hold_base_rate_steps: 90 }}", {10: 1, 100: 1, 101: 0}),
    ],
)
def test_values(rate: str, values: dict[int, float]) -> None:
    assert {step: found(rate).rate_at(step) for step in values} == pytest.approx(values, abs=1e-12)


@pytest.mark.parametrize(
    ("rate", "values"),
    [
        ("exponential_decay_learning_rate { initial_learning_rate: 1 decay_steps: 0 }", {0: math.nan, 1: 0.0}),
        (f"{STAIRS[:-3]}-0.5 staircase: false }}", {5: math.nan}),
        (
            "exponential_decay_learning_rate { initial_learning_rate: 1 decay_steps: 1 decay_factor: 9 }",
            {9999: math.inf},
        ),
        ("cosine_decay_learning_rate { total_steps: 9 warmup_steps: 9 }", {9: math.nan, 10: 0.0}),
    ],
)
def test_where_the_engine_divides_by_zero_the_rate_is_nan(rate: str, values: dict[int, float]) -> None:
    assert {step: found(rate).rate_at(step) for step in values} == pytest.approx(values, nan_ok=True)


def test_a_config_without_a_learning_rate() -> None:
    assert schedule.of(schema.parse("")) is None
    assert schedule.of(schema.parse("train_config { optimizer { adam_optimizer { } } }")) is None
    assert summary.lines(schema.parse("")) == []


@pytest.mark.parametrize(
    ("rate", "images", "lines"),
    [
        (CONSTANT, None, ["100 steps of 4 images.", "Learning rate: 0.5 in every step."]),
        (
            f"{STAIRS} }}",
            40,
            [
                "100 steps of 4 images: 10 epochs of 40 images.",
                "Learning rate: starts at 1, falls from step 10 (epoch 1), ends at 0.00195.",
            ],
        ),
        (
            f"{STAIRS} }}".replace("10", "200"),
            None,
            [
                "100 steps of 4 images.",
                "Learning rate: 1 in every step. Its first decay would be at step 200, after the end of the run.",
            ],
        ),
        (
            f"{COSINE} }}",
            None,
            [
                "100 steps of 4 images.",
                "Learning rate: starts at 0.5, rises to 1 at step 10, falls from step 11, ends at 0.000305.",
            ],
        ),
        (
            f"{MANUAL} warmup: true schedule {{ step: 50 learning_rate: 0.1 }} }}",
            None,
            [
                "100 steps of 4 images.",
                "Learning rate: starts at 1, rises to 2 at step 10, falls from step 50, ends at 0.1.",
            ],
        ),
        (
            "exponential_decay_learning_rate { decay_steps: 0 }",
            None,
            ["100 steps of 4 images.", "Learning rate: it becomes NaN (not a number)."],
        ),
        (
            f"{MANUAL} }}",
            None,
            ["100 steps of 4 images.", "Learning rate: starts at 1, rises to 2 at step 10, ends at 2."],
        ),
        (
            f"{MANUAL} schedule {{ step: 900 learning_rate: 0.1 }} }}",
            None,
            [
                "100 steps of 4 images.",
                "Learning rate: starts at 1, rises to 2 at step 10, ends at 2."
                " Its first decay would be at step 900, after the end of the run.",
            ],
        ),
        ("manual_step_learning_rate { }", None, []),
    ],
)
def test_the_numbers_that_matter(rate: str, images: int | None, lines: list[str]) -> None:
    assert summary.lines(config(rate), images) == lines


@pytest.mark.parametrize("rate", [CONSTANT, f"{STAIRS} }}", f"{MANUAL} warmup: true }}", f"{COSINE} }}"])
def test_highest_and_first_decay_are_those_of_all_steps(rate: str) -> None:
    one = found(rate)
    rates = [one.rate_at(step) for step in range(100)]
    decays = [step for step in range(1, 100) if rates[step] < rates[step - 1]]
    summed = summary.of(one, 100)
    assert (summed.highest, summed.highest_at) == (max(rates), rates.index(max(rates)))
    assert summed.first_decay == (decays[0] if decays else None)
    assert (summed.first, summed.last) == (rates[0], rates[-1])


@pytest.mark.parametrize("rate", [CONSTANT, f"{STAIRS} }}", f"{COSINE} }}"])
def test_a_picture_is_a_png_and_always_the_same(rate: str) -> None:
    pytest.importorskip("matplotlib")
    made = [plot.png(config(rate), 40) for _ in range(2)]
    assert made[0].startswith(b"\x89PNG")
    assert made[0] == made[1]
    assert made[0] != plot.png(config(rate))


@pytest.mark.parametrize("odd", ["", "train_config { num_steps: 5 }"])
def test_nothing_to_draw(odd: str) -> None:
    with pytest.raises(ConfigError, match="no learning rate to draw"):
        plot.png(schema.parse(odd))
