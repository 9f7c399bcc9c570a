"""Images whose files have the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace

from record_builders.annotations import AnnotatedImage
from record_builders.planning.stored_images import StoredImages
from tfod_tools.base import files
from tfod_tools.base.errors import ImageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """Images with the same content.

    Attributes:
      images: at least two.
      boxes_differ: their boxes or classes differ.
    """

    images: StoredImages
    boxes_differ: bool


def find(images: StoredImages) -> tuple[Copies, ...]:
    """All sets of copies among `images`; in each set, the order of `images`.

    Reads only files that have the same size and sample as another file.

    Raises:
      ImageError: a file can no longer be read.
    """
    alike = _sharing(
        range(len(images)), lambda index: (images.outlines[index].size_bytes, images.outlines[index].sample)
    )
    copies = [same for part in alike for same in _sharing(part, lambda index: _hash(images[index]))]
    found = (replace(images, outlines=[images.outlines[index] for index in same]) for same in copies)
    return tuple(Copies(images=same, boxes_differ=len(set(map(_boxes, same))) > 1) for same in found)


def _sharing(indices: Iterable[int], evidence: Callable[[int], Hashable]) -> list[list[int]]:
    """The sets of two or more `indices` that have the same evidence."""
    parts: dict[Hashable, list[int]] = {}
    for index in indices:
        parts.setdefault(evidence(index), []).append(index)
    return [part for part in parts.values() if len(part) > 1]


def _hash(image: AnnotatedImage) -> bytes:
    try:
        return hashlib.sha256(files.content(image.image_path)).digest()
    except OSError as exc:
        raise ImageError(f"cannot read the image: {exc.strerror}.", path=image.image_path) from exc


def _boxes(image: AnnotatedImage) -> tuple[object, ...]:
    return tuple(sorted((o.label, o.box.xmin, o.box.ymin, o.box.xmax, o.box.ymax) for o in image.objects))
