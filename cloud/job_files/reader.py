"""Reads the fields of a block one by one, and collects what is wrong: wrong values and unknown keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from cloud.job_files.yaml_lines import Value
from tfod_tools.base import plugins
from tfod_tools.base.errors import ConfigError, Problems, TfodError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_GIB = {"Mi": 1 / 1024, "Gi": 1.0, "Ti": 1024.0}


class Log:
    """The problems of one document."""

    def __init__(self, path: str) -> None:
        """Starts without problems; `path` is that of the document."""
        self.path = path
        self.problems: list[TfodError] = []

    def add(self, line: int, message: str) -> None:
        """Notes a problem in `line`."""
        self.problems.append(ConfigError(message, path=self.path, line=line))

    def raise_all(self) -> None:
        """Raises all problems in the order of their lines, if there are any."""
        if self.problems:
            raise Problems(sorted(self.problems, key=lambda problem: problem.line or 0))


class Block:
    """A block of a document. If a field is wrong, the problem is noted and the field has its default."""

    def __init__(self, value: Value | None, name: str, log: Log, line: int = 1) -> None:
        """Takes the block called `name`. A missing block has no fields."""
        self.name = name
        self.line = value.key_line if value else line
        self.log = log
        self._asked: set[str] = set()
        self._fields: Mapping[str, Value] = {}
        if value and isinstance(value.content, Mapping):
            self._fields = value.content
        elif value and value.content is not None:
            log.add(value.line, f"{name or 'the document'} is {value.kind}. Write keys with values.")

    def __contains__(self, key: str) -> bool:
        return key in self._fields

    def keys(self) -> Collection[str]:
        """The keys that the block has."""
        return self._fields.keys()

    def line_of(self, key: str) -> int:
        """The line of `key`, or of the block if the key is missing."""
        return self._fields[key].key_line if key in self._fields else self.line

    def block(self, key: str) -> Block:
        """The block below `key`. It has no fields if it is missing."""
        return Block(self.value(key), self._path(key), self.log, self.line)

    def value(self, key: str) -> Value | None:
        """The value of `key`; None if it is missing."""
        self._asked.add(key)
        return self._fields.get(key)

    def text(self, key: str, default: str | None = None, *, required: bool = False) -> str | None:
        """A text."""
        found = self.value(key)
        if found is None or found.content is None:
            if required:
                self.log.add(self.line_of(key), f"{self._path(key)} is missing. Add '{key}: ...'.")
            return default
        if isinstance(found.content, str):
            return found.content
        self.log.add(found.line, f"{self._path(key)} is {found.kind}. Write a single value.")
        return default

    def choice(self, key: str, choices: Sequence[str], default: str | None = None) -> str | None:
        """One of `choices`. Without a default, the field is required."""
        found = self.text(key, default, required=default is None)
        if found is None or found in choices:
            return found
        self.log.add(self.line_of(key), f"{self._path(key)} is '{found}'. Write {' or '.join(choices)}.")
        return default

    def integer(self, key: str, default: int | None, *, least: int = 0) -> int | None:
        """A whole number of at least `least`."""
        found = self.text(key)
        if found is None:
            return default
        if re.fullmatch(r"\d{1,12}", found) and int(found) >= least:
            return int(found)
        self.log.add(self.line_of(key), f"{self._path(key)} is '{found}'. Write a whole number, at least {least}.")
        return default

    def boolean(self, key: str) -> bool:
        """`true` or `false`; false if it is missing."""
        return self.choice(key, ("true", "false"), "false") == "true"

    def duration_s(self, key: str, default: int) -> int:
        """A time in seconds, written with its unit: 90s, 45m, 24h, 7d."""
        return round(self._measured(key, _SECONDS, default, "a duration such as 90s, 45m, 24h or 7d"))

    def memory_gib(self, key: str, default: float) -> float:
        """A memory size in GiB, written with its unit: 512Mi, 30Gi, 1Ti."""
        return self._measured(key, _GIB, default, "memory such as 512Mi, 30Gi or 1Ti")

    def texts(self, key: str) -> dict[str, tuple[str, int]]:
        """Texts by key, each with its line."""
        block = self.block(key)
        found = {name: (block.text(name, required=True) or "", block.line_of(name)) for name in block._fields}
        return {name: pair for name, pair in found.items() if pair[0]}

    def end(self) -> None:
        """Notes each key that no method has read."""
        for key in self._fields.keys() - self._asked:
            where = f" of {self.name}" if self.name else ""
            hint = plugins.suggestion(key, self._asked)
            self.log.add(self.line_of(key), f"no field{where} is called '{key}'. {hint}")

    def _measured(self, key: str, units: Mapping[str, float], default: float, example: str) -> float:
        found = self.text(key)
        if found is None:
            return default
        match = re.fullmatch(r"(\d{1,9}(?:\.\d+)?)([A-Za-z]+)", found)
        if match and match[2] in units and float(match[1]):
            return float(match[1]) * units[match[2]]
        self.log.add(self.line_of(key), f"{self._path(key)} is '{found}'. Write {example}.")
        return default

    def _path(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


def checked(block: Block, key: str, pattern: str, wanted: str) -> str | None:
    """The text of `key`, which must match `pattern` as a whole; None if it is missing or wrong.

    Args:
      block: the block with the key.
      key: the name of the field.
      pattern: a regular expression.
      wanted: the pattern in words.
    """
    found = block.text(key)
    if found is not None and not re.fullmatch(pattern, found):
        block.log.add(block.line_of(key), f"{key} is '{found}'. Write {wanted}.")
        return None
    return found
