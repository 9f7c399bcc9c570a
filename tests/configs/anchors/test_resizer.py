"""What size an image has when the network sees it; tests/engine/test_anchors.py compares with the engine."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline_configs.anchors import resizer
from pipeline_configs.text import schema
from tfod_tools.base.errors import ConfigError


def message(text: str) -> Any:
    return schema.parse(f"model {{ ssd {{ image_resizer {{ {text} }} }} }}").model.ssd.image_resizer


@pytest.mark.parametrize(
    ("text", "image", "content", "frame"),
    [
        ("fixed_shape_resizer { height: 300 width: 400 }", (720, 1280), (300, 400), (300, 400)),
        ("keep_aspect_ratio_resizer { min_dimension: 600 max_dimension: 1024 }", (720, 1280), (576, 1024), (576, 1024)),
        ("keep_aspect_ratio_resizer { min_dimension: 600 max_dimension: 1024 }", (640, 480), (800, 600), (800, 600)),
        (
            "keep_aspect_ratio_resizer { min_dimension: 640 max_dimension: 640 pad_to_max_dimension: true }",
            (720, 1280), (360, 640), (640, 640),
        ),
        ("identity_resizer {}", (71, 93), (71, 93), (71, 93)),
        ("conditional_shape_resizer { condition: GREATER size_threshold: 300 }", (200, 600), (100, 300), (100, 300)),
        ("conditional_shape_resizer { condition: GREATER size_threshold: 700 }", (200, 600), (200, 600), (200, 600)),
        ("conditional_shape_resizer { condition: SMALLER size_threshold: 300 }", (200, 600), (300, 900), (300, 900)),
        ("conditional_shape_resizer { condition: SMALLER size_threshold: 100 }", (200, 600), (200, 600), (200, 600)),
        ("pad_to_multiple_resizer { multiple: 32 }", (200, 320), (200, 320), (224, 320)),
    ],
)  # fmt: skip
def test_sizes(text: str, image: tuple[int, int], content: tuple[int, int], frame: tuple[int, int]) -> None:
    assert resizer.resized(message(text), image) == resizer.Resized(content, frame)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "no image_resizer"),
        ("keep_aspect_ratio_resizer { min_dimension: 700 max_dimension: 600 }", "min_dimension 700 above"),
        ("pad_to_multiple_resizer { multiple: 0 }", "must be 1 or more"),
    ],
)
def test_what_the_engine_refuses(text: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        resizer.resized(message(text), (480, 640))


def test_which_inputs_are_all_of_one_size() -> None:
    assert resizer.frame(message("fixed_shape_resizer { height: 300 width: 400 }")) == (300, 400)
    padded = "keep_aspect_ratio_resizer { min_dimension: 600 max_dimension: 640 pad_to_max_dimension: true }"
    assert resizer.frame(message(padded)) == (640, 640)
    assert resizer.frame(message("keep_aspect_ratio_resizer { min_dimension: 600 max_dimension: 640 }")) is None
    assert resizer.frame(message("identity_resizer {}")) is None
