"""The message classes of `tf.train.Example` and of the engine's label map, without TensorFlow or the engine.

They have their own descriptor pool, so that they never conflict with the originals in the same process.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_OPTIONAL, _REPEATED = _Field.LABEL_OPTIONAL, _Field.LABEL_REPEATED


def _fields(message: descriptor_pb2.DescriptorProto, *fields: tuple[str, int, int, str]) -> None:
    """Adds fields to `message`: (name, label, number, type), with a scalar type or the full name of a message."""
    for name, label, number, kind in fields:
        if kind.startswith("."):
            message.field.add(name=name, label=label, number=number, type=_Field.TYPE_MESSAGE, type_name=kind)
        else:
            message.field.add(name=name, label=label, number=number, type=_Field.Type.Value(f"TYPE_{kind.upper()}"))


def _example_file() -> descriptor_pb2.FileDescriptorProto:
    """tensorflow/core/example/feature.proto and example.proto, in one file."""
    file = descriptor_pb2.FileDescriptorProto(name="tfod_tools/example.proto", package="tensorflow", syntax="proto3")
    for name, kind in (("BytesList", "bytes"), ("FloatList", "float"), ("Int64List", "int64")):
        _fields(file.message_type.add(name=name), ("value", _REPEATED, 1, kind))
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    _fields(
        feature,
        ("bytes_list", _OPTIONAL, 1, ".tensorflow.BytesList"),
        ("float_list", _OPTIONAL, 2, ".tensorflow.FloatList"),
        ("int64_list", _OPTIONAL, 3, ".tensorflow.Int64List"),
    )
    for field in feature.field:
        field.oneof_index = 0
    features = file.message_type.add(name="Features")
    _fields(features, ("feature", _REPEATED, 1, ".tensorflow.Features.FeatureEntry"))
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    _fields(entry, ("key", _OPTIONAL, 1, "string"), ("value", _OPTIONAL, 2, ".tensorflow.Feature"))
    _fields(file.message_type.add(name="Example"), ("features", _OPTIONAL, 1, ".tensorflow.Features"))
    return file


def _label_map_file() -> descriptor_pb2.FileDescriptorProto:
    """object_detection/protos/string_int_label_map.proto."""
    package = "object_detection.protos"
    file = descriptor_pb2.FileDescriptorProto(name="tfod_tools/label_map.proto", package=package, syntax="proto2")
    frequency = file.enum_type.add(name="LVISFrequency")
    for number, name in enumerate(("UNSPECIFIED", "FREQUENT", "COMMON", "RARE")):
        frequency.value.add(name=name, number=number)
    item = file.message_type.add(name="StringIntLabelMapItem")
    keypoint = item.nested_type.add(name="KeypointMap")
    _fields(keypoint, ("id", _OPTIONAL, 1, "int32"), ("label", _OPTIONAL, 2, "string"))
    _fields(
        item,
        ("name", _OPTIONAL, 1, "string"),
        ("id", _OPTIONAL, 2, "int32"),
        ("display_name", _OPTIONAL, 3, "string"),
        ("keypoints", _REPEATED, 4, f".{package}.StringIntLabelMapItem.KeypointMap"),
        ("ancestor_ids", _REPEATED, 5, "int32"),
        ("descendant_ids", _REPEATED, 6, "int32"),
        ("instance_count", _OPTIONAL, 8, "int32"),
    )
    item.field.add(
        name="frequency", label=_OPTIONAL, number=7, type=_Field.TYPE_ENUM, type_name=f".{package}.LVISFrequency"
    )
    label_map = file.message_type.add(name="StringIntLabelMap")
    _fields(label_map, ("item", _REPEATED, 1, f".{package}.StringIntLabelMapItem"))
    return file


def _message_class(name: str) -> Any:  # The class exists only at run time.
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(name))


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_example_file())
_POOL.Add(_label_map_file())

Example = _message_class("tensorflow.Example")
StringIntLabelMap = _message_class("object_detection.protos.StringIntLabelMap")
