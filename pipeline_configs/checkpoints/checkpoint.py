"""The names and shapes of the weights in a TensorFlow checkpoint, read from its index without TensorFlow.

The index maps each name to a `BundleEntryProto`, and "" to a `BundleHeaderProto`; both are defined in
github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/tensor_bundle.proto.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_configs.checkpoints import sstable
from tfod_tools.base.errors import CheckpointError

# Fields by number.
_HEADER_SHARDS = 1
_ENTRY_TYPE, _ENTRY_SHAPE, _ENTRY_SHARD, _ENTRY_OFFSET, _ENTRY_SIZE = 1, 2, 3, 4, 5
_SHAPE_DIMENSION = 2
_DIMENSION_SIZE = 1

CLASSIFIER = "feature_extractor/"  # the beginning of the names in a TF2 checkpoint of a classifier
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_HEADER = b""
_SLICE = b"\0"  # the beginning of the key of a part of a tensor; the whole tensor has an entry too

# NumPy's names of TensorFlow's floating-point types: DataType in tensorflow/core/framework/types.proto.
_FLOATS = {1: "<f4", 2: "<f8", 19: "<f2"}

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The place of a tensor's numbers.

    Attributes:
      kind: NumPy's name of their type.
      file: the end of the file's name, after the prefix.
      offset: bytes before them in the file.
      size: how many bytes they take.
    """

    kind: str
    file: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The contents of a checkpoint.

    Attributes:
      prefix: the beginning of its files' names.
      shapes: the shape of each tensor, by name.
      numbers: the place of the numbers of each floating-point tensor, by name.
    """

    prefix: str
    shapes: Mapping[str, Shape]
    numbers: Mapping[str, Numbers]

    @property
    def object_based(self) -> bool:
        """Whether it is of TF2 style, in which the name of a weight is a path from object to object."""
        return _OBJECT_GRAPH in self.shapes

    @property
    def of_detector(self) -> bool:
        """Whether it is of TF2 style and comes from the training of a detector."""
        return self.object_based and self.has("model/") and not self.has(CLASSIFIER)

    def has(self, beginning: str) -> bool:
        """Whether the name of a tensor has this beginning."""
        return any(name.startswith(beginning) for name in self.shapes)

    @property
    def kind(self) -> str:
        """Its style in words, for messages."""
        return f"a checkpoint of TF{2 if self.object_based else 1} style"


def read(prefix: str) -> Checkpoint:
    """The checkpoint whose files' names begin with `prefix`.

    Raises:
      CheckpointError: there is no such checkpoint, its index cannot be read, or a part of its data is missing.
    """
    index = Path(f"{prefix}.index")
    try:
        content = index.read_bytes()
    except (OSError, ValueError) as error:
        message = f"this is not the prefix of a checkpoint: there is no file {index.name}. Check the prefix."
        raise CheckpointError(message, path=prefix) from error
    try:
        shapes, numbers, files = _read(content)
    except CheckpointError as error:
        error.path = index
        raise
    for suffix, size in files.items():
        _check_data(Path(f"{prefix}{suffix}"), size)
    return Checkpoint(prefix=prefix, shapes=shapes, numbers=numbers)


def not_a_number(there: Checkpoint) -> str | None:
    """The name of the first tensor, in order of names, that has an infinite value or NaN; None if there is none.

    Raises:
      CheckpointError: the data cannot be read.
    """
    import numpy as np

    for name, numbers in sorted(there.numbers.items()):
        path = Path(f"{there.prefix}{numbers.file}")
        try:
            values = np.fromfile(path, numbers.kind, numbers.size // int(numbers.kind[2:]), offset=numbers.offset)
        except OSError as error:
            raise CheckpointError(f"cannot be read: {error.strerror}. Check the file.", path=path) from error
        if not np.isfinite(values).all():
            return name
    return None


def _read(index: bytes) -> tuple[dict[str, Shape], dict[str, Numbers], dict[str, int]]:
    """Shapes by name, numbers by name, and the size in bytes of each data file, by the end of its name."""
    entries = dict(sstable.pairs(index))
    try:
        shards = _number(entries.pop(_HEADER), _HEADER_SHARDS)
        shapes: dict[str, Shape] = {}
        numbers: dict[str, Numbers] = {}
        files: dict[str, int] = {}
        for key, entry in entries.items():
            suffix = f".data-{_number(entry, _ENTRY_SHARD):05d}-of-{shards:05d}"
            offset, size = _number(entry, _ENTRY_OFFSET), _number(entry, _ENTRY_SIZE)
            files[suffix] = max(files.get(suffix, 0), offset + size)
            if key.startswith(_SLICE):
                continue
            shapes[name := key.decode()] = _shape(entry)
            if kind := _FLOATS.get(_number(entry, _ENTRY_TYPE)):
                numbers[name] = Numbers(kind=kind, file=suffix, offset=offset, size=size)
        return shapes, numbers, files
    except (LookupError, ValueError, TypeError) as error:
        raise sstable.damaged() from error


def _check_data(path: Path, size: int) -> None:
    if not path.is_file():
        raise CheckpointError(
            "is missing, but the .index file of the checkpoint is there. Copy this file too.", path=path
        )
    if path.stat().st_size < size:
        raise CheckpointError(f"is cut off: it has {path.stat().st_size} of {size} bytes. Copy it again.", path=path)


def _shape(entry: bytes) -> Shape:
    return tuple(
        _number(dimension, _DIMENSION_SIZE)
        for field, shape in _fields(entry)
        if field == _ENTRY_SHAPE
        for number, dimension in _fields(shape)
        if number == _SHAPE_DIMENSION
    )


def _number(message: bytes, field: int) -> int:
    """The field's number; 0 if it is not set."""
    return next((int(value) for number, value in _fields(message) if number == field), 0)


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The number and value of each field of a protocol buffer message. A value is an int or bytes."""
    at = 0
    while at < len(message):
        tag, at = sstable.varint(message, at)
        match tag & 7:
            case 0:
                value, at = sstable.varint(message, at)
                yield tag >> 3, value
                continue
            case 2:
                size, at = sstable.varint(message, at)
            case 1 | 5 as kind:
                size = 8 if kind == 1 else 4
            case _:
                raise sstable.damaged()
        if at + size > len(message):
            raise sstable.damaged()
        yield tag >> 3, message[at : at + size]
        at += size
