"""Reads a sorted table of keys and values: LevelDB's format, which TensorFlow uses for the index of a checkpoint.

Format: github.com/google/leveldb/blob/main/doc/table_format.md. TensorFlow does not compress an index.
"""

from __future__ import annotations

from collections.abc import Iterator

from tfod_tools.base.errors import CheckpointError

_FOOTER_BYTES = 48
_MAGIC = 0xDB4775248B80FB57.to_bytes(8, "little")
_RESTART_BYTES = 4
_LONGEST_VARINT_BITS = 70


def pairs(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each key of the table with its value, in the order of the keys. Checksums are not compared.

    Raises:
      CheckpointError: the bytes are not such a table, or they are cut off, damaged or compressed.
    """
    if len(table) < _FOOTER_BYTES or not table.endswith(_MAGIC):
        raise CheckpointError(
            "does not end like the index of a checkpoint. It may be cut off. Copy or download it again."
        )
    try:
        footer = table[-_FOOTER_BYTES:]
        _, at = _handle(footer, 0)  # of the meta index, which is empty
        index, _ = _handle(footer, at)
        for _, value in _entries(_block(table, *index)):
            block, _ = _handle(value, 0)
            yield from _entries(_block(table, *block))
    except IndexError as error:
        raise damaged() from error


def damaged() -> CheckpointError:
    """The error for bytes that contradict each other."""
    return CheckpointError("is a checkpoint's index, but it is damaged. Copy or download it again.")


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number of variable length that starts at `at`, at most 64 bits, and the place after it.

    Raises:
      IndexError: the data end before the number does.
      CheckpointError: the number has more bytes than 64 bits need.
    """
    number = 0
    for shift in range(0, _LONGEST_VARINT_BITS, 7):
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return number, at
    raise damaged()


def _handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    """Offset and size of a block, in bytes, and the place after them."""
    offset, at = varint(data, at)
    size, at = varint(data, at)
    return (offset, size), at


def _block(table: bytes, offset: int, size: int) -> bytes:
    if table[offset + size]:  # the byte after a block says how the block is compressed
        raise CheckpointError("is compressed, but TensorFlow does not compress an index. Copy or download it again.")
    return table[offset : offset + size]


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The pairs of a block. A key is written as the length that it shares with the key before it, and the rest."""
    restarts = int.from_bytes(block[-_RESTART_BYTES:], "little")
    end = len(block) - _RESTART_BYTES * (restarts + 1)
    if end < 0:
        raise damaged()
    key, at = b"", 0
    while at < end:
        shared, at = varint(block, at)
        written, at = varint(block, at)
        size, at = varint(block, at)
        if shared > len(key) or at + written + size > end:
            raise damaged()
        key = key[:shared] + block[at : at + written]
        yield key, block[at + written : at + written + size]
        at += written + size
