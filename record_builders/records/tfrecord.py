"""TFRecord files: each record has its length before it, and a masked CRC-32C for both.

    uint64 length | uint32 masked CRC of length | data | uint32 masked CRC of data        (all little-endian)

Source: tensorflow/core/lib/io/record_writer.h and tensorflow/core/lib/hash/crc32c.h (the mask).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import google_crc32c

from tfod_tools.base.errors import RecordError

_HEADER_BYTES = 12
_FOOTER_BYTES = 4
# The file system takes a few large pieces in half the time of many small ones.
_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """A record file that was written.

    Attributes:
      records: number of records.
      size_bytes: size of the file.
      crc32c: of the file, in 8 hexadecimal digits. Cloud storage keeps this checksum for every object.
    """

    records: int
    size_bytes: int
    crc32c: str


def masked_crc32c(data: bytes) -> int:
    """The CRC-32C of `data`, rotated right by 15 bits plus a constant, as TFRecord files store it."""
    crc: int = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def crc32c(path: Path) -> str:
    """The checksum of the file at `path`, as in WrittenFile.

    Raises:
      OSError: the file cannot be read.
    """
    crc = 0
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            crc = google_crc32c.extend(crc, part)
    return f"{crc:08x}"


def write(path: Path, records: Iterable[bytes]) -> WrittenFile:
    """Writes `records` to `path`, one at a time. When it returns, the file is on the disk."""
    crc = count = size_bytes = 0
    with path.open("wb", buffering=_BUFFER_BYTES) as file:
        for record in records:
            length = struct.pack("<Q", len(record))
            header = length + struct.pack("<I", masked_crc32c(length))
            footer = struct.pack("<I", masked_crc32c(record))
            for part in (header, record, footer):
                crc = google_crc32c.extend(crc, part)
                size_bytes += file.write(part)
            count += 1
        file.flush()
        os.fsync(file.fileno())
    return WrittenFile(records=count, size_bytes=size_bytes, crc32c=f"{crc:08x}")


def read(path: Path) -> Iterator[bytes]:
    """The records of `path`, in order. Each is verified.

    Raises:
      RecordError: the file cannot be read or is damaged; it says at which record (from 0) and byte.
    """
    for record in scan(path):
        if isinstance(record, RecordError):
            raise record
        yield record


def scan(path: Path) -> Iterator[bytes | RecordError]:
    """The records of `path`, in order, with an error in the place of a record whose data are damaged.

    Raises:
      RecordError: the file cannot be read, ends early, or is damaged in the length of a record.
    """
    try:
        with path.open("rb") as file:
            size_bytes = os.fstat(file.fileno()).st_size
            number = offset = 0
            while offset < size_bytes:
                where = f"record {number} at byte {offset}"
                header = file.read(_HEADER_BYTES)
                if len(header) < _HEADER_BYTES:
                    raise _ends_early(path, where)
                if not _fits(header[:8], header[8:]):
                    raise _damaged(path, f"length of {where}")
                (length,) = struct.unpack("<Q", header[:8])
                if offset + _HEADER_BYTES + length + _FOOTER_BYTES > size_bytes:
                    raise _ends_early(path, where)
                record = file.read(length)
                fits = _fits(record, file.read(_FOOTER_BYTES))
                yield record if fits else _damaged(path, f"data of {where}")
                number += 1
                offset += _HEADER_BYTES + length + _FOOTER_BYTES
    except OSError as exc:
        raise RecordError(f"cannot read the records: {exc.strerror}.", path=path) from exc


def _fits(data: bytes, stored: bytes) -> bool:
    return struct.pack("<I", masked_crc32c(data)) == stored


def _damaged(path: Path, what: str) -> RecordError:
    return RecordError(f"the {what} is damaged: its CRC-32C does not match. Make the records again.", path=path)


def _ends_early(path: Path, where: str) -> RecordError:
    return RecordError(f"the file ends inside {where}. Make the records again.", path=path)
