"""A folder is a stage or a part that a person can name: each says what it holds, and is read at a glance."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePosixPath

import pytest
from contracts import sources

# So many files a reader takes in at a glance.
MAX_FILES = 16
# Registries: one file for each thing of a kind, however many there are.
REGISTRIES = (
    "pipeline_configs/checking/rules",
    "record_builders/formats",
    "tfod_tools",  # the commands
    "tfod_tools/engine/shims",
)
FOLDERS = Counter(PurePosixPath(file).parent.as_posix() for file in sources.files())


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_a_package(folder: str) -> None:
    """Its docstring says what it holds; test_docs.py looks at it."""
    assert f"{folder}/__init__.py" in sources.files()


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if folder not in REGISTRIES])
def test_a_folder_is_read_at_a_glance(folder: str) -> None:
    assert FOLDERS[folder] - 1 <= MAX_FILES, "a folder with so many files holds two stages or parts"


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if folder.count("/") == 1])
def test_contributing_names_every_folder(folder: str) -> None:
    assert f"`{folder}/`" in (sources.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
