"""The figures of an evaluation, as a document for programs and as tables for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfod_tools.base import tables


def document(result: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a metrics file.

    Args:
      result: what the engine's evaluation returned: step, checkpoint (a path) and metrics.

    Returns:
      `format_version`, `step`, `checkpoint` (its name), and `metrics`: COCO's twelve figures by name, `per_class` (for
      each class `name`, `groundtruth`, `AP`, `AP50`), `images`, `boxes`, `detections`. Figures are in 0..1, or None if
      there is no object to find.
    """
    return {
        "format_version": 1,
        "step": result["step"],
        "checkpoint": Path(result["checkpoint"]).name,
        "metrics": result["metrics"],
    }


def encoded(content: Mapping[str, Any]) -> bytes:
    """The bytes of a metrics file."""
    return (json.dumps(content, indent=2) + "\n").encode()


def lines(metrics: Mapping[str, Any]) -> list[str]:
    """Two tables: COCO's figures, and the figures of each class."""
    summary = [(name, metrics[name]) for name in metrics if name.startswith(("AP", "AR"))]
    rows = [(entry["name"], entry["groundtruth"], entry["AP"], entry["AP50"]) for entry in metrics["per_class"]]
    return [
        *tables.lines(("metric", "value"), summary),
        "",
        *tables.lines(("class", "objects", "AP", "AP50"), rows),
    ]
