"""Every image decoded before any is written: a header does not tell what is wrong with the pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from itertools import chain

from record_builders import pixels, workers
from record_builders.annotations import AnnotatedImage, Fault, Found
from tfod_tools.base.errors import AnnotationError, ImageError

_IMAGES_OF_A_TASK = 50


Bar = Callable[[int], AbstractContextManager[workers.Advance]]


def decoded(found: Iterable[Found], processes: int, bar: Bar) -> list[Found]:
    """What was found, with faults in place of images that cannot be decoded.

    Args:
      found: those of its images that are to be converted were decoded for that.
      processes: how many decode.
      bar: from the number of images to decode to what is told the number of further ones done.
    """
    result = list(found)
    images = [(i, item) for i, item in enumerate(result) if isinstance(item, AnnotatedImage)]
    copied = [(i, image) for i, image in images if image.header.conversion is None]
    parts = [copied[start : start + _IMAGES_OF_A_TASK] for start in range(0, len(copied), _IMAGES_OF_A_TASK)]
    with bar(len(copied)) as advance:
        problems = workers.run([partial(_problems, part) for part in parts], processes, advance)
    by_index = dict(copied)
    for index, problem in chain.from_iterable(problems):
        image = by_index[index]
        error = AnnotationError(f"its image {image.image_path.name}: {problem}", path=image.source, line=image.line)
        result[index] = Fault(error=error, image_name=image.image_name, images=1, boxes=len(image.objects))
    return result


def _problems(images: Sequence[tuple[int, AnnotatedImage]], on_progress: workers.Advance) -> list[tuple[int, str]]:
    problems = []
    for index, image in images:
        try:
            pixels.decoded(image.image_path.read_bytes())
        except OSError as exc:
            problems.append((index, f"cannot read the image: {exc.strerror}."))
        except ImageError as exc:
            problems.append((index, exc.message))
        on_progress(1)
    return problems
