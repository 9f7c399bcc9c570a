"""The listing of a folder is the registry of its plug-ins."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tfod_tools.base import plugins
from tfod_tools.base.errors import UsageError

PACKAGE = "plugins_of_a_test"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with three good plug-ins, one that cannot be imported, and files and folders that are none."""
    package = tmp_path / PACKAGE
    for name in ("subfolder", "_own", "open_images"):
        (package / name).mkdir(parents=True)
    (package / "_own" / "__init__.py").write_text("")
    (package / "open_images" / "__init__.py").write_text("NAME = 'open_images'")
    content = {"__init__.py": "", "_shared.py": "", "voc.py": "NAME = 'voc'", "coco.py": "", "broken.py": "1 / 0"}
    for name, text in (content | {"notes.txt": "", "small.config": ""}).items():
        (package / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield package
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def test_names_are_found_without_importing(folder: Path) -> None:
    assert plugins.names(folder) == ("broken", "coco", "open_images", "voc")
    assert plugins.names(folder, ".config") == ("small",)
    assert PACKAGE not in sys.modules


def test_load(folder: Path) -> None:
    for name in ("voc", "open_images"):
        assert name == plugins.load(PACKAGE, folder, name, "annotation format").NAME


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("vox", "no annotation format is called 'vox'. Did you mean voc?"),
        ("yolo9000", "no annotation format is called 'yolo9000'. Known: broken, coco, open_images, voc."),
        ("_shared", "no annotation format is called '_shared'. Known: broken, coco, open_images, voc."),
        ("../voc", "no annotation format is called '../voc'. Did you mean voc?"),
        ("", "no annotation format is called ''. Known: broken, coco, open_images, voc."),
    ],
)
def test_an_unknown_name_is_a_usage_error(folder: Path, name: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        plugins.load(PACKAGE, folder, name, "annotation format")
    assert str(caught.value) == expected


def test_an_error_inside_a_plugin_comes_through(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        plugins.load(PACKAGE, folder, "broken", "annotation format")


@pytest.mark.parametrize(
    ("wrong", "known", "expected"),
    [
        ("trian", ["evaluate", "train"], "Did you mean train?"),
        ("box_a", ["box_c", "box_b", "zebra"], "Did you mean box_c or box_b?"),
        ("x", ["train", "evaluate"], "Known: evaluate, train."),
        ("x", [], "The list of names is empty."),
    ],
)
def test_suggestion(wrong: str, known: list[str], expected: str) -> None:
    assert plugins.suggestion(wrong, iter(known)) == expected
