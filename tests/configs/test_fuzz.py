"""Whatever people write as text, path, value or patch: it is read, or an error of ours says why not."""

from __future__ import annotations

import contextlib

from configs.strategies import configs, scalars
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline_configs.dataset import Split
from pipeline_configs.making import edits, template
from pipeline_configs.patches import patch, patch_file, path_pattern
from pipeline_configs.patches.field_path import FieldPath
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.schedules import run, schedule, summary
from pipeline_configs.schedules.run import Run
from pipeline_configs.text import positions, rewrite, schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import TfodError

START = template.read("ssd_mobilenet_v2_300x300")
ROOT = START.DESCRIPTOR
SLOW = settings(suppress_health_check=[HealthCheck.too_slow])

# Surrogates are what an argument has where it is no UTF-8.
ANY = st.text(st.characters(), max_size=20)
NAMES = st.sampled_from(
    [
        "model",
        "ssd",
        "num_classes",
        "train_config",
        "eval_input_reader",
        "scales",
        "weight",
        "learning_rate",
        "schedule",
    ]
)
PATHS = st.lists(st.one_of(NAMES, NAMES, ANY, st.sampled_from(["", "[0]", "ssd[1]", "scales[0]"])), max_size=6).map(
    ".".join
)
VALUES = st.one_of(
    ANY,
    st.lists(st.sampled_from([*"{}[]<>,:;'\"#\\ ", "1", "-1e-9", "nan", "x", "ssd", "true", "2" * 40]), max_size=9).map(
        "".join
    ),
)
PIECES = ["model", "ssd", "{", "}", "<", ">", "[", "]", ":", ";", ",", '"', "'", "\\", "#", "\n", " ", "1", "-", "x"]


@SLOW
@given(st.one_of(ANY, st.lists(st.sampled_from(PIECES), max_size=30).map("".join)))
@example("model { " * 400)
@example("x: " + "9" * 5000)
def test_texts(text: str) -> None:
    positions.read(text, ROOT)
    with contextlib.suppress(TfodError):
        config = schema.parse(text)
        assert rewrite.rewritten(text, config) in (text, None)


@SLOW
@given(PATHS)
@example("a[99999999999999999999]")
@example("eval_input_reader[999999999].name")
def test_paths(path: str) -> None:
    with contextlib.suppress(TfodError):
        FieldPath.resolve(path, ROOT)
    with contextlib.suppress(TfodError):
        assert path_pattern.places(path, START)
    with contextlib.suppress(TfodError):
        patch.unset([path], START).apply(START)


@SLOW
@given(PATHS, st.sampled_from(["=", "+=", "-="]), VALUES)
@example("model", "=", "{" + "ssd {" * 400)
@example("model.ssd.num_classes", "=", "9" * 5000)
@example("train_config.fine_tune_checkpoint", "=", "\udcff")
@example("model..scales", "+=", "nan")
def test_edits(path: str, operator: str, value: str) -> None:
    with contextlib.suppress(TfodError):
        once = (made := ConfigPatch(edits=(Edit.read(f"{path}{operator}{value}"),))).apply(START)
        assert patch.diff(once, made.apply(once)) == []


@SLOW
@given(st.lists(st.tuples(NAMES, st.sampled_from(["=", "+=", "-="]), VALUES), min_size=2, max_size=5))
def test_patches_of_several_edits(parts: list[tuple[str, str, str]]) -> None:
    made = ConfigPatch(edits=tuple(Edit.read(f"..{name}{operator}{value}") for name, operator, value in parts))
    with contextlib.suppress(TfodError):
        once = made.apply(START)
        assert patch.diff(once, made.apply(once)) == []


LISTS = [
    f"..scales{rest}" for rest in ("=1,2", "+=2,3", "+=1", "-=1", "-=2,2", "[0]=3", "[1]=1", "[2]=2")
]  # fmt: skip


@SLOW
@given(st.lists(st.sampled_from(LISTS), max_size=6))
def test_edits_of_one_list(texts: list[str]) -> None:
    """Twice is once, whatever the edits, or they are refused."""
    made = ConfigPatch(edits=tuple(map(Edit.read, texts)))
    with contextlib.suppress(TfodError):
        once = made.apply(START)
        assert made.apply(once) == once


YAML = [
    "model",
    "ssd",
    "num_classes",
    ":",
    "\n",
    "  ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a",
    "*a",
    "1",
    "'",
    '"',
    "|",
    "+",
    "!!x",
]


@SLOW
@given(st.one_of(ANY, st.lists(st.sampled_from(YAML), max_size=20).map("".join)))
def test_patch_files(text: str) -> None:
    with contextlib.suppress(TfodError):
        patch_file.parse(text, file="p.yaml").apply(START)


@SLOW
@given(st.sampled_from(edits.names()), VALUES, st.one_of(st.just(START), configs()))
def test_named_edits(name: str, text: str, config: Config) -> None:
    with contextlib.suppress(TfodError):
        ConfigPatch(edits=edits.edits(name, text, config)).apply(config)


@st.composite
def with_schedules(draw: st.DrawFn) -> Config:
    """Configs with a learning rate, in which anything is set to anything."""
    config = schema.parse("")
    rate = config.train_config.optimizer.adam_optimizer.learning_rate
    message = getattr(rate, draw(st.sampled_from([field.name for field in rate.DESCRIPTOR.fields])))
    message.SetInParent()
    entries = [message.schedule.add() for _ in range(draw(st.integers(0, 3)))] if hasattr(message, "schedule") else []
    for one in (message, *entries):
        for field in one.DESCRIPTOR.fields:
            if field.message_type is None and draw(st.booleans()):
                setattr(one, field.name, draw(scalars(field)))
    config.train_config.batch_size = draw(st.integers(0, 99))
    return config


@SLOW
@given(with_schedules(), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(1, 10**6))
def test_schedules(config: Config, steps: int, at: int, images: int) -> None:
    config.train_config.num_steps = steps
    assert len(summary.lines(config, images)) in (0, 2)
    if found := schedule.of(config):
        assert isinstance(found.rate_at(at), float)


WISHES = st.builds(
    Run,
    batch_size=st.none() | st.integers(1, 10**9),
    gpus=st.none() | st.integers(1, 99),
    steps=st.none() | st.integers(1, 2**31),
    epochs=st.none() | st.floats(),
    lr=st.none() | st.floats(),
)


@SLOW
@given(WISHES, with_schedules(), st.none() | st.integers(1, 10**6))
def test_runs_of_any_size(wishes: Run, config: Config, images: int | None) -> None:
    train = images and Split(pattern="x", images=images, most_boxes=1)
    with contextlib.suppress(TfodError):
        made = run.sized(wishes, config, "tf2", train or None).edits
        ConfigPatch(edits=made).apply(config)
