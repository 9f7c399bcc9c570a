"""`tensorflow.contrib.training.HParams`: a set of named values. Only the methods that the engine calls are here."""

import re
from typing import Any

_ASSIGNMENT = re.compile(r"([A-Za-z_][\w.]*)\s*=\s*(\[[^\]]*\]|[^,\[\]]*)(?:,|$)")


class HParams:
    """Hyperparameters as attributes."""

    def __init__(self, **values: Any) -> None:
        """Sets each keyword as an attribute."""
        vars(self).update(values)

    def __contains__(self, name: str) -> bool:
        """Whether there is a value of that name."""
        return name in vars(self)

    def add_hparam(self, name: str, value: Any) -> None:
        """Adds a value under a new name."""
        if name in self:
            raise ValueError(f"Hyperparameter name is reserved: {name}")
        setattr(self, name, value)

    def set_hparam(self, name: str, value: Any) -> None:
        """Changes an existing value."""
        if name not in self:
            raise KeyError(name)
        setattr(self, name, value)

    def override_from_dict(self, values: dict[str, Any]) -> "HParams":
        """Changes several existing values."""
        for name, value in values.items():
            self.set_hparam(name, value)
        return self

    def parse(self, assignments: str) -> "HParams":
        """Changes values by text such as `depth=3,rate=0.1,names=[a,b]`. Each value keeps its type.

        Raises:
          ValueError: the text is not such a list, a name does not exist, or a value is not of the old value's type.
        """
        for name, text in _ASSIGNMENT.findall(assignments):
            if name not in self:
                raise ValueError(f"Unknown hyperparameter: {name}")
            self.set_hparam(name, _like(vars(self)[name], text))
        if rest := _ASSIGNMENT.sub("", assignments).strip(", "):
            raise ValueError(f"Could not parse hyperparameters: {rest}")
        return self

    def get(self, name: str, default: Any = None) -> Any:
        """The value of that name; `default` if it does not exist."""
        return vars(self).get(name, default)

    def values(self) -> dict[str, Any]:
        """All values by name."""
        return dict(vars(self))


def _like(old: Any, text: str) -> Any:
    """`text` as a value of the type of `old`."""
    if isinstance(old, list):
        items = [item.strip() for item in text.strip("[] ").split(",")]
        return [_like(old[0] if old else "", item) for item in items if item]
    if isinstance(old, bool):
        if text.lower() not in ("true", "false", "1", "0"):
            raise ValueError(f"Not true or false: {text}")
        return text.lower() in ("true", "1")
    return text if old is None else type(old)(text)
