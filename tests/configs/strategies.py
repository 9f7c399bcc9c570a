"""Configs and their texts, as hypothesis makes them up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from hypothesis import strategies as st

from pipeline_configs.patches.field_path import is_list, is_map, is_message
from pipeline_configs.text import schema, text_proto
from pipeline_configs.text.text_proto import Config

# What may stand between two tokens.
_GAPS = st.sampled_from([" ", "\n", '  # a comment: { [ "\n', "\t\r\n\n"])


def scalars(field: FieldDescriptor) -> st.SearchStrategy[object]:
    """Values of a field that is not a message."""
    if field.enum_type is not None:
        return st.sampled_from([value.number for value in field.enum_type.values])
    return {
        field.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
        field.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
        field.CPPTYPE_FLOAT: st.floats(width=32, allow_nan=False),
        field.CPPTYPE_BOOL: st.booleans(),
        field.CPPTYPE_STRING: st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    }[field.cpp_type]


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Configs with up to five fields set, anywhere in the schema."""
    config = schema.parse("")
    for _ in range(draw(st.integers(0, 5))):
        message = config
        while fields := tuple(message.DESCRIPTOR.fields):
            field = draw(st.sampled_from(fields))
            if is_map(field):
                getattr(message, field.name).clear()
            elif field.message_type is None:
                value = draw(scalars(field))
                if is_list(field):
                    getattr(message, field.name).append(value)
                else:
                    setattr(message, field.name, value)
            else:
                held = getattr(message, field.name)
                message = held.add() if is_list(field) else held
                message.SetInParent()
                continue
            break
    return config


@st.composite
def texts(draw: st.DrawFn) -> tuple[Config, str]:
    """A config, and a text of it in which brackets, commas, gaps and comments are as people and programs put them."""
    config = draw(configs())
    return config, "".join(f"{token}{draw(_GAPS)}" for token in _tokens(draw, config))


def _tokens(draw: st.DrawFn, message: Any) -> Iterator[str]:
    for field, value in message.ListFields():
        if is_map(field):
            entries = message.DESCRIPTOR.fields_by_name[field.name].message_type.fields_by_name
            for key, item in value.items():
                inside = (f"{n}: {text_proto.value_to_text(v, entries[n])}" for n, v in (("key", key), ("value", item)))
                yield f"{field.name} {{ {' '.join(inside)} }}"
        elif is_list(field) and value and draw(st.booleans()):
            yield from (field.name, ":", "[")
            for index, item in enumerate(value):
                yield from ([","] if index else [])
                yield from _value(draw, item, field)
            yield "]"
        else:
            for item in value if is_list(field) else [value]:
                yield field.name
                yield from ([":"] if not is_message(field) or draw(st.booleans()) else [])
                yield from _value(draw, item, field)
                yield from draw(st.sampled_from([[], [","], [";"]]))


def _value(draw: st.DrawFn, value: Any, field: FieldDescriptor) -> Iterator[str]:
    if not is_message(field):
        yield text_proto.value_to_text(value, field)
        return
    opened, closed = draw(st.sampled_from(["{}", "<>"]))
    yield opened
    yield from _tokens(draw, value)
    yield closed
