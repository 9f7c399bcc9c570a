"""The contract of a template: each file in the folder is found, described, complete, and has a golden file.

The golden file is what the template becomes with the data set below. A new template fails until its golden file is
there: read the text in the failure and store it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline_configs import make, schema, template
from pipeline_configs.dataset import Dataset, Split
from tfod_tools.base.errors import UsageError

GOLDEN = Path(__file__).parent / "golden"
DATASET = Dataset(
    label_map_path="/data/records/label_map.pbtxt",
    num_classes=3,
    train=Split(pattern="/data/records/train.record-?????-of-00004", images=1000, most_boxes=9),
    val=Split(pattern="/data/records/val.record-?????-of-00001", images=100, most_boxes=9),
)


def test_the_published_templates() -> None:
    assert template.names() == (
        "faster_rcnn_resnet50",
        "ssd_mobilenet_v2_300x300",
        "ssd_mobilenet_v2_320x320_keras",
        "ssd_mobilenet_v2_small_192x192",
        "ssd_vgg16_300x300_keras",
    )


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(template.names())


@pytest.mark.parametrize("name", template.names())
def test_the_first_line_describes_it(name: str) -> None:
    first_line = (template.FOLDER / f"{name}.config").read_text().splitlines()[0]
    description = template.description(name)
    assert first_line == f"# {description}"
    assert description.endswith(".")
    assert ". " not in description


@pytest.mark.parametrize("name", template.names())
def test_what_a_data_set_decides_is_left_out(name: str) -> None:
    config = template.read(name)
    model = getattr(config.model, schema.architecture(config))
    assert not model.HasField("num_classes")
    assert not config.HasField("train_input_reader")
    assert not config.train_config.fine_tune_checkpoint
    assert not any(reader.label_map_path or reader.WhichOneof("input_reader") for reader in config.eval_input_reader)


@pytest.mark.parametrize("name", template.names())
def test_it_says_how_to_train(name: str) -> None:
    train_config = template.read(name).train_config
    assert train_config.batch_size
    assert train_config.num_steps
    optimizer = getattr(train_config.optimizer, train_config.optimizer.WhichOneof("optimizer"))
    assert optimizer.learning_rate.WhichOneof("learning_rate")
    cosine = optimizer.learning_rate.cosine_decay_learning_rate
    assert cosine.total_steps in (train_config.num_steps, cosine.DESCRIPTOR.fields_by_name["total_steps"].default_value)


@pytest.mark.parametrize("name", template.names())
def test_the_result_is_the_golden_file(name: str) -> None:
    golden = GOLDEN / f"{name}.config"
    made = make.make(template.read(name), DATASET)
    assert golden.is_file(), f"{golden.name} is missing; read and store:\n{made.text}"
    assert made.text == golden.read_text(encoding="utf-8")


def test_a_template_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="Did you mean ssd_mobilenet_v2_300x300"):
        template.read("ssd_mobilenet_v2_300")
