"""Changes to a config as data: edits by field path, applied to a copy, and the difference of two configs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline_configs import field_value, text_proto
from pipeline_configs.field_path import FieldPath, is_list, is_map, is_message
from pipeline_configs.text_proto import Config
from tfod_tools.base.errors import ConfigError, Problems

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One field and its new value.

    Attributes:
      path: the field, as `pipeline_configs.field_path` reads it.
      value: the value, as `pipeline_configs.field_value` reads it; None leaves the field unset.
    """

    path: str
    value: str | None

    def apply_to(self, config: Config) -> None:
        """Changes `config` itself.

        Raises:
          ConfigError: there is no such field, or the value does not fit it.
        """
        path = FieldPath.resolve(self.path, config.DESCRIPTOR)
        if self.value is None:
            path.clear(config)
        else:
            path.put(config, field_value.parse(self.value, path))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigPatch:
    """Edits in the order in which they apply: of two for one field, the later wins."""

    edits: tuple[Edit, ...] = ()

    def apply(self, config: Config) -> Config:
        """A new config: a copy of `config` with the edits made. Making them twice is the same as once.

        Raises:
          ConfigError: an edit names no field, or has a value that does not fit.
          Problems: several edits do.
        """
        patched = type(config)()
        patched.CopyFrom(config)
        problems = []
        for edit in self.edits:
            try:
                edit.apply_to(patched)
            except ConfigError as error:
                problems.append(error)
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise Problems(problems)
        return patched


def diff(before: Config, after: Config) -> list[str]:
    """What changes from one config to the other, in the order of the schema.

    Returns:
      A line `path: old -> new` for each field, where a list of numbers or texts is one field. There is no line exactly
      when the configs are equal. Values are as `Edit` takes them.
    """
    return list(_changes(before, after, before.DESCRIPTOR, ""))


def _changes(old: Message | None, new: Message | None, message_type: Descriptor, prefix: str) -> Iterator[str]:
    for field in message_type.fields:
        before, after = _values(old, field), _values(new, field)
        for name in {**before, **after}:
            one, other = before.get(name), after.get(name)
            if one != other:
                path = f"{prefix}{name}"
                inside = _changes(one, other, field.message_type, f"{path}.") if is_message(field) else ()
                yield from list(inside) or [f"{path}: {_shown(one)} -> {_shown(other)}"]


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
