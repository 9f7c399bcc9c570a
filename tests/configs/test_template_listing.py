"""What the comments of a template say is what its config and the zoo say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline_configs import extractors
from pipeline_configs.making import template, zoo
from pipeline_configs.patches.patch import ConfigPatch
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import UsageError

ZOO = Path(__file__).parents[2].parent / "shared" / "reference" / "zoo.json"


def listed(name: str) -> template.Listed:
    (row,) = [row for row in template.listing() if row.name == name]
    return row


def test_all_are_listed_by_name() -> None:
    assert [row.name for row in template.listing()] == list(template.names())


@pytest.mark.parametrize("name", template.names())
def test_the_comments_agree_with_the_config(name: str) -> None:
    config = template.read(name)
    assert listed(name).style == extractors.style_of(config)
    assert listed(name).input_size == input_size(config)
    assert listed(name).architecture == architecture(config)


@pytest.mark.parametrize("name", template.names())
def test_the_name_tells_the_style(name: str) -> None:
    assert name.endswith("_keras") == (listed(name).style == "tf2")


@pytest.mark.parametrize("name", template.names())
def test_the_comments_agree_with_the_zoo(name: str) -> None:
    if not ZOO.is_file():
        pytest.skip("the zoo's figures are not here")
    row, found = listed(name), zoo.checkpoint(name)
    if found is None:
        assert (row.zoo_data, row.zoo_map, row.zoo_speed_ms) == ("", None, None)
        return
    (entry,) = [entry for entry in json.loads(ZOO.read_text())["models"] if entry["url"] == found.url]
    assert (row.zoo_map, row.zoo_speed_ms) == (entry["map"], entry["speed_ms"])
    assert found.name == entry["dirname"]
    assert found.prefix == entry["checkpoint_prefix"]
    assert found.type == entry["fine_tune_checkpoint_type"]
    assert row.style == f"tf{entry['tf_version']}"


@pytest.mark.parametrize(
    ("name", "version"), [("ssd_mobilenet_v2_300x300", "V1"), ("ssd_mobilenet_v2_320x320_keras", "V2")]
)
def test_training_begins_with_the_weights(name: str, version: str) -> None:
    found = zoo.weights(name, 'weights of "mine"/ckpt-0', Path("unused"))
    config = ConfigPatch(edits=found.edits()).apply(template.read(name))
    train_config = config.train_config
    assert train_config.fine_tune_checkpoint == f'{Path.cwd()}/weights of "mine"/ckpt-0'
    assert train_config.fine_tune_checkpoint_type == "detection"
    versions = train_config.DESCRIPTOR.fields_by_name["fine_tune_checkpoint_version"].enum_type.values_by_name
    assert train_config.fine_tune_checkpoint_version == versions[version].number


def test_a_template_without_weights() -> None:
    assert zoo.checkpoint("ssd_vgg16_300x300_keras") is None


def test_a_template_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="Did you mean ssd_mobilenet_v2_300x300"):
        zoo.checkpoint("ssd_mobilenet_v2_300")


def input_size(config: Config) -> str:
    resizer = getattr(config.model, schema.architecture(config)).image_resizer
    if resizer.HasField("fixed_shape_resizer"):
        return f"{resizer.fixed_shape_resizer.height}x{resizer.fixed_shape_resizer.width}"
    keep = resizer.keep_aspect_ratio_resizer
    if keep.pad_to_max_dimension and keep.min_dimension == keep.max_dimension:
        return f"{keep.min_dimension}x{keep.max_dimension}"
    return f"{keep.min_dimension}-{keep.max_dimension}"


def architecture(config: Config) -> str:
    if config.model.HasField("center_net"):
        return "CenterNet with keypoints" if config.model.center_net.keypoint_estimation_task else "CenterNet"
    if config.model.HasField("ssd"):
        extractor = config.model.ssd.feature_extractor.type
        kinds = {"mnasfpn": "SSD with MnasFPN", "efficientnet": "EfficientDet", "_fpn": "SSD with FPN"}
        return next((kind for word, kind in {**kinds, "_ppn": "SSD with PPN"}.items() if word in extractor), "SSD")
    model = config.model.faster_rcnn
    if model.second_stage_box_predictor.HasField("rfcn_box_predictor"):
        return "R-FCN"
    if model.second_stage_box_predictor.mask_rcnn_box_predictor.predict_instance_masks:
        return "Mask R-CNN"
    if model.HasField("context_config"):
        return "Context R-CNN"
    return "Faster R-CNN with FPN" if "_fpn" in model.feature_extractor.type else "Faster R-CNN"
