"""YAML, read strictly: each value has its line, a key can appear only once, and every value is text.

`no` and `1.10` stay the text that a person wrote. The reader of a value decides its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

from tfod_tools.base.errors import ConfigError, Problems, TfodError

Content = Union[str, None, "tuple[Value, ...]", Mapping[str, "Value"]]


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a document.

    Attributes:
      content: the text of a scalar (None if it is empty or `null`), the values of a list, or values by key.
      line: the line where it begins, from 1.
      key_line: the line of its key; the same as `line` if it has no key.
    """

    content: Content
    line: int
    key_line: int

    @property
    def kind(self) -> str:
        """What it is, in plain words."""
        if self.content is None:
            return "nothing"
        return "text" if isinstance(self.content, str) else "a list" if isinstance(self.content, tuple) else "a block"


def read(text: str, path: str) -> Value:
    """The document in `text`.

    Args:
      text: of the file.
      path: of the file, for errors.

    Raises:
      ConfigError: the text is not YAML, or has more than one document.
      Problems: a key appears twice, or is not text.
    """
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be read"
        line = None if mark is None else min(mark.line + 1, len(text.splitlines()) or 1)
        raise ConfigError(
            f"is not YAML: {problem}. Check the indentation and the quotes.", path=path, line=line
        ) from error
    if node is None:
        raise ConfigError("is empty. Write the fields into it; docs/cloud.md describes them.", path=path)
    problems: list[TfodError] = []
    value = _value(node, path, problems, None)
    if problems:
        raise Problems(problems)
    return value


def _value(node: Any, path: str, problems: list[TfodError], key_line: int | None) -> Value:
    line = node.start_mark.line + 1
    at = line if key_line is None else key_line
    if node.id == "scalar":
        empty = node.tag.endswith(":null")
        return Value(None if empty else node.value, line, at)
    if node.id == "sequence":
        return Value(tuple(_value(item, path, problems, None) for item in node.value), line, at)
    found: dict[str, Value] = {}
    for key, item in node.value:
        number = key.start_mark.line + 1
        if key.id != "scalar" or key.tag.endswith(":merge"):
            problems.append(
                ConfigError("a key is not plain text. Write each key as a plain word.", path=path, line=number)
            )
        elif key.value in found:
            first = found[key.value].key_line
            message = f"'{key.value}' is already in line {first}. Keep only one of them."
            problems.append(ConfigError(message, path=path, line=number))
        else:
            found[key.value] = _value(item, path, problems, number)
    return Value(found, line, at)
