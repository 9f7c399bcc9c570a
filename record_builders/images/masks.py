"""Outlines of objects. They stay as annotated, and are drawn as PNG when they are written."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from record_builders.images import pixels
from tfod_tools.base.errors import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image


class Polygons(NamedTuple):
    """The union of `rings`; each is x1, y1, x2, y2 and so on in pixels."""

    rings: tuple[tuple[float, ...], ...]


class RunLengths(NamedTuple):
    """Alternating runs of 0s and 1s, beginning with 0s, column by column from the top (COCO's RLE).

    Attributes:
      counts: length of each run, or the compressed text of the lengths.
      width: of the image, in pixels.
      height: of the image, in pixels.
    """

    counts: tuple[int, ...] | str
    width: int
    height: int


class IndexImage(NamedTuple):
    """The pixels with `number` of the palette image at `path`, which was last changed at `modified_ns`."""

    path: str
    number: int
    modified_ns: int = 0


class Turned(NamedTuple):
    """A mask of an image of `width` x `height` pixels that is turned upright by its EXIF `orientation`."""

    mask: Polygons | RunLengths | IndexImage
    orientation: int
    width: int
    height: int


Mask = Polygons | RunLengths | IndexImage | Turned

_ENLARGED = 4


def to_png(mask: Mask | None, width: int, height: int) -> bytes:
    """The mask as a PNG of `width` x `height` pixels with one bit each; empty for None.

    Raises:
      ImageError: the image of an IndexImage cannot be read, or a mask has another size.
    """
    file = io.BytesIO()
    _drawn(mask, width, height).save(file, format="PNG")
    return file.getvalue()


def _drawn(mask: Mask | None, width: int, height: int) -> Image:
    from PIL import Image

    if isinstance(mask, Turned):
        return pixels.turned(_drawn(mask.mask, mask.width, mask.height), mask.orientation)
    if isinstance(mask, RunLengths):
        _check_size(mask.width, mask.height, width, height, None)
        # The columns of this image are the rows of the transposed image.
        sideways = Image.frombytes("L", (height, width), b"".join(_pixels(mask)))
        return sideways.transpose(Image.Transpose.TRANSPOSE).convert("1")
    if isinstance(mask, IndexImage):
        return _index_image(mask, width, height)
    drawn = Image.new("1", (width, height))
    for ring in mask.rings if mask else ():
        drawn.paste(1, (0, 0), _ring(ring, width, height))
    return drawn


def _ring(ring: tuple[float, ...], width: int, height: int) -> Image:
    """The pixels whose centres are inside `ring`."""
    from PIL import Image, ImageDraw

    # Pillow draws the right and lower edge of a polygon too. In an enlarged drawing this is less than half a pixel.
    large = Image.new("1", (width * _ENLARGED, height * _ENLARGED))
    ImageDraw.Draw(large).polygon([value * _ENLARGED - 0.5 for value in ring], fill=1)
    return large.resize((width, height), Image.Resampling.NEAREST)


def _index_image(mask: IndexImage, width: int, height: int) -> Image:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(mask.path) as image:
            _check_size(*image.size, width, height, mask.path)
            return image.point([255 * (value == mask.number) for value in range(256)], "L").convert("1")
    except (OSError, UnidentifiedImageError, ValueError) as exc:
        raise ImageError(f"cannot read the masks: {exc}. Replace the file.", path=mask.path) from exc


def _check_size(width: int, height: int, wanted_width: int, wanted_height: int, path: str | None) -> None:
    if (width, height) != (wanted_width, wanted_height):
        message = (
            f"the mask has {width}x{height} pixels, but the image has {wanted_width}x{wanted_height}. Replace the mask."
        )
        raise ImageError(message, path=path)


def _pixels(mask: RunLengths) -> Iterator[bytes]:
    for number, length in enumerate(runs(mask.counts)):
        yield (b"\xff" if number % 2 else b"\0") * length


def runs(counts: Sequence[int] | str) -> Sequence[int]:
    """The lengths of the runs; `counts` may be COCO's compressed text.

    The text has each number in two's complement, in groups of 5 bits, lowest first. A group is the character 48 + group
    (+ 32 if more groups follow). From the fourth number on, it is the difference to the number two places before.
    Source: rleFrString in cocoapi's common/maskApi.c.

    Raises:
      ValueError: the text ends inside a number, has other characters, or a length is negative.
    """
    if not isinstance(counts, str):
        return counts
    lengths: list[int] = []
    value = shift = 0
    for character in counts:
        group = ord(character) - 48
        if not 0 <= group < 64:
            raise ValueError(f"'{character}' cannot be in a run length")
        value |= (group & 31) << shift
        shift += 5
        if not group & 32:
            value -= (1 << shift) if group & 16 else 0
            lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
            value = shift = 0
    if shift or min(chain(lengths, [0])) < 0:
        raise ValueError("the run lengths are incomplete")
    return lengths
