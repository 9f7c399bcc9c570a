"""What current TensorFlow, NumPy and Pillow no longer offer and the engine still asks for; one file a family.

Each file says which call of the engine needs it and on which versions (`NEEDED_ON`), and has two functions:
`needed(style)`, which looks whether it is needed in this process and says why, and `apply()`. Those that are needed are
applied in the child process, before `object_detection` is imported, and change nothing on disk.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator
from types import ModuleType
from typing import Literal

from tfod_tools.base import engine_source

Style = Literal["tf1", "tf2"]

# The first ones decide how TensorFlow starts, the others mend what it lacks.
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
      style: "tf1" for slim extractors and the Estimator, "tf2" for Keras extractors and eager training. One process can
        hold only one of them.
      without: shims to leave out, which shows what each is needed for.
    """
    for _ in applying(style, without=without):
        pass


def applying(style: Style, *, without: Collection[str] = ()) -> Iterator[tuple[str, str | None]]:
    """As `apply`, telling of each shim, in the moment before it is applied, its name and why it is needed, or None."""
    engine_source.activate()
    for name in names(style):
        shim = load(name)
        reason = None if name in without else shim.needed(style)
        yield name, reason
        if reason:
            shim.apply()
