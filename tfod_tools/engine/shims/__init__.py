"""Shims: things that the engine calls and that current TensorFlow, NumPy or Pillow no longer have.

Each shim is one file, or one package. Its docstring says which call of the engine needs it and on which versions
(`NEEDED_ON`). `needed(style)` checks whether this process needs it and says why; `apply()` applies it. The shims that
are needed are applied in the child process, before `object_detection` is imported. They change nothing on disk.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator
from types import ModuleType
from typing import Literal

from tfod_tools.base import engine_source

Style = Literal["tf1", "tf2"]

# The first ones decide how TensorFlow starts. The others add what it lacks.
_OF_STYLE: dict[Style, tuple[str, ...]] = {
    "tf1": (
        "legacy_keras", "tf1_behavior", "numpy_aliases", "pillow_fonts",
        "slim_ops", "contrib", "graph_transforms", "keras_layers", "estimator",
        "figure_pixels", "sequence_examples",
    ),
    "tf2": (
        "legacy_keras", "numpy_aliases", "pillow_fonts",
        "slim_ops", "contrib", "keras_package", "tensorflow_io", "estimator",
        "figure_pixels", "sequence_examples", "eager_int",
    ),
}  # fmt: skip


def names(style: Style) -> tuple[str, ...]:
    """The shims of a style, in the order in which they are applied."""
    return _OF_STYLE[style]


def load(name: str) -> ModuleType:
    """The shim's module, with `NEEDED_ON`, `needed(style)` and `apply()`."""
    return importlib.import_module(f"{__name__}.{name}")


def apply(style: Style, *, without: Collection[str] = ()) -> None:
    """Prepares this process for the engine.

    Args:
      style: "tf1" for slim extractors and the Estimator, "tf2" for Keras extractors and eager training. A process can
        hold only one style.
      without: shims to leave out; tests show so that each one is needed.
    """
    for _ in applying(style, without=without):
        pass


def applying(style: Style, *, without: Collection[str] = ()) -> Iterator[tuple[str, str | None]]:
    """As `apply`, one shim at a time.

    Yields:
      Before each shim is applied: its name, and why it is needed, or None where it is not.
    """
    engine_source.activate()
    for name in names(style):
        shim = load(name)
        reason = None if name in without else shim.needed(style)
        yield name, reason
        if reason:
            shim.apply()
