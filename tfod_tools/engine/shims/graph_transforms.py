"""`tensorflow.tools.graph_transforms.TransformGraph`, with the one transform that the engine uses.

Needed by: `object_detection.export_tflite_ssd_graph_lib`, which imports it in TF1 style and removes from a frozen graph
all nodes that its outputs do not need. TensorFlow: every 2.x, because 2.x has no graph transforms.
"""

import importlib.util
from collections.abc import Sequence
from typing import Any

from tfod_tools.engine.shims import _modules

NEEDED_ON = "TensorFlow >= 2.0"

_PACKAGE = "tensorflow.tools.graph_transforms"


def needed(style: str) -> str | None:
    """Why it is needed here; None where it is not."""
    return None if importlib.util.find_spec(_PACKAGE) else f"there is no {_PACKAGE}"


def apply() -> None:
    """Makes the function importable."""
    _modules.register(_PACKAGE, TransformGraph=_transform_graph)


def _transform_graph(
    input_graph_def: Any, inputs: Sequence[str], outputs: Sequence[str], transforms: Sequence[str]
) -> Any:
    """The part of a frozen graph between its inputs and its outputs. The inputs become placeholders of floats.

    Raises:
      ValueError: a transform other than `strip_unused_nodes` is asked for.
    """
    from tensorflow.python.framework import dtypes
    from tensorflow.python.tools import strip_unused_lib

    if list(transforms) != ["strip_unused_nodes"]:
        raise ValueError(
            f"TensorFlow 2 has no graph transforms. Of {list(transforms)} only strip_unused_nodes is here."
        )
    return strip_unused_lib.strip_unused(input_graph_def, list(inputs), list(outputs), dtypes.float32.as_datatype_enum)
