"""Things that upstream's tests call, but the engine does not, and that current libraries no longer have.

They are put back only for the tests, so that the tests can show whether the engine works:

  * `PIL.Image.fromarray(random floats, "RGB")`, with which the tests of the record scripts make an image: Pillow 11.3
    and later check the type of the numbers, earlier ones took their bytes;
  * `np.string_`, the type of the strings that `ops_test` passes (NumPy 2.0);
  * `assertAllEqual` of structured arrays (TensorFlow now asks for a type of its own first).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from PIL import Image


def provide() -> None:
    """Puts them back, in a process that has the shims."""
    import tensorflow as tf

    np.string_ = np.bytes_
    Image.fromarray = _also_by_bytes(Image.fromarray)
    tf.test.TestCase.assertAllEqual = _also_of_structured_arrays(tf.test.TestCase.assertAllEqual)


def _also_by_bytes(fromarray: Any) -> Any:
    @functools.wraps(fromarray)
    def wrapped(array: Any, mode: str | None = None) -> Any:
        if mode == "RGB" and array.dtype != np.uint8:
            height, width, channels = array.shape
            return Image.frombytes(mode, (width, height), array.tobytes()[: height * width * channels])
        return fromarray(array) if mode is None else fromarray(array, mode)

    return wrapped


def _also_of_structured_arrays(assert_all_equal: Any) -> Any:
    @functools.wraps(assert_all_equal)
    def wrapped(self: Any, a: Any, b: Any, *args: Any) -> None:
        if isinstance(a, np.ndarray) and a.dtype.names:
            np.testing.assert_array_equal(a, b)
        else:
            assert_all_equal(self, a, b, *args)

    return wrapped
