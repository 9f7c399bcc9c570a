"""Boxes as arrays in `object_detection.dataset_tools.seq_example_util`.

Needed by: `seq_example_util.make_sequence_example`, which `create_ava_actions_tf_record` calls. It checks with
`boxes != []` whether a frame has boxes. NumPy: 1.25 and later, where this comparison raises an error for an array with
boxes; before, the answer was true.
"""

from collections.abc import Iterable
from typing import Any

NEEDED_ON = "NumPy >= 1.25"


def needed(style: str) -> str | None:
    """Why it is needed here; None where it is not."""
    import warnings

    import numpy as np

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _ = np.zeros((1, 4)) != []
        except ValueError:
            return "NumPy does not compare boxes with an empty list"
    return None


def apply() -> None:
    """Passes the boxes on as lists, because lists can be compared."""
    import numpy as np
    from object_detection.dataset_tools import seq_example_util

    of_lists = seq_example_util.boxes_to_box_components

    def boxes_to_box_components(frames: Iterable[Any]) -> Any:
        return of_lists([np.asarray(boxes).tolist() for boxes in frames])

    seq_example_util.boxes_to_box_components = boxes_to_box_components
