"""The difference of two configs, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline_configs.patches.field_path import is_list, is_map, is_message
from pipeline_configs.text import text_proto
from pipeline_configs.text.text_proto import Config

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.message import Message


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs between two configs: its values as `Edit` takes them, or "unset"."""

    path: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}: {self.old} -> {self.new}"


def changes(before: Config, after: Config) -> list[Change]:
    """The fields that differ between two configs, in the order of the schema.

    A list of numbers or texts is one field. There are no changes if and only if the configs are equal.
    """
    return list(_changes(before, after, before.DESCRIPTOR, ""))


def _changes(old: Message | None, new: Message | None, message_type: Descriptor, prefix: str) -> Iterator[Change]:
    for field in message_type.fields:
        before, after = _values(old, field), _values(new, field)
        if is_message(field) and is_list(field) and (kept := subsequence(list(after.values()), list(before.values()))):
            # Otherwise a removed item would look as if every item after it had changed.
            after = {name: item for index, (name, item) in enumerate(before.items()) if index in kept}
        for name in {**before, **after}:
            one, other = before.get(name), after.get(name)
            if one != other:
                path = f"{prefix}{name}"
                inside = _changes(one, other, field.message_type, f"{path}.") if is_message(field) else ()
                yield from list(inside) or [Change(path, _shown(one), _shown(other))]


def _values(message: Message | None, field: FieldDescriptor) -> dict[str, str | Message]:
    """The values of `field` in `message`, by name: messages as they are, other values as texts."""
    if message is None:
        return {}
    value = getattr(message, field.name)
    if not is_list(field):
        held = value if is_message(field) else text_proto.value_to_text(value, field)
        return {field.name: held} if message.HasField(field.name) else {}
    if is_message(field):
        return {f"{field.name}[{index}]": item for index, item in enumerate(value)}
    return {field.name: _list_text(value, field)} if value else {}


def _list_text(values: Any, field: FieldDescriptor) -> str:
    if not is_map(field):
        return f"[{', '.join(text_proto.value_to_text(value, field) for value in values)}]"
    of_entry = field.message_type.fields_by_name
    keys = [text_proto.value_to_text(key, of_entry["key"]) for key in sorted(values)]
    held = [text_proto.value_to_text(values[key], of_entry["value"]) for key in sorted(values)]
    return f"[{', '.join(f'{{key: {key} value: {value}}}' for key, value in zip(keys, held, strict=True))}]"


def _shown(value: str | Message | None) -> str:
    if value is None:
        return "unset"
    return value if isinstance(value, str) else "{}"


def subsequence(part: Sequence[Any], whole: Sequence[Any]) -> set[int] | None:
    """The indices in `whole` of the items of `part`; None if `part` is not `whole` with some items left out."""
    found, at = set(), 0
    for item in part:
        while at < len(whole) and whole[at] != item:
            at += 1
        if at == len(whole):
            return None
        found.add(at)
        at += 1
    return found
