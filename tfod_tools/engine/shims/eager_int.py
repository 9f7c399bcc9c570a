"""`int(tensor)` of an eager tensor with one element and a dimension.

Needed by: `object_detection.dataset_tools.context_rcnn.generate_embedding_data`, which counts the detections of a
SavedModel in this way, and by own code that reads `num_detections` in this way. NumPy: 2.4 and later, which convert
only arrays without dimensions; TensorFlow leaves the conversion to NumPy.
"""

from typing import Any

NEEDED_ON = "NumPy >= 2.4"


def needed(style: str) -> str | None:
    """Why it is needed here; None where it is not."""
    import warnings

    import numpy as np

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            int(np.zeros(1))
        except TypeError:
            return "NumPy makes no number of an array with one element"
    return None


def apply() -> None:
    """Takes the one element out first. A tensor with several elements is refused as before."""
    from tensorflow.python.framework import ops

    def to_int(tensor: Any) -> int:
        array = tensor.numpy()
        return int(array.item() if array.size == 1 else array)

    ops.EagerTensor.__int__ = to_int
