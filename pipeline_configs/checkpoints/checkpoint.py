"""What a checkpoint of TensorFlow holds, told from its index: names and shapes, without TensorFlow.

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

CLASSIFIER = "feature_extractor/"  # begins the names of a classification network of TF2's kind
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_HEADER = b""
_SLICE = b"\0"  # begins the key of a part of a tensor; the whole tensor has an entry too

# NumPy's names of TensorFlow's floating-point types: DataType in tensorflow/core/framework/types.proto.
_FLOATS = {1: "<f4", 2: "<f8", 19: "<f2"}

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Where the numbers of a tensor lie.

    Attributes:
      kind: NumPy's name of their type.
      file: what the name of their file ends in, after the prefix.
      offset: in bytes.
      size: in bytes.
    """

    kind: str
    file: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Names and shapes of a checkpoint.

    Attributes:
      prefix: what the names of its files begin with.
      shapes: of each tensor, by name.
      numbers: where those of each tensor of floating-point numbers lie, by its name.
    """

    prefix: str
    shapes: Mapping[str, Shape]
    numbers: Mapping[str, Numbers]

    @property
    def object_based(self) -> bool:
        """Whether it is of TF2's kind, in which a name is a path from object to object."""
        return _OBJECT_GRAPH in self.shapes

    @property
    def of_detector(self) -> bool:
        """Whether it is of TF2's kind and was written when a detector was trained."""
        return self.object_based and self.has("model/") and not self.has(CLASSIFIER)

    def has(self, beginning: str) -> bool:
        """Whether a name begins so."""
        return any(name.startswith(beginning) for name in self.shapes)

    @property
    def kind(self) -> str:
        """In words."""
        return f"a checkpoint of TF{2 if self.object_based else 1}'s kind"


def read(prefix: str) -> Checkpoint:
    """The checkpoint whose files' names begin with `prefix`.

    Raises:
      CheckpointError: there is none, its index cannot be read, or its data are not all there.
    """
    index = Path(f"{prefix}.index")
    try:
        content = index.read_bytes()
    except (OSError, ValueError) as error:
        raise CheckpointError(
            "is no checkpoint: there is no such .index file. Check the prefix.", path=prefix
        ) from error
    try:
        shapes, numbers, files = _read(content)
    except CheckpointError as error:
        error.path = index
        raise
    for suffix, size in files.items():
        _check_data(Path(f"{prefix}{suffix}"), size)
    return Checkpoint(prefix=prefix, shapes=shapes, numbers=numbers)


def not_a_number(there: Checkpoint) -> str | None:
    """The first tensor, in order of names, that holds infinity or what is no number; None where all are numbers.

    Raises:
      CheckpointError: the data cannot be read.
    """
    import numpy as np

    for name, numbers in sorted(there.numbers.items()):
        path = Path(f"{there.prefix}{numbers.file}")
        try:
            values = np.fromfile(path, numbers.kind, numbers.size // int(numbers.kind[2:]), offset=numbers.offset)
        except OSError as error:
            raise CheckpointError(f"cannot be read ({error.strerror}).", path=path) from error
        if not np.isfinite(values).all():
            return name
    return None


def _read(index: bytes) -> tuple[dict[str, Shape], dict[str, Numbers], dict[str, int]]:
    """Shapes and numbers by name; and what the names of the data's files end in, with the bytes that each must have."""
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
        raise CheckpointError("is missing: the index of the checkpoint is there without it. Copy it too.", path=path)
    if path.stat().st_size < size:
        raise CheckpointError(f"is cut off: {path.stat().st_size} bytes, expected {size}. Copy it again.", path=path)


def _shape(entry: bytes) -> Shape:
    return tuple(
        _number(dimension, _DIMENSION_SIZE)
        for field, shape in _fields(entry)
        if field == _ENTRY_SHAPE
        for number, dimension in _fields(shape)
        if number == _SHAPE_DIMENSION
    )


def _number(message: bytes, field: int) -> int:
    """The field's number; 0 where it is not set."""
    return next((int(value) for number, value in _fields(message) if number == field), 0)


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a message of protocol buffers: an int, or bytes that may be a message."""
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
