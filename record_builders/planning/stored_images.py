"""Annotated images in a temporary file. Only their outlines, about 300 bytes each, are in memory."""

from __future__ import annotations

import errno
import marshal
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast, overload

from record_builders.annotations import AnnotatedImage, Box, ImageLabel, Keypoint, ObjectAnnotation
from record_builders.images.image_header import Conversion, ImageHeader
from record_builders.images.masks import IndexImage, Polygons, RunLengths, Turned
from tfod_tools.base.errors import RecordError


class Outline(NamedTuple):
    """What a plan must know about each image.

    Attributes:
      image_id: as in AnnotatedImage.
      labels: the class of each object; equal ones are one tuple in memory.
      size_bytes: of the image file.
      sample: see ImageHeader.
      clipped: number of objects whose box was clipped.
      ignored: number of objects of weight 0.
      conversion: the kind of image that is converted; '' if it is not converted.
      notes: as in AnnotatedImage.
      place: offset of the packed image in the file, in bytes.
      packed_bytes: its size there.
    """

    image_id: str
    labels: tuple[str, ...]
    size_bytes: int
    sample: int
    clipped: int
    ignored: int
    conversion: str
    notes: tuple[str, ...]
    place: int
    packed_bytes: int


def outlined(image: AnnotatedImage) -> tuple[Outline, bytes]:
    """The outline of `image`, still without its place, and the packed image."""
    header, packed = image.header, pack(image)
    outline = Outline(
        image_id=image.image_id,
        labels=tuple([item.label for item in image.objects]),
        size_bytes=header.size_bytes,
        sample=header.sample,
        clipped=sum([item.clipped for item in image.objects]),
        ignored=sum([item.weight == 0 for item in image.objects]),
        conversion=header.conversion.kind if header.conversion else "",
        notes=image.notes,
        place=-1,
        packed_bytes=len(packed),
    )
    return outline, packed


class Store:
    """The file of packed images. It has no name and ends with this process; forks of the process can read it."""

    def __init__(self) -> None:
        """Opens an empty file."""
        # Without a buffer: each fork would have its own copy of it.
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the store
        weakref.finalize(self, self._file.close)
        self._end = 0
        self._alike: dict[tuple[str, ...], tuple[str, ...]] = {}

    def add(self, outlines: Iterable[Outline], packed: bytes) -> Iterator[Outline]:
        """Stores images, and returns their outlines with their places.

        Args:
          outlines: of the images.
          packed: the images, one directly after the other.

        Raises:
          RecordError: the disk is full.
        """
        place = self._end
        try:
            if self._file.write(packed) < len(packed):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as exc:
            message = (
                f"cannot store annotations in a temporary file: {exc.strerror}. Set TMPDIR to a folder with more room."
            )
            raise RecordError(message, path=tempfile.gettempdir()) from exc
        self._end += len(packed)
        return self._placed(outlines, place)

    def _placed(self, outlines: Iterable[Outline], place: int) -> Iterator[Outline]:
        alike = self._alike.setdefault
        for image_id, labels, size_bytes, sample, clipped, ignored, kind, notes, _, packed_bytes in outlines:
            labels, notes = alike(labels, labels), alike(notes, notes)
            yield Outline(image_id, labels, size_bytes, sample, clipped, ignored, kind, notes, place, packed_bytes)
            place += packed_bytes

    def packed(self, outline: Outline) -> bytes:
        """What was stored with `outline`."""
        return os.pread(self._file.fileno(), outline.packed_bytes, outline.place)


@dataclass(frozen=True, slots=True)
class StoredImages(Sequence[AnnotatedImage]):
    """Images of a store. Each access unpacks the image again."""

    outlines: Sequence[Outline]
    store: Store

    def __len__(self) -> int:
        """Number of images."""
        return len(self.outlines)

    @overload
    def __getitem__(self, index: int) -> AnnotatedImage: ...
    @overload
    def __getitem__(self, index: slice) -> StoredImages: ...
    def __getitem__(self, index: int | slice) -> AnnotatedImage | StoredImages:
        """The image, or the images of a slice."""
        if isinstance(index, slice):
            return replace(self, outlines=self.outlines[index])
        return unpack(self.store.packed(self.outlines[index]))

    def packed(self) -> Iterator[bytes]:
        """Each packed image; equal images have equal bytes."""
        return map(self.store.packed, self.outlines)


_TYPES: tuple[type[tuple[Any, ...]], ...] = (
    *(tuple, AnnotatedImage, ImageHeader, Conversion, ObjectAnnotation, Box, Keypoint, ImageLabel),
    *(Polygons, RunLengths, IndexImage, Turned),
)
_NUMBERS = {kind: number for number, kind in enumerate(_TYPES)}
_PLAIN = frozenset((str, int, float, bool, type(None)))
# In later versions of marshal's format, equal values may have different bytes.
_VERSION = 2


def pack(image: AnnotatedImage) -> bytes:
    """The whole of `image`; equal images have equal bytes. Only `unpack` of the same Python can read it."""
    return marshal.dumps(_plain(image), _VERSION)


def unpack(packed: bytes) -> AnnotatedImage:
    """The inverse of `pack`."""
    return cast(AnnotatedImage, _whole(marshal.loads(packed)))


def _plain(value: Any) -> Any:
    """The number of the type of `value`, and its fields, made plain in the same way."""
    return (_NUMBERS[type(value)], *[each if type(each) in _PLAIN or each == () else _plain(each) for each in value])


def _whole(value: Any) -> Any:
    fields = [_whole(each) if type(each) is tuple and each else each for each in value[1:]]
    return tuple.__new__(_TYPES[value[0]], fields)
