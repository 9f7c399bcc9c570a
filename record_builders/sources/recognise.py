"""Which annotation format a folder or a file holds, by what the files begin with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from record_builders.sources.folders import names_below
from tfod_tools.base import plugins
from tfod_tools.base.errors import AnnotationError, UsageError

_FORMATS = Path(__file__).parents[1] / "formats"
_SUFFIXES = (".xml", ".json", ".csv", ".tsv", ".txt")
_LOOKED_AT = 20


def recognise(annotations: Path) -> str:
    """The name of the only format that files below `annotations` are of.

    Looks at the first 20 files of each suffix.

    Raises:
      AnnotationError: `annotations` does not exist, or no file is of a known format.
      UsageError: files are of several formats.
    """
    names = plugins.names(_FORMATS)
    readers = {name: plugins.load("record_builders.formats", _FORMATS, name, "annotation format") for name in names}
    sample = _sample(annotations)
    seen = Counter(name for path in sample for name, reader in readers.items() if reader.recognises(path))
    if not seen:
        known = ", ".join(names)
        message = f"no file here is of a known annotation format, expected one of {known}. Name it with --format."
        raise AnnotationError(message, path=annotations)
    if len(seen) > 1:
        found = " and ".join(sorted(seen))
        raise UsageError(f"{annotations} has annotations of the formats {found}. Name the one to read with --format.")
    return next(iter(seen))


def _sample(annotations: Path) -> Iterator[Path]:
    if annotations.is_file():
        yield annotations
        return
    names = names_below(annotations, _SUFFIXES)
    for suffix in _SUFFIXES:
        yield from islice((annotations / name for name in names if name.lower().endswith(suffix)), _LOOKED_AT)
