"""Label maps from a label map file, class descriptions or a list of names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from record_builders import label_map
from record_builders.label_map import LabelMap
from record_builders.sources import names_files
from tfod_tools.base.errors import LabelMapError


def read_all(paths: Sequence[Path]) -> LabelMap:
    """One label map of all `paths`: the first keeps its numbers, the others add their classes.

    Raises:
      LabelMapError: a file cannot be used.
    """
    return reduce(LabelMap.merged, (read(path) for path in paths))


def read(path: Path) -> LabelMap:
    """The label map of the classes in the file at `path`.

    Args:
      path: a label map (.pbtxt); class descriptions of Open Images (.csv with two columns: the MID becomes the name,
        the other column the display name); or a list of names (.txt, .names, .yaml), which get their numbers in order.

    Raises:
      LabelMapError: the file cannot be used.
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
    message = "is not a label map (.pbtxt) and not a list of names (.txt, .names, .yaml, .csv). Name another file."
    raise LabelMapError(message, path=path)
