"""Finds messages of one type, wherever they are in a config."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline_configs.patches.field_path import is_list, is_message


def messages(message: Any, type_name: str, path: str) -> Iterator[tuple[str, Any]]:
    """Every message of the type `type_name` that is set in `message`, with its path.

    Args:
      message: where to look; the message itself is not among the results.
      type_name: the type, such as "Hyperparams".
      path: the path of `message`.
    """
    for field, value in message.ListFields():
        if is_message(field):
            held = enumerate(value) if is_list(field) else [(None, value)]
            for index, item in held:
                inside = f"{path}.{field.name}" if index is None else f"{path}.{field.name}[{index}]"
                if field.message_type.name == type_name:
                    yield inside, item
                yield from messages(item, type_name, inside)
