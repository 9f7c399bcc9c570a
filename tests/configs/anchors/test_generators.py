"""Anchors in numbers that are known: counts of published models, sizes of the default SSD, offsets of a pyramid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline_configs.anchors import anchor_set, generators
from pipeline_configs.making import template
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text import schema
from tfod_tools.base.errors import ConfigError

SSD = "model.ssd.anchor_generator.ssd_anchor_generator"


def changed(name: str, **values: str | None) -> Any:
    """A template with other values of its SSD anchor generator."""
    edits = tuple(Edit(path=f"{SSD}.{field}", value=value) for field, value in values.items())
    return ConfigPatch(edits=edits).apply(template.read(name))


@pytest.mark.parametrize(
    ("name", "frame", "count"),
    [
        ("ssd_mobilenet_v2_300x300", (300, 300), 1917),
        ("ssd_mobilenet_v2_320x320_keras", (320, 320), 2034),
        ("ssd_vgg16_300x300_keras", (300, 300), 8732),
        ("faster_rcnn_resnet50", (640, 640), 19200),
        ("faster_rcnn_resnet50", (600, 1024), 29184),
    ],
)
def test_counts_of_published_models(name: str, frame: tuple[int, int], count: int) -> None:
    anchors = anchor_set.of_config(template.read(name), frame)
    assert anchors.count == count
    assert anchors.boxes().shape == (count, 4)


def test_the_default_ssd_in_pixels() -> None:
    """Width x height of the first two layers' anchors, as the engine's own generator prints them."""
    boxes = anchor_set.of_config(template.read("ssd_mobilenet_v2_300x300"), (300, 300)).boxes() * 300
    sides = np.round(boxes[:, 2:] - boxes[:, :2])[:, ::-1].astype(int).tolist()
    assert sides[:3] == [[30, 30], [85, 42], [42, 85]]
    start = 19 * 19 * 3
    assert sides[start : start + 6] == [[105, 105], [148, 74], [74, 148], [182, 61], [61, 182], [125, 125]]
    assert boxes[0].mean() == pytest.approx(300 / 19 / 2)


def test_one_layer_less_for_the_first_one_than_for_the_others() -> None:
    per_position = generators.per_position(template.read("ssd_mobilenet_v2_300x300").model.ssd.anchor_generator)
    assert per_position == [3, 6, 6, 6, 6, 6]
    whole = changed("ssd_mobilenet_v2_300x300", reduce_boxes_in_lowest_layer="false")
    assert generators.per_position(whole.model.ssd.anchor_generator) == [6] * 6
    assert anchor_set.of_config(whole, (300, 300)).count == 3000


def test_squares_stay_squares_on_a_wide_input() -> None:
    boxes = anchor_set.of_config(template.read("ssd_mobilenet_v2_300x300"), (300, 600)).boxes() * [300, 600, 300, 600]
    assert boxes[0, 2:] - boxes[0, :2] == pytest.approx([30, 30])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"num_layers": "5"}, "5 layers, but there are 6 feature maps"),
        ({"num_layers": "1"}, "num_layers 1 and no scales"),
        ({"height_stride": "16, 32", "width_stride": "16, 32"}, "6 layers, but there are 2 strides"),
        ({"height_offset": "16", "width_offset": "16"}, "6 layers, but there are 1 offsets"),
    ],
)
def test_what_the_engine_stops_at(values: dict[str, str], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        anchor_set.of_config(changed("ssd_mobilenet_v2_300x300", **values), (300, 300))


PYRAMID = """multiscale_anchor_generator {
  min_level: 3 max_level: 5 anchor_scale: 4 aspect_ratios: [1, 2, 0.5] scales_per_octave: 2
}"""


def pyramid(text: str) -> Any:
    config = schema.parse(f"model {{ ssd {{ anchor_generator {{ {text} }} }} }}")
    return config.model.ssd.anchor_generator


def test_a_side_that_the_stride_does_not_divide_starts_at_the_border() -> None:
    maps = [(40, 41), (20, 21), (10, 11)]
    known = generators.grids(pyramid(PYRAMID), maps, (320, 328))
    assert [grid.offset for grid in known] == [(4, 4), (8, 0), (16, 0)]
    found_out = generators.grids(pyramid(PYRAMID), maps, (320, 328), known_beforehand=False)
    assert [grid.offset for grid in found_out] == [(4, 4), (8, 8), (16, 16)]
    assert known[0].base == (32, 32)
    assert known[0].scales == pytest.approx((1, 2**0.5) * 3)
    assert known[0].aspect_ratios == (1, 1, 2, 2, 0.5, 0.5)


def test_fractions_need_the_size_of_the_image() -> None:
    with pytest.raises(ConfigError, match="Set it to false"):
        generators.grids(pyramid(PYRAMID), [(40, 40)] * 3, None)


def test_a_flexible_grid_needs_a_ratio_for_each_size() -> None:
    text = "flexible_grid_anchor_generator { anchor_grid { base_sizes: [8, 16] aspect_ratios: 1 } }"
    with pytest.raises(ConfigError, match="2 base_sizes and 1 aspect_ratios"):
        generators.grids(pyramid(text), [(4, 4)], (32, 32))


def test_without_a_generator() -> None:
    with pytest.raises(ConfigError, match="no anchor generator"):
        generators.grids(pyramid(""), [(4, 4)], (32, 32))
