"""The contract of a template: each file in the folder is found, described, complete, and the same however it is read.

Its values are held by test_template_published.py, or by a golden file, which is what it becomes with the data set
below: those of our own have one, and one of each of the engine's models.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from google.protobuf import text_format

from pipeline_configs import extractors
from pipeline_configs.dataset import Dataset, Split
from pipeline_configs.making import make, template
from pipeline_configs.making.make import Request
from pipeline_configs.patches import patch
from pipeline_configs.text import schema
from tfod_tools.base.errors import UsageError

GOLDEN = Path(__file__).parent / "golden"
DATASET = Dataset(
    label_map_path="/data/records/label_map.pbtxt",
    num_classes=3,
    train=Split(pattern="/data/records/train.record-?????-of-00004", images=4000, most_boxes=9),
    val=Split(pattern="/data/records/val.record-?????-of-00001", images=100, most_boxes=9),
)
# What a data set decides.
FILLED = re.compile(
    r"""
    model\.\w+\.num_classes: | model\.center_net\.keypoint_label_map_path:
    | (train_input_reader|eval_input_reader\[0\])\.(label_map_path|tf_record_input_reader\.input_path):
    | eval_input_reader\[0\]\.(shuffle|num_epochs): | eval_config\.(batch_size|metrics_set):
    """,
    re.VERBOSE,
)
# Nobody published a config with these, as far as is known.
EXTRACTORS_WITHOUT = {
    "ssd": {
        "ssd_efficientnet-b7_bifpn_keras",
        "ssd_mobilenet_v1_keras",
        "ssd_mobilenet_v3_small_pruned",
        "ssd_pnasnet",
        "ssd_resnet101_v1_ppn",
        "ssd_resnet152_v1_fpn",
        "ssd_resnet152_v1_ppn",
        "ssd_resnet50_v1_ppn",
        "ssd_spaghettinet",
    },
    "faster_rcnn": {"faster_rcnn_pnas", "faster_rcnn_resnet101_fpn_keras", "faster_rcnn_resnet152_fpn_keras"},
    "center_net": {
        *("hourglass_10", "hourglass_20", "hourglass_32", "hourglass_52"),
        *("mobilenet_v2", "mobilenet_v2_fpn", "mobilenet_v2_fpn_sep_conv"),
        *("resnet_v1_101_fpn", "resnet_v1_18_fpn", "resnet_v1_34_fpn"),
    },
}


def test_there_are_as_many_as_were_published() -> None:
    styles = Counter(row.style for row in template.listing() if row.published)
    assert styles["tf1"] >= 40
    assert styles["tf2"] >= 36


def test_every_extractor_with_a_published_config_has_a_template() -> None:
    covered: dict[str, set[str]] = {architecture: set() for architecture in schema.ARCHITECTURES}
    for name in template.names():
        config = template.read(name)
        architecture = schema.architecture(config)
        covered[architecture].add(getattr(config.model, architecture).feature_extractor.type)
    left = {architecture: set(types) - covered[architecture] for architecture, types in extractors.known().items()}
    assert left == EXTRACTORS_WITHOUT


@pytest.mark.parametrize("name", template.names())
def test_the_first_line_describes_it(name: str) -> None:
    first_line = (template.FOLDER / f"{name}.config").read_text().splitlines()[0]
    description = template.description(name)
    assert first_line == f"# {description}"
    assert description.endswith(".")
    assert ". " not in description


@pytest.mark.parametrize("name", template.names())
def test_it_is_written_as_any_other(name: str) -> None:
    """Fields in the order of the schema, one a line: two templates can be compared line by line."""
    written = [line for line in template.text(name).splitlines() if line and not line.lstrip().startswith("#")]
    config = text_format.MessageToString(template.read(name), as_utf8=True, use_short_repeated_primitives=True)
    assert written == config.splitlines()


@pytest.mark.parametrize("name", template.names())
def test_what_a_data_set_decides_is_left_out(name: str) -> None:
    config = template.read(name)
    model = getattr(config.model, schema.architecture(config))
    assert not model.HasField("num_classes")
    assert not config.train_config.fine_tune_checkpoint
    for reader in (config.train_input_reader, *config.eval_input_reader):
        assert not (reader.label_map_path or reader.WhichOneof("input_reader"))


@pytest.mark.parametrize("name", template.names())
def test_a_data_set_changes_nothing_else(name: str) -> None:
    start = template.read(name)
    changes = patch.diff(start, make.make(start, Request(), DATASET).config)
    assert not [change for change in changes if not FILLED.match(change)]
    assert all(": unset -> " in change for change in changes)
    assert len(changes) == (10 if "kpts" in name else 9)


@pytest.mark.parametrize("name", template.names())
def test_it_says_how_to_train(name: str) -> None:
    train_config = template.read(name).train_config
    assert train_config.batch_size
    assert train_config.num_steps
    optimizer = getattr(train_config.optimizer, train_config.optimizer.WhichOneof("optimizer"))
    assert optimizer.learning_rate.WhichOneof("learning_rate")
    cosine = optimizer.learning_rate.cosine_decay_learning_rate
    assert cosine.total_steps in (train_config.num_steps, cosine.DESCRIPTOR.fields_by_name["total_steps"].default_value)


@pytest.mark.parametrize("golden", sorted(GOLDEN.iterdir()), ids=lambda path: path.stem)
def test_the_result_is_the_golden_file(golden: Path) -> None:
    assert schema.dump(make.make(template.read(golden.stem), Request(), DATASET).config) == golden.read_text(
        encoding="utf-8"
    )


def test_what_nobody_published_has_a_golden_file_and_so_has_one_of_each_model() -> None:
    names = {path.stem for path in GOLDEN.iterdir()}
    assert {row.name for row in template.listing() if not row.published} <= names
    assert {schema.architecture(template.read(name)) for name in names} == set(schema.ARCHITECTURES)


def test_a_template_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="Did you mean ssd_mobilenet_v2_300x300"):
        template.read("ssd_mobilenet_v2_300")
