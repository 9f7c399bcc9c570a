"""The figures of an evaluation as tables and as a document."""

import json

from tfod_tools.metrics import figures

METRICS = {
    "AP": 0.25,
    "AP50": 0.5,
    "AR_100": None,
    "per_class": [{"name": "ball\x1b[31m", "groundtruth": 7, "AP": 0.25, "AP50": None}],
    "images": 3,
    "boxes": 7,
    "detections": 9,
}


def test_the_document_names_the_checkpoint_without_its_folder() -> None:
    document = figures.document({"event": "result", "step": 5, "checkpoint": "a/b/ckpt-5", "metrics": METRICS})
    assert document == {"format_version": 1, "step": 5, "checkpoint": "ckpt-5", "metrics": METRICS}
    assert json.loads(figures.encoded(document)) == document


def test_two_tables() -> None:
    lines = [line.split() for line in figures.lines(METRICS)]
    assert ["AP50", "0.500"] in lines
    assert ["AR_100", "-"] in lines
    assert ["ball\\x1b[31m", "7", "0.250", "-"] in lines
    assert not [line for line in lines if line[:1] in (["images"], ["boxes"])]
