"""The messages made here are those of the engine and of TensorFlow."""

from __future__ import annotations

import pytest

from record_builders.records import protos


def test_label_map_has_the_fields_of_the_engine() -> None:
    """Names, numbers and types."""
    theirs = pytest.importorskip("object_detection.protos.string_int_label_map_pb2", exc_type=ImportError)
    for name in ("StringIntLabelMap", "StringIntLabelMapItem"):
        ours = protos.StringIntLabelMap.DESCRIPTOR.file.message_types_by_name[name]
        expected = theirs.DESCRIPTOR.message_types_by_name[name]
        assert {(f.name, f.number, f.type) for f in ours.fields} == {
            (f.name, f.number, f.type) for f in expected.fields
        }


def test_example_has_the_bytes_of_tensorflow() -> None:
    """One float feature, as tf.train.Example serializes it."""
    example = protos.Example()
    example.features.feature["a"].float_list.value.extend([1, 2])
    data = example.SerializeToString(deterministic=True)
    assert data == b"\n\x13\n\x11\n\x01a\x12\x0c\x12\n\n\x08\x00\x00\x80?\x00\x00\x00@"
