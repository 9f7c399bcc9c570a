"""The folder of an exported model: the names of its files, and whether a folder was made by export."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

FROZEN_GRAPH = "frozen_inference_graph.pb"
SAVED_MODEL = "saved_model"
LABEL_MAP = "label_map.pbtxt"

_MODELS = (FROZEN_GRAPH, f"{SAVED_MODEL}/saved_model.pb")

# All files that an export of either style can leave, as patterns of paths below the folder.
_FILES = (
    *(LABEL_MAP, "pipeline.config", *_MODELS),
    *(f"{SAVED_MODEL}/fingerprint.pb", f"{SAVED_MODEL}/variables/variables.*"),
    *("checkpoint", "model.ckpt.*"),  # TF1 style
    *("checkpoint/checkpoint", "checkpoint/ckpt-*"),  # TF2 style
)


def holds_model(path: Path) -> bool:
    """Whether `path` is a frozen graph, or a folder with an exported model."""
    return any(file.is_file() for file in (path, *(path / name for name in _MODELS)))


def foreign_file(folder: Path) -> Path | None:
    """A file in `folder` that export did not write; None if export made all of it, or it is empty.

    A folder with the names of an export but without a label map and a model was not made by export either; its first
    file counts as foreign.
    """
    found = sorted(_files(folder))
    for path in found:
        if not _is_ours(path.relative_to(folder).as_posix()):
            return path
    complete = (folder / LABEL_MAP).is_file() and holds_model(folder)
    return None if complete or not found else found[0]


def _files(folder: Path) -> Iterator[Path]:
    """Everything below `folder` except folders. A link to a folder counts as a file."""
    for root, folders, names in os.walk(folder):
        yield from (Path(root, name) for name in names)
        yield from (Path(root, name) for name in folders if Path(root, name).is_symlink())


def _is_ours(name: str) -> bool:
    parts = PurePosixPath(name).parts
    patterns = (PurePosixPath(pattern).parts for pattern in _FILES)
    return any(
        len(parts) == len(pattern) and all(fnmatch.fnmatchcase(*pair) for pair in zip(parts, pattern, strict=True))
        for pattern in patterns
    )
