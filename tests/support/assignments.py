"""The fields to set so that one config becomes another: the other way to the edits of a patch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline_configs.patches import difference
from pipeline_configs.patches.field_path import is_list, is_message
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text import text_proto
from pipeline_configs.text.text_proto import Config

if TYPE_CHECKING:
    from google.protobuf.message import Message


def between(before: Config, after: Config) -> ConfigPatch:
    """The patch that makes `after` of `before`."""
    return ConfigPatch(edits=tuple(Edit(path=path, value=value) for path, value in assignments(before, after)))


def assignments(before: Config, after: Config) -> list[tuple[str, str | None]]:
    """The fields to set, one after the other, so that `before` becomes `after`.

    Returns:
      Paths with their new values, None for a field to unset. These are as few fields as possible: a message that is in
      both configs is not set as a whole.
    """
    return list(_assignments(before, after, ""))


def _assignments(old: Message, new: Message, prefix: str) -> Iterator[tuple[str, str | None]]:
    for field in new.DESCRIPTOR.fields:
        path = f"{prefix}{field.name}"
        before, after = getattr(old, field.name), getattr(new, field.name)
        if not is_message(field):
            one, other = (difference._values(message, field).get(field.name) for message in (old, new))
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
