"""Checks for annotations of every format: boxes are inside the image, labels are known, images are unique."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from record_builders.annotations import AnnotatedImage, Box, Fault, Found, LeftOut, ObjectAnnotation
from record_builders.label_map import LabelMap
from record_builders.planning.choices import Choices
from tfod_tools.base import plugins
from tfod_tools.base.errors import AnnotationError, UsageError

# The engine codes a box of width 0 as the logarithm of 1e-8 (box_coders/faster_rcnn_box_coder.py, EPSILON), which
# dominates the loss. A detector cannot learn a box smaller than a pixel.
MIN_SIDE_PIXELS = 1.0
# The rounding error of fractions with six digits, as in YOLO, is less.
_EDGE_TOLERANCE_PIXELS = 0.01


def checked(
    found: Iterable[Found],
    label_map: LabelMap | None,
    choices: Choices | None = None,
    sources: dict[str, str] | None = None,
) -> Iterator[Found]:
    """What was found, with a Fault or a LeftOut for each box and image that is not written.

    Clips boxes that reach over the edge of their image. An image that had boxes and keeps none is left out too: as
    background it would teach the detector that nothing is there.

    Args:
      found: what the `read` of a format yields.
      label_map: the allowed classes, or None for any. Display names become names.
      choices: what the user decided; by default `Choices()`.
      sources: filled with the image_id of every image and its annotation file.
    """
    check = _Check(None if label_map is None else label_map.names_by_label(), choices or Choices())
    sources = {} if sources is None else sources
    faulty: set[str] = set()
    for image in found:
        if isinstance(image, Fault):
            faulty.add(image.image_name)
            yield image
        elif isinstance(image, LeftOut):
            yield image
        elif image.image_id in sources:
            yield _duplicate(image, sources[image.image_id])
        else:
            sources[image.image_id] = image.source
            yield from check.image(image, had_others=image.image_name in faulty)


def of_classes(found: Iterable[Found], classes: tuple[str, ...]) -> Iterator[Found]:
    """What was found, with only the boxes of `classes`. Images that lose all their boxes are left out.

    Raises:
      UsageError: one of the classes has no box. It is raised after the last image.
    """
    seen: set[str] = set()
    for image in found:
        if not isinstance(image, AnnotatedImage):
            yield image
            continue
        seen.update(item.label for item in image.objects)
        kept = tuple(item for item in image.objects if item.label in classes)
        labels = tuple(item for item in image.labels if item.label in classes)
        others = len(image.objects) - len(kept)
        whole = bool(others and not kept)
        if others:
            yield LeftOut(reason=OTHER_CLASSES, image_name=image.image_name, images=int(whole), boxes=others)
        if not whole:
            yield image._replace(objects=kept, labels=labels)
    for name in classes:
        if seen and name not in seen:
            raise UsageError(f"no box has the class '{name}' of --classes. {plugins.suggestion(name, seen)}")


OTHER_CLASSES = "of classes that --classes does not name"


def _duplicate(image: AnnotatedImage, source: str) -> Fault:
    message = (
        f"the image '{image.image_id}' has an annotation in {Path(source).name} already. Each image needs one "
        "annotation and its own name. Remove one annotation, or rename the image; an annotation whose <filename> is no "
        "image belongs to the image with its own name."
    )
    return _fault(image, message, image.line, images=1, boxes=len(image.objects))


@dataclass(frozen=True, slots=True)
class _Check:
    names: Mapping[str, str] | None
    choices: Choices

    def image(self, image: AnnotatedImage, *, had_others: bool) -> Iterator[Found]:
        """The image with the boxes that are written; `had_others` if some boxes could not be read."""
        kept: list[ObjectAnnotation] = []
        left_out: Counter[str] = Counter()
        for item in image.objects:
            reason = self._reason_to_drop(item, image)
            problem = "" if reason else self._label_problem(item) or _box_problem(item, image)
            if reason:
                left_out[reason] += 1
            elif problem:
                had_others = True
                yield _fault(image, problem, item.line, boxes=1)
            else:
                kept.append(self._written(item, image))
        yield from (
            LeftOut(reason=reason, image_name=image.image_name, boxes=boxes) for reason, boxes in left_out.items()
        )
        yield self._whole(image, tuple(kept), had_others=had_others, had_left_out=bool(left_out))

    def _whole(
        self, image: AnnotatedImage, kept: tuple[ObjectAnnotation, ...], *, had_others: bool, had_left_out: bool
    ) -> Found:
        if kept or not (had_others or had_left_out or "background" in self.choices.drop):
            labels = tuple(
                [item._replace(label=self._name(item.label)) for item in image.labels if self._is_known(item.label)]
            )
            unchanged = (image.objects, image.labels) == (kept, labels)
            return image if unchanged else image._replace(objects=kept, labels=labels)
        if had_others:
            return _fault(
                image, "no box of this image can be used, so the image cannot be used either.", image.line, images=1
            )
        reason = "without a box that is kept" if had_left_out else "background"
        return LeftOut(reason=reason, image_name=image.image_name, images=1)

    def _written(self, item: ObjectAnnotation, image: AnnotatedImage) -> ObjectAnnotation:
        weight = 0.0 if self.choices.ignored(item) else item.weight
        label = self._name(item.label)
        if label == item.label and weight == item.weight and _is_within(item.box, image):
            return item
        inside = item.box.clipped(image.header.width, image.header.height)
        return item._replace(label=label, box=inside, clipped=_is_past_edge(item, image), weight=weight)

    def _reason_to_drop(self, item: ObjectAnnotation, image: AnnotatedImage) -> str:
        """Why the user does not want the object; '' if it is wanted."""
        drop = self.choices.drop
        if not drop:
            return ""
        if "unknown_class" in drop and not self._is_known(item.label):
            return "unknown_class"
        if "flat" in drop and _box_problem(item, image):
            return "flat"
        if "past_edge" in drop and _is_past_edge(item, image):
            return "past_edge"
        return self.choices.dropped_as(item)

    def _is_known(self, label: str) -> bool:
        return self.names is None or label in self.names

    def _name(self, label: str) -> str:
        return label if self.names is None else self.names[label]

    def _label_problem(self, item: ObjectAnnotation) -> str:
        if self._is_known(item.label):
            return ""
        return f"the label map has no class '{item.label}'. {plugins.suggestion(item.label, self.names or ())}"


def _is_within(box: Box, image: AnnotatedImage) -> bool:
    return box.xmin >= 0 and box.ymin >= 0 and box.xmax <= image.header.width and box.ymax <= image.header.height


def _is_past_edge(item: ObjectAnnotation, image: AnnotatedImage) -> bool:
    lowest, tolerance = min(item.box.xmin, item.box.ymin), _EDGE_TOLERANCE_PIXELS
    past = max(item.box.xmax - image.header.width, item.box.ymax - image.header.height, -lowest)
    return past > tolerance


def _box_problem(item: ObjectAnnotation, image: AnnotatedImage) -> str:
    """What is wrong with the box of the object; '' if nothing is."""
    box, width, height = item.box, image.header.width, image.header.height
    if box.width <= 0 or box.height <= 0:
        problem = f"the box {box} has no area: xmin must be less than xmax, and ymin less than ymax."
        return f"{problem} Correct it, or remove it."
    inside = box if _is_within(box, image) else box.clipped(width, height)
    if inside.width <= 0 or inside.height <= 0:
        return f"the box {box} is outside the image of {width}x{height} pixels. Correct it, or remove it."
    if inside.width < MIN_SIDE_PIXELS or inside.height < MIN_SIDE_PIXELS:
        return f"the box {box} is less than one pixel wide or high inside the image. Correct it, or remove it."
    return ""


def _fault(image: AnnotatedImage, message: str, line: int | None, *, images: int = 0, boxes: int = 0) -> Fault:
    error = AnnotationError(message, path=image.source, line=line)
    return Fault(error=error, image_name=image.image_name, images=images, boxes=boxes)
