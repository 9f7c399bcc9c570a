"""The hierarchy of classes: a graph without cycles, in which a class may have several parents.

Source: bbox_labels_600_hierarchy.json of Open Images. Its root, "Entity", is not a class. `Part` says that a wheel is
part of a car. A wheel is not a car, so `Part` is ignored, as in the engine's oid_hierarchical_labels_expansion.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from record_builders.sources import json_files
from tfod_tools.base.errors import AnnotationError

_DEEPEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """The ancestors and descendants of each class, by MID, without the class itself.

    Attributes:
      ancestors: all classes above a class, its parents' parents too.
      descendants: all classes below a class, its children's children too.
    """

    ancestors: Mapping[str, frozenset[str]]
    descendants: Mapping[str, frozenset[str]]

    @classmethod
    def none(cls) -> Hierarchy:
        """The hierarchy in which no class has a parent."""
        return cls(ancestors={}, descendants={})

    @classmethod
    def read(cls, path: Path) -> Hierarchy:
        """The hierarchy in the JSON file at `path`.

        Raises:
          AnnotationError: the file is not a hierarchy.
        """
        root = json_files.load(path)
        ancestors: dict[str, set[str]] = defaultdict(set)
        descendants: dict[str, set[str]] = defaultdict(set)
        if not json_files.entries(root, "Subcategory"):
            raise AnnotationError(
                "the file has no Subcategory, so it is not a hierarchy of classes. Download it again.", path=path
            )
        for below in root["Subcategory"]:
            for line in _lines(below, (), path):
                *above, mid = line
                ancestors[mid].update(above)
                for name in above:
                    descendants[name].add(mid)
        return cls(
            ancestors={mid: frozenset(names - {mid}) for mid, names in ancestors.items()},
            descendants={mid: frozenset(names - {mid}) for mid, names in descendants.items()},
        )


def _lines(node: Any, above: tuple[str, ...], path: Path) -> Iterator[tuple[str, ...]]:
    """Every path from the top to `node`, and to each class below it."""
    mid = json_files.text(node, "LabelName")
    if not mid:
        raise AnnotationError("a class of the hierarchy has no LabelName. Download the file again.", path=path)
    if len(above) > _DEEPEST:
        raise AnnotationError(f"the hierarchy is deeper than {_DEEPEST} classes. Download the file again.", path=path)
    yield (*above, mid)
    for below in json_files.entries(node, "Subcategory"):
        yield from _lines(below, (*above, mid), path)
