"""Changes to a config as data: edits by field path, applied to a copy.

model.ssd.num_classes=2                                          set a value
model..l2_regularizer.weight=7e-5                                at every place that has one
train_config.data_augmentation_options+={random_adjust_hue {}}   add to a list, unless it is there already
train_config.data_augmentation_options-={ssd_random_crop {}}     remove from a list
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipeline_configs.patches import difference, field_value, path_pattern
from pipeline_configs.patches.field_path import FieldPath
from pipeline_configs.text import text_proto
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError, Problems, UsageError

Operation = Literal["set", "add", "remove"]
_OPERATORS: dict[Operation, str] = {"set": "=", "add": "+=", "remove": "-="}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One field and its new value.

    Attributes:
      path: the field, as `pipeline_configs.patches.field_path` and `pipeline_configs.patches.path_pattern` read it.
      value: the value, as `pipeline_configs.patches.field_value` reads it; None unsets the field.
      operation: "set" replaces the field's value; "add" appends the values that a list does not hold yet; "remove"
        removes values from a list.
      file: the file with the edit, for errors; None if it is not from a file.
      line: the line in that file, from 1.
    """

    path: str
    value: str | None
    operation: Operation = "set"
    file: str | None = field(default=None, compare=False)
    line: int | None = field(default=None, compare=False)

    @classmethod
    def read(cls, text: str) -> Edit:
        """The edit that `path=value`, `path+=value` or `path-=value` stands for.

        Raises:
          UsageError: there is no `=`.
        """
        path, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set is '{text}'. Write field.path=value.")
        return named(path.strip(), value)

    def __str__(self) -> str:
        """The edit as `read` takes it; `unset path` if there is no value."""
        return f"unset {self.path}" if self.value is None else f"{self.path}{_OPERATORS[self.operation]}{self.value}"

    def apply_to(self, config: Config) -> None:
        """Changes `config` itself.

        Raises:
          ConfigError: there is no such field, or the value does not fit it.
        """
        try:
            for place in path_pattern.places(self.path, config):
                self._apply_at(FieldPath.resolve(place, config.DESCRIPTOR), config)
        except ConfigError as error:
            raise ConfigError(error.message, path=self.file, line=self.line) from error

    def _apply_at(self, path: FieldPath, config: Config) -> None:
        if self.value is None:
            path.clear(config)
            return
        act = {"set": path.put, "add": path.add, "remove": path.remove}[self.operation]
        act(config, field_value.parse(self.value, path))


def named(name: str, value: str | None, *, file: str | None = None, line: int | None = None) -> Edit:
    """The edit of the field `name`; a `+` at its end appends the value, a `-` removes it."""
    operations: dict[str, Operation] = {"+": "add", "-": "remove"}
    operation = operations.get(name[-1:], "set")
    path = name if operation == "set" else name[:-1].strip()
    return Edit(path=path, value=value, operation=operation, file=file, line=line)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigPatch:
    """Edits in the order in which they are made. Of two values for one field, the later one counts."""

    edits: tuple[Edit, ...] = ()

    def apply(self, config: Config) -> Config:
        """A copy of `config` with the edits made. Making them twice gives the same config as once.

        Raises:
          ConfigError: an edit names no field, or has a value that does not fit; or the edits undo one another, so that
            making them twice would give another config.
          Problems: several edits are wrong.
        """
        once = self._made(config)
        again = diff(once, self._made(once))
        if again:
            raise ConfigError(
                "the edits undo one another: making them twice gives another config than making them once. Set the"
                f" whole value with one edit. The second time would change {again[0]}"
            )
        return once

    def _made(self, config: Config) -> Config:
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


def unset(paths: Sequence[str], config: Config) -> ConfigPatch:
    """The patch that unsets fields of `config`, and removes items from its lists.

    The patch names items by their values, or sets the rest of the list. So making it twice is the same as once.

    Args:
      paths: paths of fields, and of items by their index in `config`.
      config: the config with these fields and items.

    Raises:
      ConfigError: there is no such field or item.
    """
    places = [place for path in paths for place in path_pattern.places(path, config)]
    resolved = [FieldPath.resolve(place, config.DESCRIPTOR) for place in places]
    whole = [Edit(path=path.text, value=None) for path in resolved if path.last.index is None]
    lists: dict[str, tuple[FieldPath, set[int]]] = {}
    for path in resolved:
        if path.last.index is not None:
            name = path.text.removesuffix(f"[{path.last.index}]")
            lists.setdefault(name, (path, set()))[1].add(path.last.index)
    return ConfigPatch(edits=(*whole, *(_without(name, *lists[name], config) for name in lists)))


def _without(name: str, path: FieldPath, indices: set[int], config: Config) -> Edit:
    values = [text_proto.value_to_text(value, path.last.field) for value in path.values(config)]
    if max(indices) >= len(values):
        size = f"has only the indices 0 to {len(values) - 1}" if values else "is empty"
        raise ConfigError(f"{name}[{max(indices)}]: there is no such item. The list {size}.")
    gone = [value for index, value in enumerate(values) if index in indices]
    left = [value for index, value in enumerate(values) if index not in indices]
    if set(gone) & set(left):
        return Edit(path=name, value=f"[{', '.join(left)}]")
    return Edit(path=name, value=f"[{', '.join(gone)}]", operation="remove")


def diff(before: Config, after: Config) -> list[str]:
    """A line `path: old -> new` for each field that differs; see `difference.changes`."""
    return [str(change) for change in difference.changes(before, after)]
