"""Reads, turns and checks all annotations; in several processes if each image has its own annotation file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from types import ModuleType

from record_builders import workers
from record_builders.annotations import AnnotatedImage, Fault, Found, LeftOut
from record_builders.images import conversion
from record_builders.label_map import LabelMap
from record_builders.planning.checks import checked, of_classes
from record_builders.planning.plan import AUTO, Request
from record_builders.planning.stored_images import Outline, Store, StoredImages, outlined
from record_builders.sources.folders import ImageFolder
from record_builders.sources.recognise import recognise
from tfod_tools.base import plugins

_FORMATS = Path(__file__).parents[1] / "formats"
_FILES_OF_A_TASK = 100


@dataclass(slots=True)
class Reading:
    """What was found.

    Attributes:
      found: outlines of the images that can be written, and faults, in the order of the annotations.
      store: has the images themselves.
      mentioned: the names of all annotated images, written or not.
      left_out_images: number of images that the user does not want, by reason.
      left_out_boxes: number of boxes that the user does not want, by reason.
    """

    found: list[Outline | Fault] = field(default_factory=list)
    store: Store = field(default_factory=Store)
    mentioned: set[str] = field(default_factory=set)
    left_out_images: Counter[str] = field(default_factory=Counter)
    left_out_boxes: Counter[str] = field(default_factory=Counter)

    def add(self, part: _Part) -> None:
        """Appends the next part."""
        outlines = self.store.add((item[1] for item in part.items if isinstance(item, tuple)), part.packed)
        for item in part.items:
            if isinstance(item, LeftOut):
                self.mentioned.add(item.image_name)
                self.left_out_images[item.reason] += item.images
                self.left_out_boxes[item.reason] += item.boxes
            elif isinstance(item, Fault):
                self.mentioned.add(item.image_name)
                self.found.append(item)
            else:
                self.mentioned.add(item[0])
                self.found.append(next(outlines))

    def image(self, index: int) -> AnnotatedImage:
        """The image whose outline is at `index` of `found`."""
        outline = self.found[index]
        assert isinstance(outline, Outline)
        return StoredImages([outline], self.store)[0]

    def images(self) -> StoredImages:
        """The images that can be written."""
        return StoredImages([item for item in self.found if isinstance(item, Outline)], self.store)

    def faults(self) -> tuple[Fault, ...]:
        """What cannot be written."""
        return tuple(item for item in self.found if isinstance(item, Fault))

    def left_out(self) -> tuple[LeftOut, ...]:
        """What the user does not want, sorted by reason."""
        return tuple(
            LeftOut(reason=reason, images=images, boxes=self.left_out_boxes[reason])
            for reason, images in sorted(self.left_out_images.items())
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of what was found, in a form that is cheap to send between processes.

    Attributes:
      items: the name and the outline of each image, and faults and what is left out.
      packed: the images, one directly after the other.
    """

    items: list[tuple[str, Outline] | Fault | LeftOut]
    packed: bytes = b""


def read(request: Request, images: ImageFolder, label_map: LabelMap | None, processes: int | None) -> Reading:
    """Reads all annotations.

    Args:
      request: what the user asks for; its format is not 'auto'.
      images: all images.
      label_map: the allowed classes, or None for any.
      processes: number of processes that read; by default one for few files, else one for each CPU.

    Raises:
      TfodError: there is nothing to read. Faults of single images and boxes are in the result.
    """
    reader, check = _reader(request), partial(_checked, label_map=label_map, request=request)
    if hasattr(reader, "read_files") and not request.wanted.classes:
        paths, faults = reader.files(request.annotations, request.wanted)
        if (count := processes or workers.for_images(len(paths))) > 1:
            parts = [paths[start : start + _FILES_OF_A_TASK] for start in range(0, len(paths), _FILES_OF_A_TASK)]
            tasks = [
                partial(_found_in, check, partial(reader.read_files, part, request.annotations, images, request.wanted))
                for part in parts
            ]
            if reading := _in_parts(faults, tasks, count):
                return reading
    reading, checked_images = Reading(), check(as_annotated(request, images), {})
    while (part := _packed(islice(checked_images, _FILES_OF_A_TASK))).items:
        reading.add(part)
    return reading


def as_annotated(request: Request, images: ImageFolder) -> Iterator[Found]:
    """What the format's reader finds, without boxes of classes that are not wanted."""
    reader = _reader(request)
    found: Iterator[Found] = reader.read(request.annotations, images, request.wanted)
    if request.wanted.classes and not getattr(reader, "SELECTS_CLASSES", False):
        return of_classes(found, request.wanted.classes)
    return found


def format_name(request: Request) -> str:
    """The format of the annotations.

    Raises:
      TfodError: it is 'auto', and the files have no known format or several.
    """
    return recognise(request.annotations) if request.format == AUTO else request.format


def _reader(request: Request) -> ModuleType:
    return plugins.load("record_builders.formats", _FORMATS, format_name(request), "annotation format")


def _checked(
    found: Iterable[Found], sources: dict[str, str], *, label_map: LabelMap | None, request: Request
) -> Iterator[Found]:
    return checked(map(conversion.turned, found), label_map, request.choices, sources)


def _packed(found: Iterable[Found]) -> _Part:
    items: list[tuple[str, Outline] | Fault | LeftOut] = []
    images = []
    for item in found:
        if isinstance(item, AnnotatedImage):
            outline, packed = outlined(item)
            items.append((item.image_name, outline))
            images.append(packed)
        else:
            items.append(item)
    return _Part(items, b"".join(images))


_Check = Callable[[Iterable[Found], dict[str, str]], Iterator[Found]]


def _found_in(
    check: _Check, found: Callable[[], Iterator[Found]], on_progress: workers.Advance
) -> tuple[_Part, list[str]]:
    """What is in some files, and the image_ids of all images that they annotate."""
    sources: dict[str, str] = {}
    return _packed(check(found(), sources)), list(sources)


def _in_parts(
    faults: Iterable[Fault], tasks: Sequence[Callable[[workers.Advance], tuple[_Part, list[str]]]], processes: int
) -> Reading | None:
    """What all tasks find; None if two tasks annotate the same image, because no process sees both annotations."""
    reading, seen = Reading(), set[str]()
    reading.add(_packed(faults))
    for part, image_ids in workers.results(tasks, processes, lambda count: None):
        if not seen.isdisjoint(image_ids):
            return None
        seen.update(image_ids)
        reading.add(part)
    return reading
