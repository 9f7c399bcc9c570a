"""Every image decoded before any is written: a header does not tell what is wrong with the pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from record_builders import pixels, workers
from record_builders.annotations import AnnotatedImage, Fault, Found
from tfod_tools.base.errors import AnnotationError, ImageError

_IMAGES_OF_A_TASK = 50


def decoded(found: Iterable[Found], processes: int) -> list[Found]:
    """What was found, with faults in place of images that cannot be decoded.

    Args:
      found: those of its images that are to be converted were decoded for that.
      processes: how many decode.
    """
    result = list(found)
    images = [(i, item) for i, item in enumerate(result) if isinstance(item, AnnotatedImage)]
    copied = [(i, image) for i, image in images if image.header.conversion is None]
    parts = [copied[start : start + _IMAGES_OF_A_TASK] for start in range(0, len(copied), _IMAGES_OF_A_TASK)]
    for problems in workers.run([partial(_problems, part) for part in parts], processes, lambda count: None):
        for index, problem in problems:
            image = result[index]
            assert isinstance(image, AnnotatedImage)
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
    return problems
