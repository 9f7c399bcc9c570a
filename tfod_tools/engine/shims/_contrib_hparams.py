"""`tensorflow.contrib.training.HParams`: a bag of named values, as far as the engine uses it."""

from typing import Any


class HParams:
    """Hyperparameters as attributes."""

    def __init__(self, **values: Any) -> None:
        """Sets each keyword as an attribute."""
        vars(self).update(values)

    def __contains__(self, name: str) -> bool:
        """Whether there is a value of that name."""
        return name in vars(self)

    def add_hparam(self, name: str, value: Any) -> None:
        """Adds a value under a name that is not taken."""
        if name in self:
            raise ValueError(f"Hyperparameter name is reserved: {name}")
        setattr(self, name, value)

    def set_hparam(self, name: str, value: Any) -> None:
        """Changes a value that exists."""
        if name not in self:
            raise KeyError(name)
        setattr(self, name, value)

    def override_from_dict(self, values: dict[str, Any]) -> "HParams":
        """Changes several values that exist."""
        for name, value in values.items():
            self.set_hparam(name, value)
        return self

    def get(self, name: str, default: Any = None) -> Any:
        """The value of that name, or `default`."""
        return vars(self).get(name, default)

    def values(self) -> dict[str, Any]:
        """All values by name."""
        return dict(vars(self))
