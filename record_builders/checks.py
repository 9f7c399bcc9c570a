"""What is checked of every annotation, whatever its format: boxes against the image, labels, unique images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from record_builders.annotations import AnnotatedImage, Fault, ObjectAnnotation
from record_builders.label_map import LabelMap
from tfod_tools.base import plugins
from tfod_tools.base.errors import AnnotationError

# A box without extent is coded as the logarithm of 1e-8 (box_coders/faster_rcnn_box_coder.py, EPSILON) and swamps the
# loss; nothing of less than a pixel can be learned.
MIN_SIDE_PIXELS = 1.0


def checked(found: Iterable[AnnotatedImage | Fault], label_map: LabelMap | None) -> Iterator[AnnotatedImage | Fault]:
    """What was found, without the boxes and images that must not be written; a fault stands in for each of these.

    Boxes that reach over the edge of their image are clipped.
    An image that had boxes and keeps none is left out too: written, it would teach that there is nothing on it.

    Args:
      found: what a format's `read` yields.
      label_map: the classes that are allowed, or None for any. Display names become names.
    """
    names = None if label_map is None else label_map.names_by_label()
    sources: dict[str, str] = {}
    faulty: set[str] = set()
    for image in found:
        if isinstance(image, Fault):
            faulty.add(image.image_name)
            yield image
        elif image.image_id in sources:
            yield _duplicate(image, sources[image.image_id])
        else:
            sources[image.image_id] = image.source.name
            yield from _checked_image(image, names, had_others=image.image_name in faulty)


def _duplicate(image: AnnotatedImage, source: str) -> Fault:
    message = (
        f"image '{image.image_id}' was already annotated by {source}, expected each image once and names that differ. "
        "Remove one, or rename the image; without its <filename>, an annotation belongs to the image of the same name."
    )
    return _fault(image, message, image.line, images=1, boxes=len(image.objects))


def _checked_image(
    image: AnnotatedImage, names: Mapping[str, str] | None, *, had_others: bool
) -> Iterator[AnnotatedImage | Fault]:
    """The image with the boxes that can be written; `had_others` says that some could not even be read."""
    kept = []
    for item in image.objects:
        problem = _label_problem(item, names) or _box_problem(item, image)
        if problem:
            yield _fault(image, problem, item.line, boxes=1)
        else:
            inside = item.box.clipped(image.header.width, image.header.height)
            label = item.label if names is None else names[item.label]
            kept.append(replace(item, label=label, box=inside, clipped=inside != item.box))
    if (image.objects or had_others) and not kept:
        yield _fault(image, "none of its boxes can be used, so the image cannot either.", image.line, images=1)
    else:
        yield replace(image, objects=tuple(kept))


def _label_problem(item: ObjectAnnotation, names: Mapping[str, str] | None) -> str:
    if names is None or item.label in names:
        return ""
    return f"class '{item.label}' is not in the label map. {plugins.suggestion(item.label, names)}"


def _box_problem(item: ObjectAnnotation, image: AnnotatedImage) -> str:
    """What is wrong with the object's box; '' for nothing."""
    box, width, height = item.box, image.header.width, image.header.height
    if box.width <= 0 or box.height <= 0:
        return f"box {box} has no extent, expected xmin < xmax and ymin < ymax. Correct or remove it."
    inside = box.clipped(width, height)
    if inside.width <= 0 or inside.height <= 0:
        return f"box {box} lies outside the image of {width}x{height} pixels. Correct or remove it."
    if inside.width < MIN_SIDE_PIXELS or inside.height < MIN_SIDE_PIXELS:
        return f"box {box} covers less than a pixel of the image's width or height. Correct or remove it."
    return ""


def _fault(image: AnnotatedImage, message: str, line: int | None, *, images: int = 0, boxes: int = 0) -> Fault:
    error = AnnotationError(message, path=image.source, line=line)
    return Fault(error=error, image_name=image.image_name, images=images, boxes=boxes)
