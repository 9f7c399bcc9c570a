"""Masks are drawn as COCO's own tools draw them, and as the PNG of VOC has them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as coco_mask

from record_builders.images import masks
from record_builders.images.masks import IndexImage, Polygons, RunLengths
from tfod_tools.base.errors import ImageError


def pixels(png: bytes) -> Any:
    """Height x width, True inside."""
    with Image.open(io.BytesIO(png)) as image:
        assert (image.format, image.mode) == ("PNG", "1")
        return np.asarray(image)


BITMAPS = st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(0)).map(
    lambda found: np.random.default_rng(found[2]).random((found[0], found[1])) < 0.5
)


@given(BITMAPS)
def test_run_lengths(bitmap: Any) -> None:
    """Compressed and plain."""
    height, width = bitmap.shape
    counts = coco_mask.encode(np.asfortranarray(bitmap.astype(np.uint8)))["counts"].decode()
    drawn = masks.to_png(RunLengths(counts=counts, width=width, height=height), width, height)
    assert (pixels(drawn) == bitmap).all()
    plain = RunLengths(counts=tuple(masks.runs(counts)), width=width, height=height)
    assert masks.to_png(plain, width, height) == drawn


def test_long_runs() -> None:
    """Numbers of several characters, and differences below zero."""
    bitmap = np.zeros((300, 400), np.uint8)
    bitmap[10:290, 20:380] = 1
    bitmap[100:101, 40] = 0
    counts = coco_mask.encode(np.asfortranarray(bitmap))["counts"].decode()
    drawn = masks.to_png(RunLengths(counts=counts, width=400, height=300), 400, 300)
    assert (pixels(drawn) == bitmap).all()


@pytest.mark.parametrize("counts", ["~", "5P", "P", " "])
def test_what_is_no_run_length(counts: str) -> None:
    with pytest.raises(ValueError, match="run length"):
        masks.runs(counts)


# pycocotools' decode does not follow NumPy 2 to the letter.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(
    "rings",
    [
        [[2, 3, 20, 3, 20, 15, 2, 15]],
        [[5.5, 5.5, 30.25, 8, 18, 28]],
        [[1, 1, 10, 1, 10, 10, 1, 10], [20, 10, 35, 12, 30, 25]],
        [[-5, -5, 50, 3, 20, 40]],
    ],
)
def test_polygons(rings: list[list[float]]) -> None:
    """Pixels whose centres are inside: as many as the area says, and, but for the edge, those of pycocotools."""
    merged = coco_mask.merge(coco_mask.frPyObjects(rings, 30, 40))
    expected = coco_mask.decode(merged).astype(bool)
    found = pixels(masks.to_png(Polygons(rings=tuple(map(tuple, rings))), 40, 30))
    overlap = (found & expected).sum() / (found | expected).sum()
    assert overlap > 0.92
    if min(map(min, rings)) >= 0:
        assert found.sum() == pytest.approx(sum(map(area, rings)), rel=0.04)


def area(ring: list[float]) -> float:
    """By Gauss's shoelace formula."""
    xs, ys = ring[::2], ring[1::2]
    return abs(sum(xs[i - 1] * ys[i] - xs[i] * ys[i - 1] for i in range(len(xs)))) / 2


def test_index_image(tmp_path: Path) -> None:
    """The pixels of one number; those of 255 are a border that belongs to nobody."""
    image = Image.new("P", (4, 2))
    image.putdata([0, 1, 2, 255, 2, 2, 1, 0])
    image.putpalette([9, 9, 9] * 256)
    image.save(tmp_path / "a.png")
    drawn = pixels(masks.to_png(IndexImage(path=str(tmp_path / "a.png"), number=2), 4, 2))
    assert drawn.tolist() == [[False, False, True, False], [True, True, False, False]]
    with pytest.raises(ImageError, match="the mask has 4x2 pixels, but the image has 5x2"):
        masks.to_png(IndexImage(path=str(tmp_path / "a.png"), number=2), 5, 2)
    (tmp_path / "a.png").write_text("none")
    with pytest.raises(ImageError, match="cannot read the masks"):
        masks.to_png(IndexImage(path=str(tmp_path / "a.png"), number=2), 4, 2)


def test_no_mask() -> None:
    """Is empty."""
    assert not pixels(masks.to_png(None, 5, 3)).any()
