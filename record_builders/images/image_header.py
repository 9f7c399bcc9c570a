"""Size and format of an image from its first bytes, and whether its last ones are there.

The engine decodes JPEG, PNG and BMP. On any other format, and on a file that ends early, training stops in mid-run with
InvalidArgumentError (seen with TensorFlow 2.20); so both are errors here.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import google_crc32c

from tfod_tools.base.errors import ImageError

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_END = b"\xff\xd9"
# Start-of-frame markers: 0xC0 to 0xCF without DHT (C4), JPG (C8) and DAC (CC). ITU-T T.81, table B.1.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Marker, length, precision, height and width.
_JPEG_FRAME_BYTES = 9
_JPEG_TAIL_BYTES = 1 << 16
# What is read of each end of a file: enough, in one go, for most headers, and for telling images from one another.
_END_BYTES = 4096


class Conversion(NamedTuple):
    """What an image is converted from when it is written.

    Attributes:
      kind: what it is, such as 'GIF' or 'JPEG with CMYK'.
      orientation: by EXIF, 1 to 8; 1 where nothing is to be turned.
      drawn: whether the annotations belong to the pixels as they are stored, or upright, as people see them; 'unknown'
        where nothing tells, which is taken as stored.
    """

    kind: str
    orientation: int = 1
    drawn: Literal["stored", "upright", "unknown"] = "unknown"


class ImageHeader(NamedTuple):
    """Width and height in pixels as stored (EXIF rotation not applied: the engine ignores it), and the format.

    Attributes:
      format: 'jpeg', 'png' or 'bmp'; that which is written.
      conversion: what to do to the image when it is written, if anything. Once the annotations are those of the upright
        image, so are width and height.
      size_bytes: of the file.
      modified_ns: when the file was changed last, in nanoseconds since 1970.
      sample: the CRC-32C of the last 4 KiB of the file: what is compressed differs there, while headers are alike.
    """

    width: int
    height: int
    format: str
    size_bytes: int = 0
    modified_ns: int = 0
    sample: int = 0
    conversion: Conversion | None = None


def read_header(path: Path | str) -> ImageHeader:
    """The header of the image at `path`, by its content whatever its extension.

    Raises:
      ImageError: the file cannot be read, is not an image the engine decodes, or ends early.
    """
    try:
        file = os.open(path, os.O_RDONLY)
        try:
            stat = os.fstat(file)
            start = os.pread(file, _END_BYTES, 0)
            rest = max(stat.st_size - _END_BYTES, 0)
            end = os.pread(file, _END_BYTES, rest) if rest else start

            def read(offset: int, count: int) -> bytes:
                if offset + count <= len(start):
                    return start[offset : offset + count]
                if offset >= rest:
                    return end[offset - rest : offset - rest + count]
                return os.pread(file, count, offset)

            width, height, kind = _checked(read, stat.st_size)
        finally:
            os.close(file)
    except OSError as exc:
        raise ImageError(f"cannot read the image: {exc.strerror}.", path=path) from exc
    except ImageError as exc:
        exc.path = path
        raise
    return ImageHeader(
        width=width,
        height=height,
        format=kind,
        size_bytes=stat.st_size,
        modified_ns=stat.st_mtime_ns,
        sample=google_crc32c.value(end),
    )


def header_of(encoded: bytes) -> ImageHeader:
    """The header of the image whose file holds `encoded`.

    Raises:
      ImageError: it is not an image the engine decodes, or ends early.
    """
    width, height, kind = _checked(lambda offset, count: encoded[offset : offset + count], len(encoded))
    return ImageHeader(width=width, height=height, format=kind, size_bytes=len(encoded))


# The bytes of a file from an offset on, as many as asked for or as there are.
Read = Callable[[int, int], bytes]
Size = tuple[int, int, str]


def _checked(read: Read, size_bytes: int) -> Size:
    """Width, height and format."""
    try:
        (width, height, kind), complete = _read(read, size_bytes)
    except struct.error as exc:
        raise ImageError("the image ends within its header. Replace the file.") from exc
    except ValueError as exc:
        raise ImageError(str(exc)) from exc
    if width <= 0 or height <= 0:
        raise ImageError(f"its header says {width}x{height} pixels. Replace the file.")
    if not complete:
        raise ImageError(f"the {kind.upper()} ends early, expected all of it. Replace the file.")
    return width, height, kind


def _read(read: Read, size_bytes: int) -> tuple[Size, bool]:
    """Width, height and format, and whether the end of the image data is there."""
    start = read(0, 16)
    if start.startswith(b"\xff\xd8\xff"):
        return _read_jpeg(read, size_bytes)
    if start.startswith(_PNG_SIGNATURE):
        return _read_png(read, size_bytes)
    if start.startswith(b"BM"):
        return _read_bmp(read, size_bytes)
    raise ValueError(f"found {_kind(start)}, expected JPEG, PNG or BMP. Convert it to JPEG or PNG.")


def _kind(start: bytes) -> str:
    if not start:
        return "an empty file"
    if start[:6] in (b"GIF87a", b"GIF89a"):
        return "a GIF"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "a WebP"
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "a TIFF"
    return f"a file of unknown kind (it starts with {start[:8].hex(' ')})"


def _read_jpeg(read: Read, size_bytes: int) -> tuple[Size, bool]:
    offset = 2
    while True:
        segment = read(offset, _JPEG_FRAME_BYTES)
        prefix, marker = struct.unpack_from("BB", segment)
        if prefix != 0xFF:
            raise ValueError("the JPEG is damaged: a marker is missing. Replace the file.")
        if marker in (0xD9, 0xDA):
            raise ValueError("the JPEG has no frame header. Replace the file.")
        if marker == 0xFF:  # A marker may be preceded by any number of fill bytes.
            offset += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:
            offset += 2
        elif marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">5xHH", segment)
            return (width, height, "jpeg"), _jpeg_ends(read, offset + _JPEG_FRAME_BYTES, size_bytes)
        else:
            (length,) = struct.unpack_from(">2xH", segment)
            offset += 2 + length


def _jpeg_ends(read: Read, frame: int, size_bytes: int) -> bool:
    """Whether an end-of-image marker follows the frame header; cameras may append data of their own after it."""
    return any(
        _JPEG_END in read(max(frame, size_bytes - tail_bytes), tail_bytes)
        for tail_bytes in (len(_JPEG_END), _JPEG_TAIL_BYTES, size_bytes)
    )


def _read_png(read: Read, size_bytes: int) -> tuple[Size, bool]:
    offset = len(_PNG_SIGNATURE)
    _, kind, width, height = struct.unpack(">I4sII", read(offset, 16))
    if kind != b"IHDR":
        raise ValueError("the PNG does not start with its header. Replace the file.")
    size = (width, height, "png")
    while offset + 12 <= size_bytes:
        length, kind = struct.unpack(">I4s", read(offset, 8))
        offset += length + 12
        if kind == b"IEND":
            return size, offset <= size_bytes
    return size, False


def _read_bmp(read: Read, size_bytes: int) -> tuple[Size, bool]:
    pixels_offset, width, height, bits = struct.unpack("<10xI4xii2xH", read(0, 30))
    if bits not in (8, 24, 32):
        raise ValueError(f"found a BMP of {bits} bits per pixel, expected 8, 24 or 32. Convert it to PNG.")
    row_bytes = (width * bits + 31) // 32 * 4
    # A negative height means that the rows are stored from the top down.
    return (width, abs(height), "bmp"), pixels_offset + row_bytes * abs(height) <= size_bytes
