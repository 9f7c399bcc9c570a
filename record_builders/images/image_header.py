"""Size and format of an image from its first bytes, and whether the file is complete.

The engine decodes JPEG, PNG and BMP. At any other format, and at a file that ends early, it stops in the middle of
training with InvalidArgumentError (seen with TensorFlow 2.20). Both are errors here.
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
# The bytes that are read at each end of a file: enough for most headers, and to tell different images apart.
_END_BYTES = 4096


class Conversion(NamedTuple):
    """What an image is converted from when it is written.

    Attributes:
      kind: what it is, such as 'GIF' or 'JPEG with CMYK'.
      orientation: of EXIF, 1 to 8; 1 if the image is not to be turned.
      drawn: whether the boxes were drawn on the image as it is stored, or upright, as people see it. 'unknown' is
        treated like 'stored'.
    """

    kind: str
    orientation: int = 1
    drawn: Literal["stored", "upright", "unknown"] = "unknown"


class ImageHeader(NamedTuple):
    """Width and height in pixels as stored (EXIF rotation not applied: the engine ignores it), and the format.

    Attributes:
      format: 'jpeg', 'png' or 'bmp': the format that is written.
      conversion: how the image is converted when it is written; None if it is not. If the annotations belong to the
        upright image, so do width and height.
      size_bytes: size of the file.
      modified_ns: when the file was last changed, in nanoseconds since 1970.
      sample: the CRC-32C of the last 4 KiB of the file. Headers of different images can be equal, compressed data not.
    """

    width: int
    height: int
    format: str
    size_bytes: int = 0
    modified_ns: int = 0
    sample: int = 0
    conversion: Conversion | None = None


def read_header(path: Path | str) -> ImageHeader:
    """The header of the image at `path`. The format is read from the content, not from the extension.

    Raises:
      ImageError: the file cannot be read, is not an image that the engine decodes, or ends early.
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
      ImageError: it is not an image that the engine decodes, or it ends early.
    """
    width, height, kind = _checked(lambda offset, count: encoded[offset : offset + count], len(encoded))
    return ImageHeader(width=width, height=height, format=kind, size_bytes=len(encoded))


# Returns bytes of a file from an offset on: the number that is asked for, or fewer at the end.
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
        raise ImageError(f"its header states {width} x {height} pixels. Replace the file.")
    if not complete:
        raise ImageError(f"the {kind.upper()} ends early. Replace the file.")
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
    raise ValueError(
        f"the file {_kind(start)}, but the engine reads only JPEG, PNG and BMP. Convert it to JPEG or PNG."
    )


def _kind(start: bytes) -> str:
    """What a file that starts with `start` is, in words that follow "the file"."""
    if not start:
        return "is empty"
    if start[:6] in (b"GIF87a", b"GIF89a"):
        return "is a GIF"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "is a WebP"
    if start[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "is a TIFF"
    return f"is of unknown kind (it starts with {start[:8].hex(' ')})"


def metadata(encoded: bytes) -> bytes:
    """The part of a JPEG or PNG file before its image data, where EXIF and XMP are; empty for other files.

    Raises:
      ImageError: the file is damaged there.
    """
    if encoded.startswith(b"\xff\xd8\xff"):
        try:
            return encoded[: _jpeg_frame(lambda offset, count: encoded[offset : offset + count])[0]]
        except (ValueError, struct.error) as exc:
            raise ImageError("the image ends within its header. Replace the file.") from exc
    return encoded[: encoded.find(b"IDAT")] if encoded.startswith(_PNG_SIGNATURE) else b""


def _read_jpeg(read: Read, size_bytes: int) -> tuple[Size, bool]:
    offset, segment = _jpeg_frame(read)
    height, width = struct.unpack_from(">5xHH", segment)
    return (width, height, "jpeg"), _jpeg_ends(read, offset + _JPEG_FRAME_BYTES, size_bytes)


def _jpeg_frame(read: Read) -> tuple[int, bytes]:
    """Where the frame header is, and its bytes."""
    offset = 2
    while True:
        segment = read(offset, _JPEG_FRAME_BYTES)
        prefix, marker = struct.unpack_from("BB", segment)
        if prefix != 0xFF:
            raise ValueError("the JPEG is damaged: a marker is missing. Replace the file.")
        if marker in (0xD9, 0xDA):
            raise ValueError("the JPEG has no frame header. Replace the file.")
        if marker in _JPEG_FRAMES:
            return offset, segment
        if marker == 0xFF:  # Any number of fill bytes can be before a marker.
            offset += 1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD7:
            offset += 2
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
        raise ValueError(
            f"the BMP has {bits} bits per pixel, but the engine reads only 8, 24 and 32. Convert it to PNG."
        )
    row_bytes = (width * bits + 31) // 32 * 4
    # A negative height means that the rows are stored from the top down.
    return (width, abs(height), "bmp"), pixels_offset + row_bytes * abs(height) <= size_bytes
