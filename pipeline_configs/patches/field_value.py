"""Reads the value of a field as people type it, such as the right side of `--set field.path=value`.

The type of the field decides how the text is read:

    3   0.004   true   SIGMOID                  as in a config
    data/model.ckpt                             text needs no quotes
    1.0, 2.0, 0.5   or   [1.0, 2.0, 0.5]        all values of a list
    {random_crop_image {min_area: 0.5}}         a message; {} is a message with its default values
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pipeline_configs.patches.field_path import FieldPath, is_list
from pipeline_configs.text import text_proto
from tfod_tools.base import plugins
from tfod_tools.base.errors import ConfigError

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor
    from google.protobuf.message import Message

_QUOTES = ('"', "'")
# The texts between commas; commas in quotes do not count.
_SPLIT = re.compile(r"""(?:^|,)((?:\s*(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*(?=,|$))|[^,]*)""", re.DOTALL)


def parse(text: str, path: FieldPath) -> Message:
    """A message of the type that has the path's field, with only this field set, to the value in `text`.

    Raises:
      ConfigError: `text` is not a value of the field's type.
    """
    field = path.last.field
    many = is_list(field) and path.last.index is None
    try:
        parsed = text_proto.parse_values(_as_text_proto(text.strip(), field, many=many), field)
    except ConfigError as error:
        kind, hint = _kind(field), _hint(text.strip(), field, error)
        wanted = f"a list of values, each of them {kind}" if many else kind
        raise ConfigError(f"{path.text}: the value is '{text}', but the field takes {wanted}. {hint}") from error
    if path.last.index is not None and len(getattr(parsed, field.name)) != 1:
        raise ConfigError(f"{path.text}: '{text}' is not one value. The item takes {_kind(field)}.")
    return parsed


def _as_text_proto(text: str, field: FieldDescriptor, *, many: bool) -> str:
    bracketed = text.startswith("[") and text.endswith("]")
    if many and (not text or (bracketed and not text[1:-1].strip())):
        return ""
    if field.message_type is not None:
        return f"{field.name}: {text or '{}'}"
    if many:
        inner = text[1:-1] if bracketed else text
        return f"{field.name}: [{_items(inner.strip(), field)}]"
    return f"{field.name}: {_item(text, field)}"


def _items(text: str, field: FieldDescriptor) -> str:
    if field.cpp_type != field.CPPTYPE_STRING:
        return text
    return ", ".join(_item(item.strip(), field) for item in _SPLIT.findall(text))


def _item(text: str, field: FieldDescriptor) -> str:
    quoted = len(text) > 1 and text[0] in _QUOTES and text[0] == text[-1]
    return text if quoted or field.cpp_type != field.CPPTYPE_STRING else json.dumps(text, ensure_ascii=False)


def _kind(field: FieldDescriptor) -> str:
    if field.message_type is not None:
        return f"a message: {{ fields of {field.message_type.name} }}"
    if field.enum_type is not None:
        return " or ".join(field.enum_type.values_by_name)
    return {
        field.CPPTYPE_INT32: "a whole number (int32)",
        field.CPPTYPE_INT64: "a whole number (int64)",
        field.CPPTYPE_UINT32: "a whole number from 0 (uint32)",
        field.CPPTYPE_UINT64: "a whole number from 0 (uint64)",
        field.CPPTYPE_FLOAT: "a number",
        field.CPPTYPE_DOUBLE: "a number",
        field.CPPTYPE_BOOL: "true or false",
        field.CPPTYPE_STRING: "text",
    }[field.cpp_type]


def _hint(text: str, field: FieldDescriptor, error: ConfigError) -> str:
    if field.message_type is not None:
        return error.message
    if field.enum_type is not None:
        return plugins.suggestion(text, field.enum_type.values_by_name)
    return ""
