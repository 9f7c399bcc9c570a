"""Configs are read as the engine reads them, and say where they are wrong."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from object_detection.protos import pipeline_pb2

from pipeline_configs.text import schema
from tfod_tools.base.errors import ConfigError

SHARED = Path(__file__).parents[2].parent / "shared"
WILD = SHARED / "data" / "wild_configs"


def error(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        schema.parse(text, path="a.config")
    return str(caught.value)


def test_the_later_of_two_values_wins() -> None:
    config = schema.parse("train_config { batch_size: 1 batch_size: 2 } train_config { num_steps: 3 }")
    assert (config.train_config.batch_size, config.train_config.num_steps) == (2, 3)


def test_dump_and_parse_are_inverse() -> None:
    config = schema.parse('train_config { fine_tune_checkpoint: "größe/\\"x\\"" } model { ssd { } }')
    assert schema.parse(schema.dump(config)) == config
    assert (
        schema.dump(config) == 'model {\n  ssd {\n  }\n}\ntrain_config {\n  fine_tune_checkpoint: "größe/\\"x\\""\n}\n'
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "model {\n  ssd {\n    num_clases: 3\n  }\n}",
            "a.config:3: Ssd has no field 'num_clases'. Did you mean num_classes? (column 5).",
        ),
        (
            "model { ssd { post_processing {\nscore_converter: SIGMOD } } }",
            "a.config:2: ScoreConverter has no value 'SIGMOD'. Did you mean SIGMOID? (column 18).",
        ),
        ("train_config { batch_size: many }", "a.config:1: Couldn't parse integer: many (column 28)."),
        ("train_config {\n", 'a.config:1: Expected "}" (column 14).'),
        ("\n\nmodel: 3", 'a.config:3: Expected "{" (column 8).'),
    ],
)
def test_errors_name_the_line_and_what_to_write(text: str, expected: str) -> None:
    assert error(text) == expected


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a\.config: there is no such file"):
        schema.read(tmp_path / "a.config")


def test_a_folder_is_not_a_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        schema.read(tmp_path)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "a.config").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        schema.read(tmp_path / "a.config")


@pytest.mark.parametrize("architecture", schema.ARCHITECTURES)
def test_architecture(architecture: str) -> None:
    assert schema.architecture(schema.parse(f"model {{ {architecture} {{ }} }}")) == architecture


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the config has no model"),
        ("model { experimental_model { } }", "model.experimental_model is not an architecture that is known here"),
    ],
)
def test_other_architectures(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"{problem}. Use one of ssd, faster_rcnn, center_net.")):
        schema.architecture(schema.parse(text))


def test_configs_of_other_people() -> None:
    if not WILD.is_dir():
        pytest.skip("the collection of configs from other repositories is not here")
    with (WILD / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        rows = [row for row in csv.DictReader(index, delimiter="\t") if row["kind"] == "pipeline"]
    files = [WILD / "pipeline" / row["file"] for row in rows if row["parse_merge"] == "ok"]
    assert len(files) == 10
    for path in files:
        config = schema.read(path)
        assert isinstance(config, pipeline_pb2.TrainEvalPipelineConfig)
        assert schema.parse(schema.dump(config)) == config
