"""Decoding of images with Pillow, which is loaded only where that is asked for."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from tfod_tools.base.errors import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image


def decoded(encoded: bytes) -> Image:
    """The image whose file holds `encoded`, all of its pixels read.

    Raises:
      ImageError: Pillow cannot decode it.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, and of many pixels
            image = Image.open(io.BytesIO(encoded))
            image.load()
            return image
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as exc:
        reason = "it is in no format that Pillow knows" if isinstance(exc, UnidentifiedImageError) else exc
        raise ImageError(f"the image cannot be decoded: {reason}. Replace the file.") from exc
