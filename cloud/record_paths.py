"""Paths of records and label maps, from where they are here to where a job finds them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

_COUNTED = re.compile(r"-of-(\d{5})(?!\d)")


def moved(paths: Sequence[str], folder: str) -> list[str]:
    """Each of `paths` below `folder`, as it was below the deepest folder that holds them all.

    Args:
      paths: patterns of records, and label maps.
      folder: where the job sees that deepest folder; may be a URL.
    """
    if not paths:
        return []
    common = posixpath.commonpath([posixpath.dirname(path) or "." for path in map(_normal, paths)])
    return [f"{folder.rstrip('/')}/{posixpath.relpath(_normal(path), common)}" for path in paths]


def shards(pattern: str) -> int | None:
    """How many files the name of `pattern` itself says there are, as in `train-?????-of-00010.tfrecord`."""
    match = _COUNTED.search(pattern)
    return int(match[1]) if match else None


def _normal(path: str) -> str:
    scheme, mark, rest = path.rpartition("://")
    return posixpath.normpath(f"/{scheme}/{rest}" if mark else path)
