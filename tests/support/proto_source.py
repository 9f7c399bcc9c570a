"""Writes `.proto` files from compiled protos, because the engine's package on PyPI has only compiled ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2

_FIELD = descriptor_pb2.FieldDescriptorProto
_LABELS = {_FIELD.LABEL_OPTIONAL: "optional", _FIELD.LABEL_REQUIRED: "required", _FIELD.LABEL_REPEATED: "repeated"}


def write(descriptor: Any, root: Path) -> None:
    """Writes the file of `descriptor` (of a compiled proto2 file) and the files that it imports, below `root`."""
    path = root / descriptor.name
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    proto = descriptor_pb2.FileDescriptorProto()
    descriptor.CopyToProto(proto)
    path.write_text("\n".join(_file(proto)) + "\n", encoding="utf-8")
    for imported in descriptor.dependencies:
        write(imported, root)


def _file(proto: Any) -> Iterator[str]:
    yield 'syntax = "proto2";'
    yield f"package {proto.package};"
    yield from (f'import "{name}";' for name in proto.dependency)
    for message in proto.message_type:
        yield from _message(message)
    for enum in proto.enum_type:
        yield from _enum(enum)
    yield from _extensions(proto)


def _message(message: Any) -> Iterator[str]:
    yield f"message {message.name} {{"
    for nested in message.nested_type:
        yield from _message(nested)
    for enum in message.enum_type:
        yield from _enum(enum)
    for index, oneof in enumerate(message.oneof_decl):
        yield f"oneof {oneof.name} {{"
        yield from (_field(f, "") for f in message.field if f.HasField("oneof_index") and f.oneof_index == index)
        yield "}"
    yield from (_field(f, _LABELS[f.label]) for f in message.field if not f.HasField("oneof_index"))
    yield from _extensions(message)
    yield from (f"extensions {span.start} to {span.end - 1};" for span in message.extension_range)
    yield "}"


def _extensions(holder: Any) -> Iterator[str]:
    yield from (f"extend {f.extendee} {{ {_field(f, _LABELS[f.label])} }}" for f in holder.extension)


def _enum(enum: Any) -> Iterator[str]:
    yield f"enum {enum.name} {{ {' '.join(f'{value.name} = {value.number};' for value in enum.value)} }}"


def _field(field: Any, label: str) -> str:
    kind = field.type_name or _FIELD.Type.Name(field.type).removeprefix("TYPE_").lower()
    default = field.default_value
    quoted = f'"{default}"' if field.type == _FIELD.TYPE_STRING else default
    return f"{label} {kind} {field.name} = {field.number}{f' [default = {quoted}]' if default else ''};"
