"""What a config was made from is found, and what somebody changed in it, whether they remember or not."""

from __future__ import annotations

import pytest
from configs.strategies import configs
from hypothesis import HealthCheck, given, settings

from pipeline_configs import nearest, schema, template
from pipeline_configs.patch import ConfigPatch, Edit
from pipeline_configs.text_proto import Config

ANCHORS = "model.ssd.anchor_generator.ssd_anchor_generator"


def changed(name: str, **values: str | None) -> Config:
    edits = tuple(Edit(path=path.replace("__", "."), value=value) for path, value in values.items())
    return ConfigPatch(edits=edits).apply(template.read(name))


@pytest.mark.parametrize("name", template.names())
def test_a_template_is_nearest_to_itself(name: str) -> None:
    assert nearest.nearest(template.read(name)) == nearest.Resemblance(template=name, changes=[])


def test_what_was_changed() -> None:
    # Somebody said that they had changed the classes and the regularisation (datascience.stackexchange.com, 66683).
    weight = "feature_extractor__conv_hyperparams__regularizer__l2_regularizer__weight"
    edits = {"model__ssd__num_classes": "2", f"model__ssd__{weight}": "0.00007"}
    scale = f"{ANCHORS.replace('.', '__')}__min_scale"
    found = nearest.nearest(changed("ssd_mobilenet_v2_300x300", **edits, **{scale: "0.05"}))
    assert found == nearest.Resemblance(
        template="ssd_mobilenet_v2_300x300",
        changes=[f"{ANCHORS}.min_scale: 0.2 -> 0.05", f"model.ssd.{weight.replace('__', '.')}: 4e-05 -> 7e-05"],
    )


def test_a_default_that_is_written_out_or_left_out_is_no_change() -> None:
    left_out, written = f"{ANCHORS}.min_scale", f"{ANCHORS}.reduce_boxes_in_lowest_layer"
    edits = {left_out.replace(".", "__"): None, written.replace(".", "__"): "true"}
    found = nearest.nearest(changed("ssd_mobilenet_v2_300x300", **edits))
    assert found is not None
    assert found.changes == []


def test_another_extractor() -> None:
    assert nearest.nearest(schema.parse("model { ssd { feature_extractor { type: 'my_own' } } }")) is None
    assert nearest.nearest(schema.parse("")) is None


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(configs())
def test_nothing_is_changed_by_the_comparison(odd: Config) -> None:
    config = template.read("faster_rcnn_resnet50")
    config.MergeFrom(odd)
    before = schema.dump(config)
    nearest.nearest(config)
    assert schema.dump(config) == before
