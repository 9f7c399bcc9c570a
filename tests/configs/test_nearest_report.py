"""Every field that differs is told, with its line; the many that decide nothing in one line."""

from __future__ import annotations

import pytest

from pipeline_configs.checking import nearest_report
from pipeline_configs.checking.nearest import Resemblance
from pipeline_configs.patches.difference import Change
from pipeline_configs.text import schema

SIZE = Change("train_config.batch_size", "24", "8")
STEPS = Change("train_config.num_steps", "200000", "unset")
CLASSES = Change("model.ssd.num_classes", "90", "2")
LINES = {SIZE.path: 7, STEPS.path: 5, CLASSES.path: 3}
WEIGHTS = "It starts from none of the weights that were published for the template: ssd_mobilenet_v2_coco_2018_03_29."


def told(changes: list[Change], lesser: list[Change], *, checkpoint: bool = True) -> list[str]:
    like = Resemblance(template="ssd_mobilenet_v2_300x300", changes=changes, lesser=lesser)
    config = schema.parse(f"train_config {{ fine_tune_checkpoint: '{'x' if checkpoint else ''}' }}")
    first, *others = nearest_report.lines(like, config, "a.config", LINES.__getitem__)
    count = first.partition(" from template ssd_mobilenet_v2_300x300")
    assert count[2] == (":" if changes or lesser else ".")
    return [count[0], *others]


@pytest.mark.parametrize(
    ("changes", "lesser", "lines"),
    [
        ([], [], ["0 fields differ"]),
        ([SIZE], [], ["1 field differs", "  a.config:7: train_config.batch_size: 24 -> 8"]),
        (
            [],
            [CLASSES],
            [
                "1 field differs",
                "  a.config: 1 that the data decides or the engine ignores: model.ssd.num_classes: 90 -> 2 (line 3)",
            ],
        ),
        (
            [SIZE],
            [CLASSES, STEPS],
            [
                "3 fields differ",
                "  a.config:7: train_config.batch_size: 24 -> 8",
                "  a.config: and 2 that the data decides or the engine ignores:"
                " model.ssd.num_classes: 90 -> 2 (line 3); train_config.num_steps: 200000 -> unset (line 5)",
            ],
        ),
    ],
)
def test_lines(changes: list[Change], lesser: list[Change], lines: list[str]) -> None:
    assert told(changes, lesser) == lines
    assert told(changes, lesser, checkpoint=False) == [*lines, WEIGHTS]


def test_all_are_told() -> None:
    many = [SIZE] * 100
    assert told(many, many)[0] == "200 fields differ"
    assert len(told(many, many)) == 102


def test_json() -> None:
    like = Resemblance(template="ssd_mobilenet_v2_300x300", changes=[SIZE], lesser=[CLASSES])
    assert nearest_report.as_json(like, LINES.__getitem__) == {
        "template": "ssd_mobilenet_v2_300x300",
        "changes": [{"path": "train_config.batch_size", "line": 7, "old": "24", "new": "8"}],
        "lesser": [{"path": "model.ssd.num_classes", "line": 3, "old": "90", "new": "2"}],
    }
