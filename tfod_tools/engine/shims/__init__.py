"""What current TensorFlow, NumPy and Pillow no longer offer and the engine still asks for; one file a family.

Each file says which call of the engine needs it and on which versions, and has one function `apply()`. All are applied
in the child process, before `object_detection` is imported, and change nothing on disk.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection
from typing import Literal

Style = Literal["tf1", "tf2"]

# The first ones decide how TensorFlow starts, the others mend what it lacks.
_OF_STYLE: dict[Style, tuple[str, ...]] = {
    "tf1": (
        "legacy_keras", "tf1_behavior", "numpy_aliases", "pillow_fonts",
        "slim_ops", "contrib", "keras_layers", "estimator",
    ),
    "tf2": ("legacy_keras", "numpy_aliases", "pillow_fonts", "slim_ops", "contrib", "tensorflow_io", "estimator"),
}  # fmt: skip


def names(style: Style) -> tuple[str, ...]:
    """The shims of a style, in the order in which they are applied."""
    return _OF_STYLE[style]


def apply(style: Style, *, without: Collection[str] = ()) -> None:
    """Prepares this process for the engine.

    Args:
      style: "tf1" for slim extractors and the Estimator, "tf2" for Keras extractors and eager training. One process can
        hold only one of them.
      without: shims to leave out, which shows what each is needed for.
    """
    for name in names(style):
        if name not in without:
            importlib.import_module(f"{__name__}.{name}").apply()
