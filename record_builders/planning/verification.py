"""Decodes every image before any is written: a header does not show damaged pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from itertools import chain

from record_builders import workers
from record_builders.annotations import Fault
from record_builders.images import pixels
from record_builders.planning.reading import Reading
from record_builders.planning.stored_images import Outline
from record_builders.sources.folders import last_part
from tfod_tools.base import files
from tfod_tools.base.errors import AnnotationError, ImageError

_IMAGES_OF_A_TASK = 50


Bar = Callable[[int], AbstractContextManager[workers.Advance]]


def decode(read: Reading, processes: int, bar: Bar) -> None:
    """Replaces images that cannot be decoded by faults.

    Args:
      read: what was found. Images that are converted are skipped, because they have been decoded already.
      processes: number of processes that decode.
      bar: takes the number of images; the function in its block takes the number of further images done.
    """
    copied = [i for i, item in enumerate(read.found) if isinstance(item, Outline) and not item.conversion]
    parts = [copied[start : start + _IMAGES_OF_A_TASK] for start in range(0, len(copied), _IMAGES_OF_A_TASK)]
    with bar(len(copied)) as advance:
        problems = workers.run([partial(_faults, read, part) for part in parts], processes, advance)
    for index, fault in chain.from_iterable(problems):
        read.found[index] = fault


def _faults(read: Reading, indices: Sequence[int], on_progress: workers.Advance) -> list[tuple[int, Fault]]:
    faults = []
    for index in indices:
        image = read.image(index)
        if problem := _problem(image.image_path):
            message = f"its image {last_part(image.image_name)}: {problem}"
            error = AnnotationError(message, path=image.source, line=image.line)
            fault = Fault(error=error, image_name=image.image_name, images=1, boxes=len(image.objects))
            faults.append((index, fault))
        on_progress(1)
    return faults


def _problem(path: str) -> str:
    """Why the image at `path` cannot be decoded; '' if it can be."""
    try:
        pixels.decoded(files.content(path))
    except OSError as exc:
        return f"cannot read the image: {exc.strerror}."
    except ImageError as exc:
        return exc.message
    return ""
