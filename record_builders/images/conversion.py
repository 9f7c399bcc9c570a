"""Converts images that the engine cannot read, or that it does not read as people see them.

These are: formats that the engine does not decode (GIF, WebP, TIFF and all others that Pillow reads; only the first
frame counts); photos with an EXIF orientation, which the engine ignores; and CMYK and 16 bits per channel, which other
programs cannot read. A JPEG becomes a JPEG of quality 95 without subsampling. All others become a PNG of 8 bits, with
white in place of transparent pixels.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from record_builders.annotations import AnnotatedImage, Box, Found, Keypoint, ObjectAnnotation
from record_builders.images import image_header, pixels
from record_builders.images.image_header import Conversion, ImageHeader
from record_builders.images.masks import Turned
from tfod_tools.base import files
from tfod_tools.base.errors import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image

UNSURE = "Images turned by EXIF, whose boxes are taken as drawn before turning because the annotation does not say it"

_PNG_BITS_OFFSET = 24
_JPEG_QUALITY = 95
_OF_16_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_MODES = ("1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", *_OF_16_BITS[:-1])


def read_header(path: Path | str) -> ImageHeader:
    """Like `image_header.read_header`, but gives a conversion instead of an error, if the image can be converted.

    Decodes each image that will be converted.

    Raises:
      ImageError: neither the engine nor Pillow can read the image.
    """
    try:
        readable = image_header.read_header(path)
    except ImageError as error:
        return _unreadable(path, error)
    content = files.content(path)
    try:
        image = pixels.opened(content)
    except ImageError:  # The engine can read it, so Pillow is not needed.
        return readable
    kinds = []
    if image.mode == "CMYK":
        kinds.append("CMYK")
    if readable.format == "png" and content[_PNG_BITS_OFFSET] == 16:
        kinds.append("16 bits")
    orientation = pixels.orientation(image)
    if orientation != 1:
        kinds.append(f"EXIF orientation {orientation}")
    if not kinds:
        return readable
    pixels.decoded(content)
    kind = f"{readable.format.upper()} with {' and '.join(kinds)}"
    new_format = "jpeg" if readable.format == "jpeg" else "png"
    return readable._replace(format=new_format, conversion=Conversion(kind=kind, orientation=orientation))


def _unreadable(path: Path | str, error: ImageError) -> ImageHeader:
    try:
        content = files.content(path)
        image = pixels.decoded(content)
    except (OSError, ImageError):
        raise error from None
    kind = image.format or ""
    # A JPEG or PNG with an error is damaged, even if Pillow can read a part of it.
    if kind in ("JPEG", "PNG") or image.mode not in _MODES or min(image.size) < 1:
        raise error
    stat = Path(path).stat()
    return ImageHeader(
        width=image.width,
        height=image.height,
        format="png",
        size_bytes=stat.st_size,
        modified_ns=stat.st_mtime_ns,
        conversion=Conversion(kind=kind, orientation=pixels.orientation(image)),
    )


def drawn_upright(header: ImageHeader, stated: tuple[float, float]) -> ImageHeader:
    """The header of an image, with what the annotated size says: whether boxes were drawn on the upright image.

    Args:
      header: with width and height before turning.
      stated: width and height in pixels as annotated.
    """
    conversion, size = header.conversion, (header.width, header.height)
    if conversion is None or conversion.orientation < 5 or size[0] == size[1]:
        return header
    if stated == size[::-1]:
        upright = conversion._replace(drawn="upright")
        return header._replace(width=header.height, height=header.width, conversion=upright)
    return header._replace(conversion=conversion._replace(drawn="stored")) if stated == size else header


def turned(found: Found) -> Found:
    """The image with size, boxes, masks and keypoints turned upright; a fault or LeftOut as it is."""
    if not isinstance(found, AnnotatedImage):
        return found
    header, conversion = found.header, found.header.conversion
    if conversion is None or conversion.orientation == 1 or conversion.drawn == "upright":
        return found
    place = _place(conversion.orientation, header.width, header.height)
    sideways = conversion.orientation >= 5
    size = (header.height, header.width) if sideways else (header.width, header.height)
    objects = tuple(_turned_object(item, place, header) for item in found.objects)
    notes = (*found.notes, UNSURE) if conversion.drawn == "unknown" else found.notes
    return found._replace(
        header=header._replace(width=size[0], height=size[1], conversion=conversion._replace(drawn="upright")),
        objects=objects,
        notes=notes,
    )


Place = Callable[[float, float], tuple[float, float]]


def _place(orientation: int, width: int, height: int) -> Place:
    """The new place of a point of an image of `width` x `height` pixels.

    Source of the numbers: Exif 2.32 (CIPA DC-008), Orientation; 6 is a camera that was turned left.
    """
    places: dict[int, Place] = {
        2: lambda x, y: (width - x, y),
        3: lambda x, y: (width - x, height - y),
        4: lambda x, y: (x, height - y),
        5: lambda x, y: (y, x),
        6: lambda x, y: (height - y, x),
        7: lambda x, y: (height - y, width - x),
        8: lambda x, y: (y, width - x),
    }
    return places[orientation]


def _turned_object(item: ObjectAnnotation, place: Place, header: ImageHeader) -> ObjectAnnotation:
    (x1, y1), (x2, y2) = place(item.box.xmin, item.box.ymin), place(item.box.xmax, item.box.ymax)
    # A box without area, or with sides in the wrong order, stays wrong, so that the checks find it.
    flat = item.box.width <= 0 or item.box.height <= 0
    box = Box(xmin=x1, ymin=y1, xmax=x1, ymax=y1) if flat else Box(
        xmin=min(x1, x2), ymin=min(y1, y2), xmax=max(x1, x2), ymax=max(y1, y2)
    )  # fmt: skip
    points = (place(point.x, point.y) for point in item.keypoints)
    mask = None
    if header.conversion and item.mask and not isinstance(item.mask, Turned):
        orientation = header.conversion.orientation
        mask = Turned(mask=item.mask, orientation=orientation, width=header.width, height=header.height)
    return item._replace(
        box=box,
        mask=mask,
        keypoints=tuple(
            Keypoint(name=old.name, x=x, y=y, visibility=old.visibility)
            for old, (x, y) in zip(item.keypoints, points, strict=True)
        ),
    )


def convert(encoded: bytes, header: ImageHeader) -> bytes:
    """The image file `encoded` in a form that the engine reads as people see it.

    Raises:
      ImageError: the image cannot be decoded.
    """
    if header.conversion is None:
        return encoded
    image = _plain(pixels.decoded(encoded))
    image = pixels.turned(image, header.conversion.orientation)
    file = io.BytesIO()
    if header.format == "jpeg":
        image.save(file, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    else:
        image.save(file, "PNG")
    return file.getvalue()


def _plain(image: Image) -> Image:
    """The image in 8 bits, grey or RGB."""
    from PIL import Image as images

    if image.mode in _OF_16_BITS:
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("1", "L"):
        return image.convert("L")
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        colours = image.convert("RGBA")
        white = images.new("RGBA", image.size, "white")
        return images.alpha_composite(white, colours).convert("RGB")
    return image.convert("RGB")
