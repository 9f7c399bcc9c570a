"""Pictures with labelled boxes."""

from __future__ import annotations

import colorsys
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfod_tools.base.files import write_atomically

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledBox:
    """A box to draw: its caption, the number that gives its colour, and its corners in pixels of the upright image."""

    caption: str
    label_id: int
    xmin: float
    ymin: float
    xmax: float
    ymax: float


def draw(source: Path, boxes: Sequence[LabelledBox], target: Path) -> None:
    """Writes the image `source` with `boxes` on it to `target`, as a JPEG. The first box is on top."""
    from PIL import Image, ImageOps

    with Image.open(source) as image:
        picture = ImageOps.exif_transpose(image).convert("RGB")
    draw_on(picture, boxes)
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=92)
    write_atomically(target, encoded.getvalue())


def draw_on(picture: Image, boxes: Sequence[LabelledBox]) -> None:
    """Draws `boxes` on `picture`, an image in RGB. The first box is on top."""
    from PIL import ImageDraw, ImageFont

    canvas = ImageDraw.Draw(picture)
    thickness = max(2, round(max(picture.size) / 300))
    font = ImageFont.load_default(size=max(11, round(max(picture.size) / 40)))
    for box in reversed(boxes):
        colour = _colour(box.label_id)
        canvas.rectangle((box.xmin, box.ymin, box.xmax, box.ymax), outline=colour, width=thickness)
        _caption(canvas, box, colour, font, picture.size)


def _caption(canvas: Any, box: LabelledBox, colour: str, font: Any, size: tuple[int, int]) -> None:
    """Draws the caption on the box's colour: above the box, or inside it if there is no room above."""
    left, top, right, bottom = canvas.textbbox((0, 0), box.caption, font=font)
    width, height = right - left + 6, bottom - top + 4
    x = min(max(box.xmin, 0), max(size[0] - width, 0))
    y = box.ymin - height if box.ymin >= height else max(box.ymin, 0)
    canvas.rectangle((x, y, x + width, y + height), fill=colour)
    canvas.text((x + 3 - left, y + 2 - top), box.caption, fill="black", font=font)


def _colour(label_id: int) -> str:
    """A bright colour. Steps of the golden ratio around the hue circle make the colours of near numbers different."""
    red, green, blue = colorsys.hsv_to_rgb(label_id * 0.618034 % 1, 0.65, 1.0)
    return f"rgb({round(red * 255)},{round(green * 255)},{round(blue * 255)})"
