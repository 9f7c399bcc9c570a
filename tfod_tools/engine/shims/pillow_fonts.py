"""`ImageFont.FreeTypeFont.getsize` and the same of the bitmap font.

Needed by: `object_detection.utils.visualization_utils.draw_bounding_box_on_image`, called as soon as an evaluation
draws one box (`eval_config.num_visualizations`, 10 by default). Pillow: 10 and later, which removed `getsize`.
"""

from typing import Any

NEEDED_ON = "Pillow >= 10"


def needed(style: str) -> str | None:
    """Why it is needed here; None where it is not."""
    from PIL import ImageFont

    return None if hasattr(ImageFont.FreeTypeFont, "getsize") else "Pillow's fonts have no getsize"


def apply() -> None:
    """Defines `getsize` through `getbbox`, which is what Pillow's own notes recommend."""
    from PIL import ImageFont

    def getsize(font: "ImageFont.FreeTypeFont | ImageFont.ImageFont", text: str) -> tuple[int, int]:
        _, _, right, bottom = font.getbbox(text)
        return int(right), int(bottom)

    kinds: tuple[Any, ...] = (ImageFont.FreeTypeFont, ImageFont.ImageFont)
    for kind in kinds:
        kind.getsize = getsize
