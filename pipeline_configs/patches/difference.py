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
    """A field that two configs have with another value each, as `Edit` takes it; "unset" where one does not have it."""

    path: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}: {self.old} -> {self.new}"


def diff(before: Config, after: Config) -> list[str]:
    """A line `path: old -> new` for each of the `changes`."""
    return [str(change) for change in changes(before, after)]


def changes(before: Config, after: Config) -> list[Change]:
    """What changes from one config to the other, in the order of the schema.

    A list of numbers or texts is one field. There is no change exactly when the configs are equal.
    """
    return list(_changes(before, after, before.DESCRIPTOR, ""))


def _changes(old: Message | None, new: Message | None, message_type: Descriptor, prefix: str) -> Iterator[Change]:
    for field in message_type.fields:
        before, after = _values(old, field), _values(new, field)
        if is_message(field) and is_list(field) and (kept := subsequence(list(after.values()), list(before.values()))):
            # Less of a list would otherwise look as if every item behind had become another.
            after = {name: item for index, (name, item) in enumerate(before.items()) if index in kept}
        for name in {**before, **after}:
            one, other = before.get(name), after.get(name)
            if one != other:
                path = f"{prefix}{name}"
                inside = _changes(one, other, field.message_type, f"{path}.") if is_message(field) else ()
                yield from list(inside) or [Change(path, _shown(one), _shown(other))]


def _values(message: Message | None, field: FieldDescriptor) -> dict[str, str | Message]:
    """What `message` holds in `field`, by name: a message itself, anything else as text."""
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
    """The indices in `whole` of the items of `part`, in order; None where `part` is not what is left of it."""
    found, at = set(), 0
    for item in part:
        while at < len(whole) and whole[at] != item:
            at += 1
        if at == len(whole):
            return None
        found.add(at)
        at += 1
    return found


def assignments(before: Config, after: Config) -> list[tuple[str, str | None]]:
    """The fields to set, one after the other, so that `before` becomes `after`.

    Returns:
      Paths with the values that they get, None where they become unset. As few fields as can be: a message that is in
      both is not set as a whole.
    """
    return list(_assignments(before, after, ""))


def _assignments(old: Message, new: Message, prefix: str) -> Iterator[tuple[str, str | None]]:
    for field in new.DESCRIPTOR.fields:
        path = f"{prefix}{field.name}"
        before, after = getattr(old, field.name), getattr(new, field.name)
        if not is_message(field):
            one, other = (_values(message, field).get(field.name) for message in (old, new))
            if one != other:
                yield path, None if other is None else str(other)
        elif is_list(field) and len(after) >= len(before):
            for index, item in enumerate(after):
                if index < len(before):
                    yield from _assignments(before[index], item, f"{path}[{index}].")
                else:
                    yield f"{path}[{index}]", text_proto.value_to_text(item, field)
        elif is_list(field):
            left = [text_proto.value_to_text(item, field) for item in after]
            yield path, f"[{', '.join(left)}]" if left else None
        elif old.HasField(field.name) and new.HasField(field.name):
            yield from _assignments(before, after, f"{path}.")
        elif old.HasField(field.name) or new.HasField(field.name):
            yield path, text_proto.value_to_text(after, field) if new.HasField(field.name) else None
