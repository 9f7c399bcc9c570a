"""Records of the classes cat and dog. Each image has objects of both."""

from __future__ import annotations

from pathlib import Path

from support import tiny_run

from record_builders.records import tfrecord
from record_builders.records.protos import Example

IMAGES = 4
CLASSES = {"ball": "cat", "bar": "cat", "column": "dog", "tent": "dog"}


def make(folder: Path) -> None:
    """Writes `folder/train.record` and `folder/val.record`, both of the same images."""
    made = tiny_run.make_records(folder, 4 * IMAGES)
    found = [_renamed(record) for shard in sorted(made.glob("*.record-*")) for record in tfrecord.read(shard)]
    both = [record for record in found if len(set(_classes(record))) == 2][:IMAGES]
    assert len(both) == IMAGES
    for split in ("train", "val"):
        tfrecord.write(folder / f"{split}.record", both)


def _renamed(record: bytes) -> bytes:
    example = Example.FromString(record)
    feature = example.features.feature
    names = [CLASSES[name.decode()] for name in feature["image/object/class/text"].bytes_list.value]
    feature["image/object/class/text"].bytes_list.value[:] = [name.encode() for name in names]
    feature["image/object/class/label"].int64_list.value[:] = [1 + (name == "dog") for name in names]
    return bytes(example.SerializeToString(deterministic=True))


def _classes(record: bytes) -> list[bytes]:
    return list(Example.FromString(record).features.feature["image/object/class/text"].bytes_list.value)
