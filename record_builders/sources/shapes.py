"""A generated data set in the Pascal VOC format: shapes on textured backgrounds, for the demo and for tests.

It has four classes of different size and aspect ratio: `ball`, `bar` (wide), `column` (tall) and `tent` (a triangle).
Only the shape shows the class; colours are random. The same seed gives the same images and annotations.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

CLASSES = ("ball", "bar", "column", "tent")

# Smallest and largest width in pixels of a 320 x 240 image, and height / width.
_SIZES = {
    "ball": ((40, 110), (0.85, 1.18)),
    "bar": ((100, 190), (0.22, 0.34)),
    "column": ((28, 52), (2.9, 4.2)),
    "tent": ((60, 140), (0.7, 1.1)),
}
_WIDTH, _HEIGHT = 320, 240
_MOST_OBJECTS = 3
_LARGEST_OVERLAP = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One object: its class and its box in whole pixels."""

    label: str
    xmin: int
    ymin: int
    xmax: int
    ymax: int


def write_voc(folder: Path, images: int, seed: int = 0) -> None:
    """Writes `folder/images/NNNN.jpg` and `folder/annotations/NNNN.xml` for each of `images` images of 320 x 240."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    for index in range(images):
        rng = random.Random(f"{seed}/{index}")
        shapes = _placed_shapes(rng)
        _picture(shapes, rng).save(folder / "images" / f"{index:04d}.jpg", quality=90)
        (folder / "annotations" / f"{index:04d}.xml").write_text(_voc_xml(f"{index:04d}.jpg", shapes))


def _placed_shapes(rng: random.Random) -> list[Shape]:
    placed: list[Shape] = []
    for _ in range(rng.randint(1, _MOST_OBJECTS)):
        for _attempt in range(20):
            shape = _random_shape(rng)
            if all(_overlap(shape, other) <= _LARGEST_OVERLAP for other in placed):
                placed.append(shape)
                break
    return placed


def _random_shape(rng: random.Random) -> Shape:
    label = rng.choice(CLASSES)
    widths, ratios = _SIZES[label]
    width = rng.randint(*widths)
    height = min(round(width * rng.uniform(*ratios)), _HEIGHT - 10)
    xmin, ymin = rng.randint(2, _WIDTH - width - 3), rng.randint(2, _HEIGHT - height - 3)
    return Shape(label=label, xmin=xmin, ymin=ymin, xmax=xmin + width, ymax=ymin + height)


def _overlap(a: Shape, b: Shape) -> float:
    """The shared area, as a fraction of the smaller box."""
    width = min(a.xmax, b.xmax) - max(a.xmin, b.xmin)
    height = min(a.ymax, b.ymax) - max(a.ymin, b.ymin)
    smaller = min((s.xmax - s.xmin) * (s.ymax - s.ymin) for s in (a, b))
    return max(width, 0) * max(height, 0) / smaller


def _picture(shapes: list[Shape], rng: random.Random) -> Image:
    from PIL import Image as images
    from PIL import ImageDraw

    image = _texture(rng, spread=40)
    for shape in shapes:
        mask = images.new("L", image.size)
        draw, box = ImageDraw.Draw(mask), (shape.xmin, shape.ymin, shape.xmax - 1, shape.ymax - 1)
        if shape.label == "ball":
            draw.ellipse(box, fill=255)
        elif shape.label == "tent":
            top = ((shape.xmin + shape.xmax) // 2, shape.ymin)
            draw.polygon([(shape.xmin, shape.ymax - 1), top, (shape.xmax - 1, shape.ymax - 1)], fill=255)
        else:
            draw.rectangle(box, fill=255)
        image.paste(_texture(rng, spread=25), mask=mask)
    return image


def _texture(rng: random.Random, spread: int) -> Image:
    """A random colour with soft random blotches of up to `spread` grey levels."""
    from PIL import Image as images

    cells = (_WIDTH // 16, _HEIGHT // 16)
    noise = images.frombytes("L", cells, bytes(rng.randint(0, 2 * spread) for _ in range(cells[0] * cells[1])))
    noise = noise.resize((_WIDTH, _HEIGHT), images.Resampling.BICUBIC)
    base = [rng.randint(0, 255 - 2 * spread) for _ in range(3)]
    return images.merge("RGB", [noise.point(lambda value, offset=offset: value + offset) for offset in base])


def _voc_xml(filename: str, shapes: list[Shape]) -> str:
    objects = "".join(
        f"  <object>\n    <name>{s.label}</name>\n    <difficult>0</difficult>\n    <bndbox>\n"
        f"      <xmin>{s.xmin}</xmin>\n      <ymin>{s.ymin}</ymin>\n"
        f"      <xmax>{s.xmax}</xmax>\n      <ymax>{s.ymax}</ymax>\n    </bndbox>\n  </object>\n"
        for s in shapes
    )
    size = f"<width>{_WIDTH}</width><height>{_HEIGHT}</height><depth>3</depth>"
    return f"<annotation>\n  <filename>{filename}</filename>\n  <size>{size}</size>\n{objects}</annotation>\n"
