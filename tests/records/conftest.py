"""Annotated images made on the spot, and where the shared real ones lie."""

from __future__ import annotations

import zlib
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from PIL import Image

SHARED_DATA = Path(__file__).parents[2].parent / "shared" / "data"


class VocFolder:
    """A folder of VOC annotations next to a folder of images, to be filled by a test."""

    def __init__(self, root: Path) -> None:
        """Makes both folders below `root`."""
        self.root = root
        self.annotations = root / "annotations"
        self.images = root / "images"
        self.annotations.mkdir(parents=True)
        self.images.mkdir()

    def image(self, name: str, size: tuple[int, int] = (100, 50), format: str | None = None) -> Path:
        """An image of one colour, another for each name."""
        path = self.images / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, tuple(zlib.crc32(name.encode()).to_bytes(4, "big")[:3])).save(path, format=format)
        return path

    def xml(self, name: str, body: str) -> Path:
        """`body` as the content of <annotation>; its first line is line 2 of the file."""
        path = self.annotations / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<annotation>\n{body}\n</annotation>\n", encoding="utf-8")
        return path

    def add(self, stem: str, *objects: tuple[str, float, float, float, float]) -> None:
        """A 100x50 JPEG and its annotation with `objects` given as (label, xmin, ymin, xmax, ymax)."""
        self.image(f"{stem}.jpg")
        lines = [f"<filename>{stem}.jpg</filename>", *(self.marked(*each) for each in objects)]
        self.xml(f"{stem}.xml", "\n".join(lines))

    @staticmethod
    def marked(label: str, xmin: object, ymin: object, xmax: object, ymax: object) -> str:
        """One <object>, on one line."""
        sides = {"xmin": xmin, "ymin": ymin, "xmax": xmax, "ymax": ymax}
        corners = "".join(f"<{side}>{value}</{side}>" for side, value in sides.items())
        return f"<object><name>{escape(label)}</name><bndbox>{corners}</bndbox></object>"


@pytest.fixture(scope="session")
def voc_folder() -> type[VocFolder]:
    """To make as many folders as a test needs."""
    return VocFolder


@pytest.fixture
def voc(tmp_path: Path) -> VocFolder:
    """An empty folder of VOC annotations."""
    return VocFolder(tmp_path / "voc")


@pytest.fixture
def shared_data() -> Path:
    """The folder of shared real data sets."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared data sets do not lie next to the project")
    return SHARED_DATA
