"""Which annotation format the files of a folder have. The beginning of each file decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import ModuleType

from record_builders.sources.folders import names_below
from tfod_tools.base import plugins
from tfod_tools.base.errors import AnnotationError, Problems, UsageError

_FORMATS = Path(__file__).parents[1] / "formats"
_SUFFIXES = (".xml", ".json", ".csv", ".tsv", ".txt")
_LOOKED_AT = 20


def recognise(annotations: Path) -> str:
    """The name of the format that the files below `annotations` have.

    Reads the beginning of the first 20 files of each suffix.

    Raises:
      AnnotationError: `annotations` does not exist, or has no file that could be an annotation file.
      Problems: no file has a known format; for each file that is close to a format, what the file lacks.
      UsageError: the files have several formats.
    """
    names = plugins.names(_FORMATS)
    readers = {name: plugins.load("record_builders.formats", _FORMATS, name, "annotation format") for name in names}
    sample = _sample(annotations)
    seen = {name: [path for path in sample if reader.recognises(path)] for name, reader in readers.items()}
    seen = {name: paths for name, paths in seen.items() if paths}
    if not seen:
        raise _not_recognised(annotations, sample, readers)
    if len(seen) > 1:
        message = f"{annotations} has files of several formats: {_counted(seen, annotations)}."
        raise UsageError(f"{message} Name the format to read with --format, or the folder of one with --annotations.")
    return next(iter(seen))


def _sample(annotations: Path) -> list[Path]:
    if annotations.is_file():
        return [annotations]
    names = names_below(annotations, _SUFFIXES)
    return [
        annotations / name
        for suffix in _SUFFIXES
        for name in islice((name for name in names if name.lower().endswith(suffix)), _LOOKED_AT)
    ]


def _not_recognised(
    annotations: Path, sample: Sequence[Path], readers: Mapping[str, ModuleType]
) -> AnnotationError | Problems:
    if not sample:
        message = f"no annotation file is here: no file ends in {', '.join(_SUFFIXES[:-1])} or {_SUFFIXES[-1]}."
        return AnnotationError(f"{message} Name the folder of the annotations with --annotations.", path=annotations)
    known = ", ".join(readers)
    first = AnnotationError("no file here has a format that make_records recognises.", path=annotations)
    reasons = [
        AnnotationError(f"is not {name}: {reason}", path=path)
        for path in sample
        for name, reader in readers.items()
        if (reason := reader.why_not(path) if hasattr(reader, "why_not") else "")
    ]
    return Problems([first, *reasons], advice=f"Known formats: {known}. Correct the files, or name one with --format.")


def _counted(seen: Mapping[str, Sequence[Path]], annotations: Path) -> str:
    """How many files have each format, and the first of them."""
    counts = []
    for name, paths in seen.items():
        first = paths[0].relative_to(annotations).as_posix() if paths[0] != annotations else paths[0].name
        more = "at least " if len(paths) >= _LOOKED_AT else ""
        files = "1 file" if len(paths) == 1 else f"{more}{len(paths)} files"
        counts.append(f"{name} in {files} ({first}{', ...' if len(paths) > 1 else ''})")
    return " and ".join(counts)
