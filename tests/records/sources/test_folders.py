"""Files are listed in one order, and the image that is meant is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from record_builders.sources.folders import ImageFolder, files_below, listed_once, names_below
from tfod_tools.base.errors import AnnotationError, ImageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Empty files; only their names matter."""
    for name in ("b.jpg", "a.PNG", "sub/b.jpg", "sub/c.jpeg", "sub/C.jpeg", ".hidden.jpg", ".git/d.jpg", "e.txt"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "images" / "folder.jpg").mkdir()
    return tmp_path / "images"


def test_files_below(folder: Path) -> None:
    """Sorted, at any depth, without hidden ones."""
    names = [path.relative_to(folder).as_posix() for path in files_below(folder, (".jpg", ".png"))]
    assert names == ["a.PNG", "b.jpg", "sub/b.jpg"]


def test_links_that_lead_nowhere_are_no_files(folder: Path) -> None:
    (folder / "z.txt").symlink_to("z.txt")
    (folder / "y.txt").symlink_to("missing.txt")
    (folder / "x.txt").symlink_to("e.txt")
    assert names_below(folder, (".txt",)) == ["e.txt", "x.txt"]


def test_within_a_block_a_folder_is_listed_once(folder: Path) -> None:
    """Whatever the suffixes that are asked for; what comes and goes in the meantime is not noticed."""
    with listed_once():
        assert names_below(folder, (".txt",)) == ["e.txt"]
        (folder / "f.txt").touch()
        (folder / "b.jpg").unlink()
        assert names_below(folder, (".txt",)) == ["e.txt"]
        assert names_below(folder, (".jpg",)) == ["b.jpg", "sub/b.jpg"]
    assert names_below(folder, (".txt",)) == ["e.txt", "f.txt"]


def test_not_a_folder(folder: Path) -> None:
    """Missing, or a file."""
    with pytest.raises(AnnotationError, match=r"none: this folder does not exist\."):
        files_below(folder / "none", (".jpg",))
    with pytest.raises(AnnotationError, match=r"b\.jpg: this is a file, not a folder\."):
        files_below(folder / "b.jpg", (".jpg",))


@pytest.mark.parametrize(
    ("name", "near", "found"),
    [
        ("a.png", "", "a.PNG"),
        ("a", "", "a.PNG"),
        ("b.jpg", "", "b.jpg"),
        ("b.jpg", "sub", "sub/b.jpg"),
        ("c.jpeg", "", "sub/c.jpeg"),
        ("C.jpeg", "", "sub/C.jpeg"),
        ("d.jpg", "", None),
    ],
)
def test_find(folder: Path, name: str, near: str, found: str | None) -> None:
    """By name or stem; the same case first, then the same folder."""
    assert ImageFolder(folder).find(name, Path(near)) == found


def test_find_does_not_guess(folder: Path) -> None:
    """Of two that fit equally, none."""
    with pytest.raises(ImageError, match=r"'b\.jpg' fits several images: b\.jpg, sub/b\.jpg\."):
        ImageFolder(folder).find("b.jpg", Path("elsewhere"))
