"""Decoding images with Pillow, which is loaded only when an image is decoded; and their EXIF orientation."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from record_builders.images import image_header
from tfod_tools.base.errors import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image

_ORIENTATION = 0x0112
# Metadata without any of these bytes have no orientation: Exif of JPEG and of PNG, and XMP.
_ORIENTATION_MARKS = (b"Exif\0\0", b"eXIf", b"tiff:Orientation")


def opened(encoded: bytes) -> Image:
    """The image whose file holds `encoded`. Only its header is read.

    Raises:
      ImageError: Pillow does not know the format.
    """
    return _read(encoded, pixels_too=False)


def decoded(encoded: bytes) -> Image:
    """The image whose file holds `encoded`, with all of its pixels.

    Raises:
      ImageError: Pillow cannot decode it.
    """
    return _read(encoded, pixels_too=True)


def _read(encoded: bytes, *, pixels_too: bool) -> Image:
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata and of very large images
            image = Image.open(io.BytesIO(encoded))
            if pixels_too:
                image.load()
            return image
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as exc:
        reason = "its format is not known" if isinstance(exc, UnidentifiedImageError) else exc
        raise ImageError(f"the image cannot be decoded: {reason}. Replace the file.") from exc


def orientation(image: Image) -> int:
    """The EXIF orientation of an image, 1 to 8; 1 if it has none, or one that cannot be read."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except (OSError, SyntaxError, ValueError, KeyError, TypeError):  # damaged metadata
        return 1
    return int(value) if value in range(2, 9) else 1


def orientation_of(encoded: bytes) -> int:
    """The EXIF orientation of the JPEG, PNG or BMP whose file holds `encoded`. Loads Pillow only if it has metadata."""
    try:
        start = image_header.metadata(encoded)
        return orientation(opened(encoded)) if any(mark in start for mark in _ORIENTATION_MARKS) else 1
    except ImageError:
        return 1


def turned(image: Image, orientation: int) -> Image:
    """The image upright, after its EXIF orientation, 1 to 8, was applied."""
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
