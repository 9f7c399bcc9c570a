"""The engine builds what a template describes: one of each architecture; `make engine-templates` builds all."""

from pathlib import Path

import pytest
from campaigns.models import data, templates

pytestmark = pytest.mark.engine

# The quickest of each style and architecture.
QUICK = {
    "tf1": (
        "context_rcnn_resnet101",
        "faster_rcnn_inception_v2",
        "mask_rcnn_inception_v2",
        "rfcn_resnet101",
        "ssd_mobilenet_v1_fpn_shared_box_predictor_640x640",
        "ssd_mobilenet_v1_ppn_shared_box_predictor_300x300",
        "ssd_mobilenet_v2_mnasfpn_shared_box_predictor_320x320",
        "ssd_mobilenet_v2_quantized_300x300",
    ),
    "tf2": (
        "centernet_resnet50_v2_512x512_keras",
        "centernet_resnet50_v2_512x512_kpts_keras",
        "faster_rcnn_resnet50_v1_640x640_keras",
        "faster_rcnn_resnet50_v1_fpn_640x640_keras",
        "mask_rcnn_inception_resnet_v2_1024x1024_keras",
        "ssd_efficientdet_d0_512x512_keras",
        "ssd_mobilenet_v2_320x320_keras",
        "ssd_mobilenet_v2_fpnlite_320x320_keras",
    ),
}


@pytest.mark.parametrize("style", QUICK)
def test_templates_are_built(style: str, tmp_path: Path) -> None:
    data.make(tmp_path)
    wanted = [model for model in templates.models() if model.name in QUICK[style]]
    built = list(templates.build(wanted, tmp_path, tmp_path / "run"))
    assert [result["name"] for result in built] == list(QUICK[style])
    assert {result["name"]: result["why"] for result in built if "why" in result} == {}
    assert all("detection_boxes" in result["detections"] for result in built)


def test_there_is_one_of_each_architecture_and_style() -> None:
    chosen = {name for names in QUICK.values() for name in names}
    models = templates.models()
    assert {(m.style, m.architecture) for m in models} == {
        (m.style, m.architecture) for m in models if m.name in chosen
    }
