"""A config is made from a start, the data set and edits, in this order."""

from __future__ import annotations

import pytest

from pipeline_configs.dataset import Dataset, Split
from pipeline_configs.making import make
from pipeline_configs.patches.patch import Edit
from pipeline_configs.text import schema
from tfod_tools.base.errors import ConfigError

SPLIT = Split(pattern="/data/x.record", images=9, most_boxes=3)
DATASET = Dataset(label_map_path="/data/label_map.pbtxt", num_classes=3, train=SPLIT, val=SPLIT)
START = 'model { ssd { feature_extractor { type: "ssd_mobilenet_v2" } } }'


def test_edits_come_last() -> None:
    edits = [Edit(path="model.ssd.num_classes", value="7"), Edit(path="train_config.batch_size", value="64")]
    made = make.make(schema.parse(START), DATASET, edits)
    config = schema.parse(made.text)
    assert (config.model.ssd.num_classes, config.train_config.batch_size) == (7, 64)
    assert "model.ssd.num_classes: unset -> 7" in made.changes
    assert made.style == "tf1"


def test_the_style_is_that_of_the_result() -> None:
    edit = Edit(path="model.ssd.feature_extractor.type", value="ssd_mobilenet_v2_keras")
    assert make.make(schema.parse(START), DATASET, [edit]).style == "tf2"


def test_an_extractor_that_does_not_exist() -> None:
    edit = Edit(path="model.ssd.feature_extractor.type", value="ssd_mobilenet")
    with pytest.raises(ConfigError, match="no extractor is called 'ssd_mobilenet'"):
        make.make(schema.parse(START), DATASET, [edit])
