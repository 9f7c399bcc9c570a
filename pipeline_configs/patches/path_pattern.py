"""Paths that leave out the fields between two others: `model..l2_regularizer.weight` is every such weight in the model.

Two dots stand for any number of fields, also for none. A list of messages without an index stands for all its items. A
pattern matches only in messages that are set. There it matches fields with plain values even if they are not set, but
messages and branches of a oneof only if they are set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pipeline_configs.patches.field_path import STEP, is_list, is_map, is_message
from tfod_tools.base import plugins
from tfod_tools.base.errors import ConfigError

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor

GAP = ".."

# A part of a path: the field's name and, for an item of a list, its index.
_Part = tuple[str, int | None]


def places(path: str, config: Any) -> tuple[str, ...]:
    """The paths of all fields of `config` that `path` matches, in the order of the schema.

    Args:
      path: a pattern. A path without two dots is returned as it is.
      config: the message at which paths start.

    Raises:
      ConfigError: the pattern matches no field, or fields of several types.
    """
    if GAP not in path:
        return (path,)
    chunks = [_parts(path, chunk) for chunk in path.split(GAP)]
    if not chunks[-1]:
        raise ConfigError(f"{path}: ends with two dots. Write a field after them.")
    found = [(parts, field) for parts, field in _fields(config, ()) if _matches(chunks, parts)]
    if not found:
        raise ConfigError(f"{path}: the config has no such field. {_advice(chunks[-1][-1][0], config)}")
    types = {_type(field): _text(parts) for parts, field in found}
    if len(types) > 1:
        raise ConfigError(f"{path}: matches fields of several types, such as {' and '.join(types.values())}."
                          " Write more of the path.")  # fmt: skip
    outermost = [parts for parts, _ in found if not any(_is_inside(parts, other) for other, _ in found)]
    return tuple(map(_text, outermost))


def _parts(path: str, chunk: str) -> list[_Part]:
    matches = [(part, STEP.fullmatch(part)) for part in chunk.split(".")] if chunk else []
    wrong = next((part for part, match in matches if match is None), None)
    if wrong is not None:
        raise ConfigError(
            f"{path}: '{wrong}' is not the name of a field. Write words with one or two dots between them."
        )
    return [(match["name"], int(match["index"]) if match["index"] else None) for _, match in matches if match]


def _fields(message: Any, above: tuple[_Part, ...]) -> Iterator[tuple[tuple[_Part, ...], FieldDescriptor]]:
    for field in message.DESCRIPTOR.fields:
        here = (*above, (field.name, None))
        value = getattr(message, field.name)
        if is_list(field):
            yield here, field
            for index, item in enumerate(() if is_map(field) else value):
                yield (*above, (field.name, index)), field
                yield from _fields(item, (*above, (field.name, index))) if is_message(field) else ()
        elif message.HasField(field.name) or not (is_message(field) or field.containing_oneof):
            yield here, field
            yield from _fields(value, here) if is_message(field) else ()


def _matches(chunks: Sequence[Sequence[_Part]], parts: Sequence[_Part]) -> bool:
    """Whether `parts` start with the first chunk, end with the last, and hold the others between, in this order."""
    first, *between, last = chunks
    end = len(parts) - len(last)
    # At the end of a pattern, an item matches only with its index; without one, the whole list is meant.
    if end < len(first) or last[-1] != parts[-1] or not _fits(first, parts) or not _fits(last, parts[end:]):
        return False
    at = len(first)
    for chunk in between:
        at = next((i for i in range(at, end - len(chunk) + 1) if _fits(chunk, parts[i:])), end + 1) + len(chunk)
    return at <= end


def _fits(chunk: Sequence[_Part], parts: Sequence[_Part]) -> bool:
    return all(
        name == wanted and index in (None, number)
        for (wanted, index), (name, number) in zip(chunk, parts, strict=False)
    )


def _type(field: FieldDescriptor) -> object:
    held = field.message_type or field.enum_type
    return (held.full_name if held else field.cpp_type, is_list(field))


def _is_inside(parts: tuple[_Part, ...], other: tuple[_Part, ...]) -> bool:
    return len(other) < len(parts) and parts[: len(other)] == other


def _text(parts: Sequence[_Part]) -> str:
    return ".".join(name if index is None else f"{name}[{index}]" for name, index in parts)


def _advice(name: str, config: Any) -> str:
    known = {parts[-1][0] for parts, _ in _fields(config, ())}
    close = "" if name in known else plugins.suggestion(name, known)
    return (
        close if close.startswith("Did") else "To set a field in a message that is not there yet, write the whole path."
    )
