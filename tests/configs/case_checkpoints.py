"""Checkpoints written for a case: an index of names and shapes as TensorFlow writes it, and one number for data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

FLOAT = 1
NO_NUMBER = bytes.fromhex("0000c07f")
OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
MAGIC = bytes.fromhex("57fb808b247547db")
RESTART_EVERY = 16


def write(prefix: Path, shapes: Mapping[str, Sequence[int]], value: bytes = bytes(4)) -> None:
    """Writes a checkpoint of 32-bit floats, all of one value."""
    prefix.parent.mkdir(parents=True, exist_ok=True)
    index, size = indexed(shapes)
    Path(f"{prefix}.index").write_bytes(index)
    Path(f"{prefix}.data-00000-of-00001").write_bytes(value * (size // len(value)))


def indexed(shapes: Mapping[str, Sequence[int]], pairs_of_block: int = 20) -> tuple[bytes, int]:
    """The index of such a checkpoint, and the bytes that its data have."""
    pairs, offset = [(b"", field(1, 1))], 0
    for name in sorted(shapes):
        size = 4 * math.prod(shapes[name])
        dimensions = b"".join(field(2, field(1, length)) for length in shapes[name])
        pairs.append((name.encode(), field(1, FLOAT) + field(2, dimensions) + field(4, offset) + field(5, size)))
        offset += size
    return table(pairs, pairs_of_block), offset


def table(pairs: Sequence[tuple[bytes, bytes]], pairs_of_block: int) -> bytes:
    """A sorted table of LevelDB, without checksums."""
    content, handles = b"", []
    for first in range(0, len(pairs), pairs_of_block):
        some = pairs[first : first + pairs_of_block]
        data = block(some)
        handles.append((some[-1][0], varint(len(content)) + varint(len(data))))
        content += data + bytes(5)
    footer = b""
    for data in (block([]), block(handles)):
        footer += varint(len(content)) + varint(len(data))
        content += data + bytes(5)
    return content + footer.ljust(40, b"\0") + MAGIC


def block(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    content, restarts, before = b"", [], b""
    for number, (key, value) in enumerate(pairs):
        if number % RESTART_EVERY == 0:
            restarts.append(len(content))
            before = b""
        shared = next(
            (i for i, (a, b) in enumerate(zip(before, key, strict=False)) if a != b), min(map(len, (before, key)))
        )
        content += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    restarts = restarts or [0]
    return content + b"".join(number.to_bytes(4, "little") for number in (*restarts, len(restarts)))


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(number: int) -> bytes:
    return bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80]) + varint(number >> 7)
