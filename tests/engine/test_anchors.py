"""Anchors, feature maps, resizers and matches are the engine's own, for every template and every extractor.

Every change is tested with a sample that has each kind of anchor generator and resizer in it, the others with
`make long-test`.

One child process for each style looks at all configs of it: every template, the base configs of tests/models with each
feature extractor type, and some with options that neither has. Feature maps are compared at five sizes of the input for
each type, and at the first size for the other configs, which have no other types.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from campaigns.models import catalogue, runs
from support import engine_child

from pipeline_configs import extractors
from pipeline_configs.making import template
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text import schema

TIMEOUT_S = 3600
TOLERANCE = 1e-6
SSD = "model.ssd.anchor_generator"
FIRST_STAGE = "model.faster_rcnn.first_stage_anchor_generator"

_SIZES = "base_sizes: [24, 32, 40] aspect_ratios: [1, 2, 0.5]"
_FLEXIBLE = " ".join(
    f"anchor_grid {{{_SIZES} height_stride: {2**i} width_stride: {2**i} height_offset: {i} width_offset: {2 * i}}}"
    for i in range(4, 10)
)
# What no template sets: name, template, edits.
VARIANTS = (
    ("scales", "ssd_mobilenet_v2_300x300", {
        f"{SSD}.ssd_anchor_generator.scales": "0.07, 0.2, 0.37, 0.5, 0.7, 0.9",
        f"{SSD}.ssd_anchor_generator.aspect_ratios": "1.0, 0.2, 4.5",
        f"{SSD}.ssd_anchor_generator.reduce_boxes_in_lowest_layer": "false",
        f"{SSD}.ssd_anchor_generator.interpolated_scale_aspect_ratio": "0.5",
        f"{SSD}.ssd_anchor_generator.base_anchor_height": "0.8",
        f"{SSD}.ssd_anchor_generator.base_anchor_width": "1.25",
    }),
    ("strides", "ssd_mobilenet_v2_300x300", {
        f"{SSD}.ssd_anchor_generator.interpolated_scale_aspect_ratio": "0",
        f"{SSD}.ssd_anchor_generator.height_stride": "16, 32, 64, 100, 150, 300",
        f"{SSD}.ssd_anchor_generator.width_stride": "16, 30, 60, 100, 150, 300",
        f"{SSD}.ssd_anchor_generator.height_offset": "8, 16, 32, 50, 75, 150",
        f"{SSD}.ssd_anchor_generator.width_offset": "0, 15, 30, 50, 75, 150",
    }),
    ("thresholds", "ssd_mobilenet_v2_300x300", {
        "model.ssd.matcher.argmax_matcher": "{matched_threshold: 0.6 unmatched_threshold: 0.35}",
        "model.ssd.image_resizer": "{conditional_shape_resizer {condition: SMALLER size_threshold: 400}}",
    }),
    ("greater", "ssd_mobilenet_v2_300x300", {
        "model.ssd.image_resizer": "{conditional_shape_resizer {condition: GREATER size_threshold: 400}}",
    }),
    ("identity", "ssd_mobilenet_v2_300x300", {"model.ssd.image_resizer": "{identity_resizer {}}"}),
    ("padded", "ssd_mobilenet_v2_300x300", {
        "model.ssd.feature_extractor.pad_to_multiple": "32",
        "model.ssd.image_resizer": "{pad_to_multiple_resizer {multiple: 24}}",
    }),
    ("clipped", "faster_rcnn_resnet50", {
        "model.faster_rcnn.clip_anchors_to_image": "true",
        f"{FIRST_STAGE}.grid_anchor_generator.height_offset": "8",
        f"{FIRST_STAGE}.grid_anchor_generator.width_offset": "5",
    }),
    ("flexible", "ssd_mobilenet_v2_320x320_keras", {
        SSD: f"{{flexible_grid_anchor_generator {{{_FLEXIBLE}}}}}",
    }),
)  # fmt: skip


def cases() -> list[tuple[str, Any]]:
    """Name and config of every case, of both styles."""
    found = [(name, template.read(name)) for name in template.names()]
    for model in catalogue.models():
        edits = [edit.partition("=") for edit in model.edits]
        patch = ConfigPatch(edits=tuple(Edit(path=path, value=value) for path, _, value in edits))
        found.append((model.name, patch.apply(schema.read(model.config))))
    for name, base, values in VARIANTS:
        patch = ConfigPatch(edits=tuple(Edit(path=path, value=value) for path, value in values.items()))
        found.append((name, patch.apply(template.read(base))))
    found = [(name, config) for name, config in found if schema.architecture(config) != "center_net"]
    for _, config in found:
        getattr(config.model, schema.architecture(config)).num_classes = 2
    return found


SAMPLE = {
    "ssd_mobilenet_v2_300x300", "ssd_mobilenet_v2_fpnlite_320x320_keras", "ssd_efficientdet_d0_512x512_keras",
    "faster_rcnn_resnet50", "faster_rcnn_resnet50_v1_640x640_keras", *(name for name, _, _ in VARIANTS),
}  # fmt: skip
CASES = cases()
MODELS = {model.name for model in catalogue.models()}
# What the engine cannot build at all; tests/engine/models.json tells why.
BROKEN = {result["type"] for result in runs.read() if not result["ok"]}
_found: dict[tuple[str, bool], dict[str, Any]] = {}


def found(of_style: str, folder: Path, *, sample: bool) -> dict[str, Any]:
    """What the child process of a style says of each of its cases, in the sample or not."""
    if (of_style, sample) not in _found:
        listed = [
            (name, schema.dump(config), name in MODELS)
            for name, config in CASES
            if extractors.style_of(config) == of_style and (name in SAMPLE) == sample
        ]
        (folder / "cases.json").write_text(json.dumps(listed))
        code = (
            "import sys; sys.path.append('tests'); from support import engine_anchors; "
            f"engine_anchors.main({str(folder)!r})"
        )
        done = engine_child.run(of_style, code, timeout_s=TIMEOUT_S)
        assert done.returncode == 0, done.stderr[-3000:]
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"name"')]
        _found[of_style, sample] = {line["name"]: line for line in lines}
    return _found[of_style, sample]


@pytest.mark.parametrize(
    ("name", "config"),
    [
        pytest.param(name, config, id=name, marks=pytest.mark.engine if name in SAMPLE else pytest.mark.long)
        for name, config in CASES
    ],
)
def test_anchors_are_the_engines(name: str, config: Any, tmp_path: Path) -> None:
    result = found(extractors.style_of(config), tmp_path, sample=name in SAMPLE)[name]
    if "spaghettinet" in name:
        assert "not known" in result["skipped"]
        return
    if "stopped" in result:
        assert name.split("-", maxsplit=1)[-1] in BROKEN, result
        return
    assert (result["resizer"], result["maps"], result["matches"]) == (0, 0, 0), result
    assert max(result["anchors"], result["iou"]) <= TOLERANCE, result
    assert result["frames"] == (1 if "embedded" in name else 5)
    assert result["of"] > 0


@pytest.mark.engine
def test_the_bipartite_matcher_is_the_engines(tmp_path: Path) -> None:
    assert found("tf1", tmp_path, sample=True)["bipartite"]["matches"] == 0
