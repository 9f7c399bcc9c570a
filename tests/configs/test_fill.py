"""What a data set decides in a config, and what it leaves alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pipeline_configs.dataset import Dataset, Split
from pipeline_configs.making.fill import fill
from pipeline_configs.patches import patch
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError, RecordError

POST = Path(__file__).parents[2].parent / "shared" / "seeds" / "001_1730d5de25838040.txt"
DATASET = Dataset(
    label_map_path="/data/label_map.pbtxt",
    num_classes=3,
    train=Split(pattern="/data/train.record-?????-of-00004", images=90, most_boxes=100),
    val=Split(pattern="/data/val.record-?????-of-00001", images=10, most_boxes=9),
)
INPUTS = [
    'train_input_reader.label_map_path: unset -> "/data/label_map.pbtxt"',
    'train_input_reader.tf_record_input_reader.input_path: unset -> ["/data/train.record-?????-of-00004"]',
]
EVALUATION = [
    "eval_config.batch_size: unset -> 1",
    'eval_config.metrics_set: unset -> ["coco_detection_metrics"]',
    'eval_input_reader[0].label_map_path: unset -> "/data/label_map.pbtxt"',
    "eval_input_reader[0].shuffle: unset -> false",
    "eval_input_reader[0].num_epochs: unset -> 1",
    'eval_input_reader[0].tf_record_input_reader.input_path: unset -> ["/data/val.record-?????-of-00001"]',
]


def filled(text: str, dataset: Dataset = DATASET) -> Config:
    config = schema.parse(text)
    return fill(config, dataset).apply(config)


@pytest.mark.parametrize("architecture", schema.ARCHITECTURES)
def test_all_that_changes(architecture: str) -> None:
    text = f"model {{ {architecture} {{ }} }}"
    assert patch.diff(schema.parse(text), filled(text)) == [
        f"model.{architecture}.num_classes: unset -> 3",
        *INPUTS,
        *EVALUATION,
    ]


def test_twice_is_once() -> None:
    config = filled("model { ssd { } }")
    assert fill(config, DATASET).apply(config) == config


@pytest.mark.parametrize(("batch", "images", "expected"), [(24, 90, 24), (24, 24, 24), (24, 7, 7)])
def test_a_batch_holds_no_more_images_than_there_are(batch: int, images: int, expected: int) -> None:
    dataset = dataclasses.replace(DATASET, train=Split(pattern="/data/train.record", images=images, most_boxes=9))
    text = f"model {{ ssd {{ }} }} train_config {{ batch_size: {batch} }}"
    assert filled(text, dataset).train_config.batch_size == expected


def test_the_default_batch_counts_too() -> None:
    dataset = dataclasses.replace(DATASET, train=Split(pattern="/data/train.record", images=5, most_boxes=9))
    assert filled("model { ssd { } }", dataset).train_config.batch_size == 5


@pytest.mark.parametrize(("now", "most", "expected"), [("", 100, 100), ("", 101, 101), ("7", 7, 7), ("7", 8, 8)])
def test_no_box_is_left_out(now: str, most: int, expected: int) -> None:
    """The engine's own bound is 100 boxes an image; it is only ever raised, each reader by its own split."""
    limit = f"max_number_of_boxes: {now}" if now else ""
    text = f"model {{ ssd {{ }} }} train_input_reader {{ {limit} }} eval_input_reader {{ {limit} }}"
    few = Split(pattern="/data/few.record", images=9, most_boxes=1)
    many = Split(pattern="/data/many.record", images=9, most_boxes=most)
    config = filled(text, dataclasses.replace(DATASET, train=many, val=few))
    assert config.train_input_reader.max_number_of_boxes == expected
    assert config.eval_input_reader[0].max_number_of_boxes == int(now or 100)
    config = filled(text, dataclasses.replace(DATASET, train=few, val=many))
    assert config.train_input_reader.max_number_of_boxes == int(now or 100)
    assert config.eval_input_reader[0].max_number_of_boxes == expected


def test_boxes_without_an_eval_reader() -> None:
    many = Split(pattern="/data/many.record", images=9, most_boxes=300)
    config = filled("model { ssd { } }", dataclasses.replace(DATASET, val=many))
    assert config.eval_input_reader[0].max_number_of_boxes == 300


def test_lists_are_replaced() -> None:
    config = filled("""
        model { ssd { } }
        train_input_reader {
          sample_from_datasets_weights: [1, 2]
          tf_record_input_reader { input_path: ["a", "b"] }
        }
        eval_config { num_examples: 5 metrics_set: "pascal_voc_detection_metrics" }
        eval_input_reader { num_readers: 1 external_input_reader { } }
        eval_input_reader { num_readers: 2 }
    """)
    assert list(config.train_input_reader.tf_record_input_reader.input_path) == [DATASET.train.pattern]
    assert not config.train_input_reader.sample_from_datasets_weights
    assert list(config.eval_config.metrics_set) == ["coco_detection_metrics"]
    assert not config.eval_config.HasField("num_examples")
    (reader,) = config.eval_input_reader
    assert reader.num_readers == 1
    assert reader.WhichOneof("input_reader") == "tf_record_input_reader"


def test_paths_with_odd_characters_survive() -> None:
    odd = """/my data/it's, "that"\\[x] ü"""
    dataset = dataclasses.replace(DATASET, label_map_path=odd, train=Split(pattern=odd, images=9, most_boxes=9))
    reader = filled("model { ssd { } }", dataset).train_input_reader
    assert (reader.label_map_path, list(reader.tf_record_input_reader.input_path)) == (odd, [odd])


@pytest.mark.parametrize("val", [None, Split(pattern="/data/val.record", images=0, most_boxes=0)])
def test_nothing_to_evaluate_on(val: Split | None) -> None:
    with pytest.raises(RecordError, match="--val_fraction"):
        filled("model { ssd { } }", dataclasses.replace(DATASET, val=val))


def test_a_config_without_a_model() -> None:
    with pytest.raises(ConfigError, match="the config has no model"):
        filled("train_config { }")


def test_the_model_of_a_posted_config_is_kept() -> None:
    if not POST.is_file():
        pytest.skip("the posted config is not here")
    post = POST.read_text(encoding="utf-8")
    start = schema.parse(post[post.index("model {") : post.index("Cluster setup")])
    config = fill(start, DATASET).apply(start)
    changes = patch.diff(start, config)
    assert [line for line in changes if line.startswith("model.")] == ["model.ssd.num_classes: 2 -> 3"]
    assert not [line for line in changes if line.startswith("train_config.")]
    assert "eval_config.num_examples: 870 -> unset" in changes
    assert "eval_input_reader[0].shuffle: true -> false" in changes
    config.model.ssd.num_classes = 2
    assert config.model == start.model
