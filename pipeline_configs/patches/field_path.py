"""Dotted paths to the fields of a config, such as `train_config.data_augmentation_options[0].ssd_random_crop`.

Paths start at the whole config:

    model.ssd.num_classes                                  a field of a field
    eval_input_reader[0].label_map_path                    a list of messages needs an index, from 0
    eval_input_reader[1]                                   one past the end adds an item
    model.ssd.anchor_generator.ssd_anchor_generator.scales without an index, a list of numbers is meant as a whole

`pipeline_configs.patches.path_pattern` reads paths that leave out the fields between two others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline_configs.text import text_proto
from tfod_tools.base import plugins
from tfod_tools.base.errors import ConfigError

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor
    from google.protobuf.message import Message

# Nine digits: more than any list needs, and few enough for int().
STEP = re.compile(r"(?P<name>\w+)(?:\[(?P<index>[0-9]{1,9})\])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One part of a path.

    Attributes:
      field: the field that the part names.
      index: which item of a list, from 0; None if the part has no index.
    """

    field: FieldDescriptor
    index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldPath:
    """A path that leads to a field of the schema.

    Attributes:
      text: the path as written.
      parents: the steps to the message that holds the field.
      last: the step to the field itself.
    """

    text: str
    parents: tuple[Step, ...]
    last: Step

    @classmethod
    def resolve(cls, text: str, root: Descriptor) -> FieldPath:
        """The path `text`, starting at a message of the type `root`.

        Raises:
          ConfigError: a part is not a field of its message, or an index is missing or does not belong there.
        """
        steps: list[Step] = []
        message_type = root
        parts = text.split(".")
        for position, part in enumerate(parts):
            step = _step(text, part, message_type)
            steps.append(step)
            if position < len(parts) - 1:
                message_type = _entered(text, step)
        return cls(text=text, parents=tuple(steps[:-1]), last=steps[-1])

    def put(self, message: Message, parsed: Message) -> None:
        """Replaces the field's value below `message` with the one in `parsed`.

        Creates the messages on the way. In a oneof, the new branch replaces the old one.

        Args:
          message: the message at which the path starts.
          parsed: a message of the type that has the field, with only this field set.
        """
        for step in self.parents:
            message = self._item(message, step)
        name = self.last.field.name
        if self.last.index is None:
            message.ClearField(name)
            message.MergeFrom(parsed)
            return
        items, (value,) = getattr(message, name), getattr(parsed, name)
        self._check_index(items, self.last.index)
        if self.last.index == len(items):
            items.append(value)
        elif self.last.field.message_type is None:
            items[self.last.index] = value
        else:
            items[self.last.index].CopyFrom(value)

    def add(self, message: Message, parsed: Message) -> None:
        """Appends the values in `parsed` that the list below `message` does not hold, each of them once.

        Raises:
          ConfigError: the path does not end in a whole list.
        """
        self._check_list("+=")
        for step in self.parents:
            message = self._item(message, step)
        items, held = getattr(message, self.last.field.name), self._texts(message)
        for value, text in zip(getattr(parsed, self.last.field.name), self._texts(parsed), strict=True):
            if text not in held:
                items.append(value)
                held.append(text)

    def remove(self, message: Message, parsed: Message) -> None:
        """Removes every value that is in `parsed` from the list below `message`.

        Raises:
          ConfigError: the path does not end in a whole list.
        """
        self._check_list("-=")
        holder = self._holder(message)
        if holder is None:
            return
        items, unwanted = getattr(holder, self.last.field.name), self._texts(parsed)
        for index, text in reversed(list(enumerate(self._texts(holder)))):
            if text in unwanted:
                del items[index]

    def clear(self, message: Message) -> None:
        """Unsets the field below `message`.

        Raises:
          ConfigError: the path ends in an item of a list. Another item has this index afterwards.
        """
        if self.last.index is not None:
            name = self.text.removesuffix(f"[{self.last.index}]")
            raise ConfigError(
                f"{self.text}: an item of a list cannot be unset by its index, because another item has this index"
                f" afterwards. Name its value: {name}-=VALUE."
            )
        holder = self._holder(message)
        if holder is not None:
            holder.ClearField(self.last.field.name)

    def values(self, message: Message) -> list[Any]:
        """The items of the list at the path, or of the list that holds the item at the path."""
        holder = self._holder(message)
        return [] if holder is None else list(getattr(holder, self.last.field.name))

    def _holder(self, message: Message) -> Any:
        """The message that has the field; None if it does not exist yet."""
        for step in self.parents:
            held = getattr(message, step.field.name)
            absent = not message.HasField(step.field.name) if step.index is None else step.index >= len(held)
            if absent:
                return None
            message = held if step.index is None else held[step.index]
        return message

    def _check_list(self, operator: str) -> None:
        field = self.last.field
        if not is_list(field) or is_map(field) or self.last.index is not None:
            raise ConfigError(f"{self.text}: {operator} needs a list, and this is not one. Write {self.text}=VALUE.")

    def _texts(self, holder: Message) -> list[str]:
        """The list in `holder` as texts. They differ for -0.0 and 0.0, and are equal for two NaN."""
        return [text_proto.value_to_text(value, self.last.field) for value in getattr(holder, self.last.field.name)]

    def _item(self, message: Message, step: Step) -> Any:
        value = getattr(message, step.field.name)
        if step.index is None:
            return value
        self._check_index(value, step.index)
        return value.add() if step.index == len(value) else value[step.index]

    def _check_index(self, items: Any, index: int) -> None:
        if index > len(items):
            raise ConfigError(
                f"{self.text}: the index is {index}, but the list has {len(items)} items. Use 0 to {len(items)};"
                f" {len(items)} adds an item."
            )


def is_list(field: FieldDescriptor) -> bool:
    """Whether the field can have several values."""
    # In proto2, every field that is not a list has presence. Releases of protobuf differ in how to ask directly.
    return not field.has_presence


def is_map(field: FieldDescriptor) -> bool:
    """Whether the field is a map; protobuf describes a map as a list of entries."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def is_message(field: FieldDescriptor) -> bool:
    """Whether the field holds messages, which have fields of their own."""
    return field.message_type is not None and not is_map(field)


def _step(path: str, part: str, message_type: Descriptor) -> Step:
    match = STEP.fullmatch(part)
    if match is None:
        raise ConfigError(
            f"{path}: '{part}' is not the name of a field. Write words with dots, such as model.ssd.num_classes."
        )
    name, index = match["name"], match["index"]
    field = message_type.fields_by_name.get(name)
    if field is None:
        known = plugins.suggestion(name, message_type.fields_by_name)
        raise ConfigError(f"{path}: {message_type.name} has no field '{name}'. {known}")
    if index is not None and (not is_list(field) or is_map(field)):
        raise ConfigError(f"{path}: {name} is not a list and has no index. Write {name} instead of {part}.")
    return Step(field=field, index=None if index is None else int(index))


def _entered(path: str, step: Step) -> Descriptor:
    field = step.field
    if field.message_type is None:
        raise ConfigError(f"{path}: {field.name} is a value and has no fields. End the path there.")
    if is_map(field):
        raise ConfigError(f"{path}: {field.name} is a map and can only be set as a whole. End the path there.")
    if is_list(field) and step.index is None:
        raise ConfigError(f"{path}: {field.name} is a list. Say which item, such as {field.name}[0].")
    return field.message_type
