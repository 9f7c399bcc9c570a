"""The search covers more at the price that it is given, says the same every time, and proposes what can be built."""

from __future__ import annotations

import math
from typing import Any

import pytest
from campaigns.models.bases import BASES
from configs.anchors.made_objects import made, squares

from pipeline_configs.anchors import anchor_set, coverage, generators, input_sizes, moves, plot, search
from pipeline_configs.making import template
from pipeline_configs.patches import patch
from pipeline_configs.patches.patch import ConfigPatch, Edit
from tfod_tools.base.errors import ConfigError

SSD_300 = template.read("ssd_mobilenet_v2_300x300")
_SIZES = "base_sizes: [{0}, {1}] aspect_ratios: [1, 2] height_stride: {2} width_stride: {2}"
_FLEXIBLE = " ".join(f"anchor_grid {{{_SIZES.format(3 * cell, 4 * cell, cell)}}}" for cell in (8, 16, 32, 64, 128))


def changed(config: Any, path: str, value: str) -> Any:
    return ConfigPatch(edits=(Edit(path=path, value=value),)).apply(config)


CONFIGS = {
    "ssd": changed(SSD_300, "model.ssd.anchor_generator.ssd_anchor_generator.min_scale", "0.05"),
    "faster_rcnn": template.read("faster_rcnn_resnet50"),
    "pyramid": BASES["ssd_fpn"].small(),
    "efficientdet": BASES["efficientdet"].small(),
    "pooled": BASES["ssd_ppn"].small(),
    "first_stage_pyramid": BASES["faster_rcnn_fpn"].small(),
    "flexible": changed(
        BASES["ssd_fpn"].small(),
        "model.ssd.anchor_generator",
        f"{{flexible_grid_anchor_generator {{{_FLEXIBLE}}}}}",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGS)
def test_more_is_covered_by_as_many_anchors(name: str) -> None:
    config, objects = CONFIGS[name], made(1500, 300)
    found = search.fit(config, objects)
    before, after = (coverage.of_config(one, objects) for one in (config, found.config))
    assert found.edits
    assert ConfigPatch(edits=found.edits).apply(config) == found.config
    assert after.covered.mean() > before.covered.mean()
    assert found.anchors == max(count for count, _ in after.anchors.values())
    assert found.anchors <= max(count for count, _ in before.anchors.values())
    assert search.fit(config, objects) == found
    counts = generators.per_position(moves.generator(found.config))
    assert min(counts) > 0
    assert len(set(counts)) == 1 or name in ("ssd", "efficientdet", "flexible")


@pytest.mark.slow
def test_more_anchors_cover_more() -> None:
    objects = made(1500, 300)
    shares = []
    for limit in (1917, 3000):
        found = search.fit(CONFIGS["ssd"], objects, limit)
        assert found.anchors <= limit
        shares.append(coverage.of_config(found.config, objects).covered.mean())
    assert shares[1] > shares[0] > coverage.of_config(CONFIGS["ssd"], objects).covered.mean()


def test_fewer_anchors_than_there_are() -> None:
    objects = made(1500, 300)
    found = search.fit(CONFIGS["ssd"], objects, 1000)
    assert 0 < found.anchors <= 1000
    assert found.edits
    assert not search.fit(CONFIGS["ssd"], objects, 1).edits


def test_each_edit_is_needed() -> None:
    found = search.fit(CONFIGS["ssd"], made(1500, 300), 3000)
    paths = [line.split(":")[0] for line in patch.diff(CONFIGS["ssd"], found.config)]
    assert sorted(paths) == sorted(edit.path for edit in found.edits)


def test_nothing_is_proposed_where_all_is_covered() -> None:
    assert not search.fit(SSD_300, squares(105, 500)).edits


def test_objects_that_are_not_learnt_do_not_count() -> None:
    objects = made(200, 20)
    objects.weight[:] = 0
    with pytest.raises(ConfigError, match="no object that counts in the loss"):
        search.fit(SSD_300, objects)


def test_the_picture() -> None:
    pytest.importorskip("matplotlib")
    found = coverage.of_config(SSD_300, made(300, 30))
    assert plot.png(SSD_300, found, "title").startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ssd", "faster_rcnn", "pyramid", "efficientdet"])
def test_a_larger_input_where_it_is_asked_for(name: str) -> None:
    config, objects = CONFIGS[name], made(1500, 300)
    frame = search.fit(config, objects).frame
    pixels = 9 * math.prod(frame) // 4
    found = search.fit(config, objects, max_pixels=pixels)
    assert math.prod(frame) < math.prod(found.frame) <= pixels
    assert any(".image_resizer." in edit.path for edit in found.edits)
    after = coverage.of_config(found.config, objects)
    assert set(after.anchors) == {found.frame}
    assert after.anchors[found.frame][0] == found.anchors <= anchor_set.of_config(config, found.frame).count
    assert after.covered.mean() > coverage.of_config(search.fit(config, objects).config, objects).covered.mean()
    assert search.fit(config, objects, max_pixels=pixels) == found


def test_a_smaller_input() -> None:
    found = search.fit(CONFIGS["ssd"], made(1500, 300), max_pixels=250 * 250)
    assert found.frame == (224, 224)
    assert found.edits


def test_an_input_that_cannot_be_small_enough() -> None:
    found = search.fit(CONFIGS["ssd"], made(1500, 300), max_pixels=100)
    assert not found.edits
    assert found.frame == (300, 300)


def test_both_prices() -> None:
    found = search.fit(CONFIGS["ssd"], made(1500, 300), 1917, 416 * 416)
    assert found.anchors <= 1917
    assert math.prod(found.frame) <= 416 * 416


def test_anchors_at_distances_in_pixels_keep_the_size() -> None:
    layers = range(6)
    strides = [f"height_stride: {16 << layer} width_stride: {16 << layer}" for layer in layers]
    config = changed(
        CONFIGS["ssd"],
        "model.ssd.anchor_generator",
        f"{{ssd_anchor_generator {{aspect_ratios: 1 {' '.join(strides)}}}}}",
    )
    assert not list(input_sizes.of_config(config, ()))
    assert list(input_sizes.of_config(CONFIGS["ssd"], ()))


def test_sizes_keep_their_proportion() -> None:
    sizes = [
        [int(edit.value or 0) for edit in move]
        for move in input_sizes.of_config(template.read("faster_rcnn_resnet50"), ())
    ]
    assert sizes[0] == [320, 544]
    assert all(low % 32 == high % 32 == 0 and low / high == pytest.approx(600 / 1024, rel=0.05) for low, high in sizes)
