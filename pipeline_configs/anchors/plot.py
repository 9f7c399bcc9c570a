"""A plot of the sizes of objects and anchors."""

from __future__ import annotations

import importlib
import importlib.util
import io
from typing import TYPE_CHECKING

from pipeline_configs.anchors import anchor_set
from pipeline_configs.anchors.coverage import Coverage
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import MissingPackageError

if TYPE_CHECKING:
    import numpy as np
    from numpy import typing as npt

_DOTS = 20_000
_INCHES = (7, 7)


def check_installed() -> None:
    """Raises MissingPackageError where matplotlib is not installed."""
    if importlib.util.find_spec("matplotlib") is None:
        raise MissingPackageError("matplotlib", "train")


def png(config: Config, coverage: Coverage, title: str) -> bytes:
    """A PNG with width and height of each object, and of the anchors of each layer, in pixels of the input.

    Args:
      config: the config with the anchors, which are drawn for the largest input.
      coverage: how these anchors cover the objects.
      title: the title of the plot.
    """
    figure = importlib.import_module("matplotlib.figure").Figure(figsize=_INCHES, layout="constrained")
    axes = figure.add_subplot()
    step = max(1, -(-len(coverage.sides) // _DOTS))
    for name, which, colour in (
        ("covered", coverage.covered, "tab:green"),
        ("not covered", ~coverage.covered, "tab:red"),
    ):
        some = coverage.sides[which][::step]
        axes.scatter(some[:, 1], some[:, 0], s=2, alpha=0.3, linewidths=0, color=colour, label=f"objects {name}")
    frame = max(coverage.anchors, key=lambda size: size[0] * size[1])
    for layer, (heights, widths) in enumerate(_sides(config, frame)):
        axes.scatter(
            widths, heights, s=45, marker="s", facecolors="none", edgecolors=f"C{layer % 10}", label=f"layer {layer}"
        )
    axes.set(xscale="log", yscale="log", title=title)
    axes.set(xlabel="width, pixels of the input", ylabel="height, pixels of the input")
    axes.legend(fontsize="small", loc="lower right")
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=120, metadata={"Software": None})
    return file.getvalue()


def _sides(config: Config, frame: tuple[int, int]) -> list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Heights and widths of the shapes of each layer, in pixels."""
    anchors = anchor_set.of_config(config, frame)
    found = []
    for grid in anchors.grids:
        heights, widths = grid.sides()
        found.append((heights * float(grid.unit[0]) * anchors.unit[0], widths * float(grid.unit[1]) * anchors.unit[1]))
    return found
