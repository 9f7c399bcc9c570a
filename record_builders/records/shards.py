"""The names of record files: `train.record-00000-of-00004`. Only this module builds and parses them."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_SHARDS = 99_999  # The number has five digits.

_NAME = re.compile(r"(?P<prefix>[^/\\]+)\.record-(?P<index>\d{5})-of-(?P<total>\d{5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardSpec:
    """One of the files that hold the records of a split.

    Attributes:
      prefix: name of the split, such as 'train'.
      index: 0-based number of the shard, below `total`.
      total: number of shards of the split, 1 to 99999.
    """

    prefix: str
    index: int
    total: int

    def __post_init__(self) -> None:
        """Raises ValueError if the shard cannot have a name."""
        if not 0 <= self.index < self.total <= MAX_SHARDS:
            raise ValueError(f"shard {self.index} of {self.total} must have 0 <= index < total <= {MAX_SHARDS}")
        if not self.prefix or re.search(r"[/\\]", self.prefix):
            raise ValueError(f"the prefix '{self.prefix}' must be a file name")

    @property
    def name(self) -> str:
        """The file name, such as `train.record-00000-of-00004`."""
        return f"{self.prefix}.record-{self.index:05d}-of-{self.total:05d}"

    @classmethod
    def parse(cls, name: str) -> ShardSpec:
        """The shard with this name.

        Raises:
          ValueError: `name` is not the name of a shard.
        """
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"'{name}' is not the name of a shard, such as train.record-00000-of-00004")
        return cls(prefix=match["prefix"], index=int(match["index"]), total=int(match["total"]))


def pattern(prefix: str, total: int) -> str:
    """The glob that matches all shards of a split, such as `train.record-?????-of-00004`."""
    return f"{prefix}.record-?????-of-{total:05d}"


def specs(prefix: str, total: int) -> tuple[ShardSpec, ...]:
    """All shards of a split, in order."""
    return tuple(ShardSpec(prefix=prefix, index=index, total=total) for index in range(total))
