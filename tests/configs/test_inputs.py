"""Files that a config names and that do not exist are reported before the engine waits for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline_configs import inputs
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError, Problems

CONFIG = Path("run/pipeline.config")
CORRECT = "Correct the path, or write the records with make_records."
NO_EVAL_READER = "there is no eval_input_reader, which the engine always needs. Add one; make_config fills it in."


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: records of both splits and a label map."""
    monkeypatch.chdir(tmp_path)
    for name in ("train.record-00000-of-00002", "train.record-00001-of-00002", "val.record-00000-of-00001"):
        (tmp_path / name).write_bytes(b"records")
    for name in ("empty.record-00000-of-00002", "empty.record-00001-of-00002"):
        (tmp_path / name).touch()
    (tmp_path / "half.record-00000-of-00002").touch()
    (tmp_path / "half.record-00001-of-00002").write_bytes(b"records")
    (tmp_path / "label_map.pbtxt").write_text("item { id: 1 name: 'cat' }")
    return tmp_path


def reader(*patterns: str, label_map: str = "label_map.pbtxt") -> str:
    paths = " ".join(f'input_path: "{pattern}"' for pattern in patterns)
    return f'label_map_path: "{label_map}" tf_record_input_reader {{ {paths} }}'


GOOD_TRAIN = reader("train.record-?????-of-00002")
GOOD_EVAL = reader("val.record-?????-of-00001")


def config(train: str = GOOD_TRAIN, *evals: str) -> Config:
    readers = [f"train_input_reader {{ {train} }}", *(f"eval_input_reader {{ {text} }}" for text in evals)]
    return schema.parse("\n".join(readers))


def problems(made: Config, *, training: bool = True) -> list[str]:
    with pytest.raises(Problems) as caught:
        inputs.check(made, CONFIG, training=training)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "train",
    [
        GOOD_TRAIN,
        reader("train.record-00000-of-00002", "train.record-00001-of-00002"),
        reader("train.*"),
        reader("half.record-?????-of-00002"),
        reader("train.*", label_map=""),
        reader("gs://bucket/train.record-?????-of-00002", label_map="s3://bucket/label_map.pbtxt"),
    ],
    ids=["pattern", "every file", "star", "one shard is empty", "no label map", "remote"],
)
def test_what_can_be_read(train: str) -> None:
    inputs.check(config(train, GOOD_EVAL), CONFIG, training=True)
    inputs.check(config(GOOD_TRAIN, train), CONFIG, training=False)


def test_without_an_eval_reader() -> None:
    assert problems(config(GOOD_TRAIN)) == [f"{CONFIG}: {NO_EVAL_READER}"]
    assert problems(config(GOOD_TRAIN), training=False) == [f"{CONFIG}: {NO_EVAL_READER}"]


@pytest.mark.parametrize("train", ["", reader("none", label_map="no.pbtxt"), reader("empty.*")])
def test_evaluation_needs_no_training_records(train: str) -> None:
    """But its own, and as much as training does."""
    inputs.check(config(train, GOOD_EVAL), CONFIG, training=False)
    assert problems(config(train, reader("nothing", label_map="no.pbtxt")), training=False) == [
        f"{CONFIG}: eval_input_reader[0]: no records match nothing. {CORRECT}",
        f"{CONFIG}: eval_input_reader[0]: there is no label map no.pbtxt. Correct label_map_path.",
    ]


@pytest.mark.parametrize(
    ("readers", "expected"),
    [
        ((reader("x", label_map="a"), reader("y", label_map="b")), "a"),
        ((reader("x", label_map=""), reader("y", label_map="b"), reader("y", label_map="c")), "b"),
        (("", "", reader("y", label_map="c")), "c"),
    ],
)
def test_the_label_map_is_the_first_that_is_named(readers: tuple[str, ...], expected: str) -> None:
    """Whether it is there or not."""
    assert inputs.label_map_path(config(*readers), CONFIG) == Path(expected)


@pytest.mark.parametrize("readers", [("",), (reader("x", label_map=""), reader("y", label_map=""))])
def test_no_label_map_is_named(readers: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        inputs.label_map_path(config(*readers), CONFIG)
    assert str(caught.value) == f"{CONFIG}: no input reader has a label_map_path."


def test_absolute_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder in which the command runs does not matter then."""
    train = reader(f"{tmp_path}/train.record-?????-of-00002", label_map=f"{tmp_path}/label_map.pbtxt")
    monkeypatch.chdir(tmp_path.parent)
    inputs.check(config(train, train), CONFIG, training=True)


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        (reader(), "run/pipeline.config: {} has no tf_record_input_reader.input_path."),
        ('label_map_path: "label_map.pbtxt"', "run/pipeline.config: {} has no tf_record_input_reader.input_path."),
        (
            reader("none.record-?????-of-00002"),
            f"run/pipeline.config: {{}}: no records match none.record-?????-of-00002. {CORRECT}",
        ),
        (
            reader("train.record-?????-of-00002", "PATH_TO_BE_CONFIGURED/mscoco_train.record"),
            f"run/pipeline.config: {{}}: no records match PATH_TO_BE_CONFIGURED/mscoco_train.record. {CORRECT}",
        ),
        (
            reader("empty.record-?????-of-00002"),
            "run/pipeline.config: {}: the records that match empty.record-?????-of-00002 are empty.",
        ),
        (
            reader("train.*", label_map="no.pbtxt"),
            "run/pipeline.config: {}: there is no label map no.pbtxt. Correct label_map_path.",
        ),
        (reader("train.*", label_map="."), "run/pipeline.config: {}: there is no label map ."),
    ],
    ids=["no path", "no reader", "no file", "one of two", "empty files", "no label map", "a folder for a label map"],
)
def test_what_cannot_be_read(train: str, expected: str) -> None:
    """In the training reader, and in the second of two eval readers."""
    assert problems(config(train, GOOD_EVAL))[0].startswith(expected.format("train_input_reader"))
    assert problems(config(GOOD_TRAIN, GOOD_EVAL, train))[0].startswith(expected.format("eval_input_reader[1]"))


def test_all_problems_are_reported_at_once() -> None:
    made = config(reader("none", "empty.*", label_map="no.pbtxt"), GOOD_EVAL, reader("nothing"))
    found = problems(made)
    assert [text.split(": ")[1] for text in found] == [*["train_input_reader"] * 3, "eval_input_reader[1]"]


def test_an_empty_config() -> None:
    assert problems(schema.parse("")) == [
        f"{CONFIG}: train_input_reader has no tf_record_input_reader.input_path. Name the records there.",
        f"{CONFIG}: {NO_EVAL_READER}",
    ]


def test_looking_changes_nothing(folder: Path) -> None:
    made = config(reader("none"))
    before = (sorted(folder.rglob("*")), schema.dump(made))
    problems(made)
    assert (sorted(folder.rglob("*")), schema.dump(made)) == before


@pytest.mark.parametrize("literally", [False, True])
def test_the_files_of_a_pattern(folder: Path, *, literally: bool) -> None:
    assert inputs.matching("label_map.pbtxt", literally=literally) == [Path("label_map.pbtxt")]
    assert inputs.matching("gs://bucket/*", literally=literally) is None
    assert inputs.matching("", literally=literally) == []
    assert inputs.matching(".", literally=True) == []
    for impossible in ("a\0/*", "x" * 5000):
        assert inputs.matching(impossible, literally=literally) == []
    many = inputs.matching("train.record-*", literally=literally)
    assert many == ([] if literally else [Path(f"train.record-0000{i}-of-00002") for i in (0, 1)])
