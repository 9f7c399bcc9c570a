"""Label maps from whatever says which classes there are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from record_builders import label_map
from record_builders.label_map import LabelMap
from record_builders.sources import names_files
from tfod_tools.base.errors import LabelMapError


def read_all(paths: Sequence[Path]) -> LabelMap:
    """The label maps of all `paths` in one: the first keeps its numbers, the others add classes.

    Raises:
      LabelMapError: one of them cannot be used.
    """
    return reduce(LabelMap.merged, (read(path) for path in paths))


def read(path: Path) -> LabelMap:
    """The label map that `path` holds or leads to.

    Args:
      path: a label map (.pbtxt), class descriptions of Open Images (.csv of two columns; named by MID, shown by name),
        or a list of names (.txt, .names, .yaml), numbered in its order.

    Raises:
      LabelMapError: it cannot be used.
    """
    suffix = path.suffix.lower()
    if suffix in (".pbtxt", ".pbtx", ".prototxt"):
        return label_map.read(path)[0]
    if names_files.is_descriptions_file(path):
        names = names_files.read_descriptions(path)
        return LabelMap(names=tuple(names), ids=tuple(range(1, len(names) + 1)), display_names=tuple(names.values()))
    if suffix in (".txt", ".names", ".yaml", ".yml"):
        listed = names_files.read_names(path)
        return LabelMap(names=listed, ids=tuple(range(1, len(listed) + 1)), display_names=("",) * len(listed))
    raise LabelMapError("is no label map (.pbtxt) and no list of names (.txt, .names, .yaml, .csv).", path=path)
