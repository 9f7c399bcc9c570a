"""Learning rates are the engine's own, in both styles, for every template and every kind of schedule."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import engine_code

from pipeline_configs.making import template
from pipeline_configs.schedules import schedule
from pipeline_configs.text import schema, text_proto
from pipeline_configs.text.text_proto import Config

pytestmark = pytest.mark.engine

# Of the highest rate: where a cosine ends, the engine's 32 bits leave nothing of a rate that is much smaller.
TOLERANCE = 1e-6

RATES = {
    "constant": "constant_learning_rate { learning_rate: 0.003 }",
    "stairs": "exponential_decay_learning_rate { initial_learning_rate: 0.3 decay_steps: 70 decay_factor: 0.9 }",
    "slope": "exponential_decay_learning_rate { initial_learning_rate: 0.3 decay_steps: 70 staircase: false }",
    "burn-in": "exponential_decay_learning_rate { initial_learning_rate: 0.3 decay_steps: 70 burnin_steps: 33"
    " burnin_learning_rate: 0.01 min_learning_rate: 0.1 decay_factor: 0.6 }",
    "burn-in at the same rate": "exponential_decay_learning_rate { decay_steps: 7 burnin_steps: 33 }",
    "manual": "manual_step_learning_rate { initial_learning_rate: 0.3 schedule { step: 50 learning_rate: 0.03 }"
    " schedule { step: 51 learning_rate: 0.3 } schedule { step: 400 learning_rate: 0.0 } }",
    "manual with warm-up": "manual_step_learning_rate { initial_learning_rate: 0.01 warmup: true"
    " schedule { step: 50 learning_rate: 0.3 } schedule { step: 90 learning_rate: 0.03 } }",
    "cosine": "cosine_decay_learning_rate { learning_rate_base: 0.3 total_steps: 450 warmup_steps: 0 }",
    "cosine with warm-up": "cosine_decay_learning_rate { learning_rate_base: 0.3 total_steps: 450"
    " warmup_learning_rate: 0.1 warmup_steps: 40 }",
    "cosine with hold": "cosine_decay_learning_rate { learning_rate_base: 0.3 total_steps: 450"
    " warmup_learning_rate: 0.1 warmup_steps: 40 hold_base_rate_steps: 200 }",
    "cosine that only holds": "cosine_decay_learning_rate { total_steps: 50 warmup_steps: 40"
    " hold_base_rate_steps: 10 }",
    "division by zero": "exponential_decay_learning_rate { decay_steps: 0 burnin_steps: 5 }",
    "division by zero in a cosine": "cosine_decay_learning_rate { total_steps: 40 warmup_steps: 40 }",
}

CODE = """
import json, pathlib
import tensorflow.compat.v1 as tf
from google.protobuf import text_format
from object_detection.builders import optimizer_builder
from object_detection.protos import optimizer_pb2

def in_a_graph(config, steps):
    with tf.Graph().as_default(), tf.Session() as session:
        step = tf.placeholder(tf.int64, ())
        rate = optimizer_builder.build(config, global_step=step)[1][0]
        return [float(session.run(rate, {step: at})) for at in steps]

def eagerly(config, steps):
    step = tf.Variable(0, dtype=tf.int64)
    rate = optimizer_builder.build(config, global_step=step)[1][0]
    found = []
    for at in steps:
        step.assign(at)
        found.append(float(rate() if callable(rate) else rate))
    return found

rates = eagerly if tf.executing_eagerly() else in_a_graph
for text, steps in json.loads(pathlib.Path(sys.argv[1]).read_text()):
    print(json.dumps(rates(text_format.Parse(text, optimizer_pb2.Optimizer()), steps)))
"""


def of_rate(rate: str) -> Config:
    text = f"optimizer {{ use_moving_average: false momentum_optimizer {{ learning_rate {{ {rate} }} }} }}"
    return schema.parse(f"train_config {{ num_steps: 500 {text} }}")


CONFIGS = {name: of_rate(rate) for name, rate in RATES.items()} | {
    name: template.read(name) for name in template.names()
}


def steps_of(config: Config) -> list[int]:
    """The steps at which rates are compared: all turns with those around them, and some in between."""
    found, steps = schedule.of(config), config.train_config.num_steps
    assert found is not None
    near = {step + by for step in found.turns() for by in (-1, 0, 1)}
    return sorted(near | {*range(0, steps + 2, max(steps // 40, 1))} | {steps - 1, steps, steps + 1})


@pytest.fixture(scope="module", params=["tf1", "tf2"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[float]]:
    """The engine's rates at `steps_of` each config."""
    file = tmp_path_factory.mktemp("rates") / "wanted.json"
    texts = [text_proto.to_text(config.train_config.optimizer) for config in CONFIGS.values()]
    file.write_text(json.dumps([*zip(texts, map(steps_of, CONFIGS.values()), strict=True)]))
    lines = engine_code.printed(request.param, CODE, str(Path(file)))
    return dict(zip(CONFIGS, map(json.loads, lines), strict=True))


@pytest.mark.parametrize("name", CONFIGS)
def test_rates_are_the_engines(name: str, engine: dict[str, list[float]]) -> None:
    found = schedule.of(CONFIGS[name])
    assert found is not None
    ours = [found.rate_at(step) for step in steps_of(CONFIGS[name])]
    highest = max(rate for rate in engine[name] if rate == rate)
    assert ours == pytest.approx(engine[name], rel=TOLERANCE, abs=TOLERANCE * highest, nan_ok=True)
    assert any(engine[name])
