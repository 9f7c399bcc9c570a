"""A YAML file becomes edits; what is wrong with it is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline_configs.making import template
from pipeline_configs.patches import patch_file
from pipeline_configs.patches.patch import ConfigPatch
from pipeline_configs.text import schema
from tfod_tools.base.errors import ConfigError, Problems

TEXT = """# Smaller.
model.ssd.num_classes: 2
model..l2_regularizer.weight: 7e-5
train_config:
  num_steps: 5000
  gradient_clipping_by_norm:
  data_augmentation_options+:
    random_adjust_hue: {}
  data_augmentation_options-: {ssd_random_crop: {}}
  optimizer: "{adam_optimizer {}}"
  fine_tune_checkpoint: 010
train_input_reader:
  tf_record_input_reader: {input_path: ["a,b", c/d]}
  sample_from_datasets_weights: [1, .5]
eval_input_reader: [{name: "it's", shuffle: no, num_readers: 0x10}]
"""
EDITS = """model.ssd.num_classes=2
model..l2_regularizer.weight=7e-5
train_config.num_steps=5000
unset train_config.gradient_clipping_by_norm
train_config.data_augmentation_options+={random_adjust_hue: {}}
train_config.data_augmentation_options-={ssd_random_crop: {}}
train_config.optimizer={adam_optimizer {}}
train_config.fine_tune_checkpoint=010
train_input_reader.tf_record_input_reader.input_path=["a,b", "c/d"]
train_input_reader.sample_from_datasets_weights=[1, .5]
eval_input_reader=[{name: "it's" shuffle: no num_readers: 0x10}]
""".replace("shuffle: no", "shuffle: false")
TEXT = TEXT.replace("shuffle: no", "shuffle: false")


def test_a_file_becomes_edits(tmp_path: Path) -> None:
    (tmp_path / "patch.yaml").write_text(TEXT)
    found = patch_file.read(tmp_path / "patch.yaml")
    assert [str(edit) for edit in found.edits] == EDITS.splitlines()
    assert [edit.line for edit in found.edits] == [2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15]


def test_the_edits_can_be_made() -> None:
    config = patch_file.parse(TEXT, file="").apply(template.read("ssd_mobilenet_v2_300x300"))
    assert list(config.train_input_reader.tf_record_input_reader.input_path) == ["a,b", "c/d"]
    assert config.train_config.fine_tune_checkpoint == "010"
    assert (config.eval_input_reader[0].name, config.eval_input_reader[0].num_readers) == ("it's", 16)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file_changes_nothing(text: str) -> None:
    assert patch_file.parse(text, file="") == ConfigPatch()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb: [1", "p.yaml:2: is not YAML: "),
        ("\n- 1", "p.yaml:2: has no fields here. Write lines such as model.ssd.num_classes: 2."),
        ("model", "p.yaml:1: has no fields here"),
        ("model: &a [*a]", "p.yaml:1: has the alias *a. Write the value itself."),
        ("? [a]\n: 1", "p.yaml:1: has a list or a map where a field path must be."),
        ("a: 1\n--- \nb: 2", "p.yaml:2: is not YAML: "),
        ("a: \x01", "p.yaml: is not YAML. Write field paths and values"),
        ("[" * 600 + "]" * 600, "p.yaml: is not YAML. Write field paths and values"),
        ("\nmodel.ssd.num_clases: 3", "p.yaml:2: model.ssd.num_clases: Ssd has no field 'num_clases'. Did you mean"),
        (
            "model:\n  ssd: {\n  num_classes: x}",
            "p.yaml:3: model.ssd.num_classes: the value is 'x', but the field takes a whole number",
        ),
        ("model: 3", "p.yaml:1: model: the value is '3', but the field takes a message: { fields of DetectionModel }."),
        (
            "train_config.batch_size: [1, 2]",
            "p.yaml:1: train_config.batch_size: the value is '[1, 2]', but the field takes a whole number",
        ),
        ("train_config.data_augmentation_options[0]:", "p.yaml:1: train_config.data_augmentation_options[0]: an item"),
        ("<<: 3", "p.yaml:1: <<: '<<' is not the name of a field"),
        ("a+: {? [b] : 1}", "p.yaml:1: a: TrainEvalPipelineConfig has no field 'a'."),
    ],
)
def test_mistakes_have_their_line(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        patch_file.parse(text, file="p.yaml").apply(schema.parse(""))
    assert str(caught.value).startswith(problem)


def test_all_mistakes_are_told() -> None:
    with pytest.raises(Problems) as caught:
        patch_file.parse("modl: 1\ntrain_config:\n  x: 2", file="p.yaml").apply(schema.parse(""))
    assert [line[:9] for line in str(caught.value).splitlines()] == ["p.yaml:1:", "p.yaml:3:"]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [("none.yaml", None, "there is no such file"), ("", None, "cannot be read"), ("p.yaml", b"\xff", "is not UTF-8")],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes | None, problem: str) -> None:
    if content:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=problem):
        patch_file.read(tmp_path / name)
