"""Decoding of images with Pillow, which is loaded only where that is asked for."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from tfod_tools.base.errors import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image


def opened(encoded: bytes) -> Image:
    """The image whose file holds `encoded`, of which only the header is read.

    Raises:
      ImageError: Pillow does not know the format.
    """
    return _read(encoded, pixels_too=False)


def decoded(encoded: bytes) -> Image:
    """The image whose file holds `encoded`, all of its pixels read.

    Raises:
      ImageError: Pillow cannot decode it.
    """
    return _read(encoded, pixels_too=True)


def _read(encoded: bytes, *, pixels_too: bool) -> Image:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, and of many pixels
            image = Image.open(io.BytesIO(encoded))
            if pixels_too:
                image.load()
            return image
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as exc:
        reason = "it is in no format that Pillow knows" if isinstance(exc, UnidentifiedImageError) else exc
        raise ImageError(f"the image cannot be decoded: {reason}. Replace the file.") from exc


def turned(image: Image, orientation: int) -> Image:
    """The image upright, by its EXIF orientation from 1 to 8."""
    from PIL.Image import Transpose

    ways = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(ways[orientation]) if orientation in ways else image
