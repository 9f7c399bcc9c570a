"""Images that are copies of one another, byte by byte."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from record_builders.annotations import AnnotatedImage
from tfod_tools.base.errors import ImageError

_SAMPLE_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """Images with the same content.

    Attributes:
      images: at least two.
      boxes_differ: not all have the same boxes of the same classes.
    """

    images: tuple[AnnotatedImage, ...]
    boxes_differ: bool


def find(images: Sequence[AnnotatedImage]) -> tuple[Copies, ...]:
    """All sets of copies among `images`, and within a set, in the order of `images`.

    Only of files of one size a part is read, and only where that is the same, all.

    Raises:
      ImageError: a file can no longer be read.
    """
    alike: list[list[AnnotatedImage]] = [list(images)]
    for evidence in (lambda image: image.header.size_bytes, _sample, _hash):
        alike = [part for whole in alike for part in _parted(whole, evidence)]
    return tuple(Copies(images=tuple(same), boxes_differ=len(set(map(_boxes, same))) > 1) for same in alike)


def _parted(
    images: Iterable[AnnotatedImage], evidence: Callable[[AnnotatedImage], Hashable]
) -> list[list[AnnotatedImage]]:
    """Those of `images` that share their evidence with others, together with these."""
    parts: dict[Hashable, list[AnnotatedImage]] = defaultdict(list)
    for image in images:
        parts[evidence(image)].append(image)
    return [part for part in parts.values() if len(part) > 1]


def _sample(image: AnnotatedImage) -> bytes:
    """A part from the middle: photos of one camera begin and end alike."""
    return _content(image, max(image.header.size_bytes - _SAMPLE_BYTES, 0) // 2, _SAMPLE_BYTES)


def _hash(image: AnnotatedImage) -> bytes:
    return hashlib.sha256(_content(image, 0, -1)).digest()


def _content(image: AnnotatedImage, offset: int, count: int) -> bytes:
    try:
        with image.image_path.open("rb") as file:
            file.seek(offset)
            return file.read(count)
    except OSError as exc:
        raise ImageError(f"cannot read the image: {exc.strerror}.", path=image.image_path) from exc


def _boxes(image: AnnotatedImage) -> tuple[object, ...]:
    return tuple(sorted((o.label, o.box.xmin, o.box.ymin, o.box.xmax, o.box.ymax) for o in image.objects))
