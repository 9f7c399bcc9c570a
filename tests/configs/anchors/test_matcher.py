"""Matching by hand: thresholds, forced matches, ties; tests/engine/test_anchors.py compares with the engine."""

from __future__ import annotations

import numpy as np
import pytest
from support import plain_matcher

from pipeline_configs.anchors import matcher
from pipeline_configs.anchors.matcher import ArgMax
from pipeline_configs.making import template
from pipeline_configs.text import schema
from tfod_tools.base.errors import ConfigError

# Of three objects with five anchors.
SIMILARITY = np.float32([[1, 1, 1, 3, 1], [2, -1, 2, 0, 4], [3, 0, -1, 0, 0]])


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (ArgMax(matched=None, unmatched=None, forced=False), [2, 0, 1, 0, 1]),
        (ArgMax(matched=3, unmatched=3, forced=False), [2, -1, -1, 0, 1]),
        (ArgMax(matched=3, unmatched=2, forced=False), [2, -1, -2, 0, 1]),
        (ArgMax(matched=3, unmatched=2, forced=False, background_below=False), [2, -2, -1, 0, 1]),
        (ArgMax(matched=5, unmatched=5, forced=True), [2, -1, -1, 0, 1]),
    ],
)
def test_thresholds(how: ArgMax, expected: list[int]) -> None:
    assert plain_matcher.argmax(SIMILARITY, how).tolist() == expected


def test_the_first_of_two_gets_the_anchor_that_both_want() -> None:
    how = ArgMax(matched=0.5, unmatched=0.5, forced=True)
    similarity = np.float32([[0.1, 0.4], [0.2, 0.45]])
    assert plain_matcher.argmax(similarity, how).tolist() == [-1, 0]
    assert plain_matcher.argmax(similarity, how, np.array([False, True])).tolist() == [-1, 1]


def test_without_objects_all_is_background() -> None:
    how = ArgMax(matched=0.5, unmatched=0.5, forced=True)
    assert plain_matcher.argmax(np.empty((0, 3), np.float32), how).tolist() == [-1, -1, -1]
    assert plain_matcher.bipartite(np.empty((0, 3), np.float32)).tolist() == [-1, -1, -1]


def test_bipartite_pairs_the_most_similar_first() -> None:
    similarity = np.float32([[0.9, 0.8, 0.1], [0.7, 0.85, 0.2]])
    assert plain_matcher.bipartite(similarity).tolist() == [0, 1, -1]
    assert plain_matcher.bipartite(similarity, np.array([False, True])).tolist() == [-1, 0, -1]


def test_iou() -> None:
    boxes = np.float32([[0, 0, 2, 2], [0, 0, 0, 0]])
    others = np.float32([[1, 1, 3, 3], [0, 0, 2, 2], [5, 5, 6, 6]])
    assert matcher.iou(boxes[:, None], others[None]).tolist() == [[np.float32(1) / np.float32(7), 1, 0], [0, 0, 0]]


def test_which_matcher_a_config_has() -> None:
    assert matcher.of_config(template.read("faster_rcnn_resnet50")) == matcher.FIRST_STAGE
    ssd = matcher.of_config(template.read("ssd_mobilenet_v2_300x300"))
    assert (ssd.matched, ssd.unmatched, ssd.forced, ssd.background_below) == (0.5, 0.5, True, True)
    with pytest.raises(ConfigError, match="no argmax_matcher"):
        matcher.of_config(schema.parse("model { ssd { matcher { bipartite_matcher {} } } }"))
