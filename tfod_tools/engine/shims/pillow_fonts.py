"""`ImageFont.FreeTypeFont.getsize`, and the same method of the bitmap font.

Needed by: `object_detection.utils.visualization_utils.draw_bounding_box_on_image`, which an evaluation calls for every
box that it draws (`eval_config.num_visualizations`, 10 images by default). Pillow: 10 and later, which removed
`getsize`.
"""

from typing import Any

NEEDED_ON = "Pillow >= 10"


def needed(style: str) -> str | None:
    """Why it is needed here; None where it is not."""
    from PIL import ImageFont

    return None if hasattr(ImageFont.FreeTypeFont, "getsize") else "Pillow's fonts have no getsize"


def apply() -> None:
    """Defines `getsize` with `getbbox`, as the notes of Pillow's release recommend."""
    from PIL import ImageFont

    def getsize(font: "ImageFont.FreeTypeFont | ImageFont.ImageFont", text: str) -> tuple[int, int]:
        _, _, right, bottom = font.getbbox(text)
        return int(right), int(bottom)

    kinds: tuple[Any, ...] = (ImageFont.FreeTypeFont, ImageFont.ImageFont)
    for kind in kinds:
        kind.getsize = getsize
