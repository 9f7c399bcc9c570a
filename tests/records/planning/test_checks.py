"""Checks for all formats: boxes without area or outside, unknown labels, images annotated twice."""

from __future__ import annotations

import pytest

from record_builders.annotations import AnnotatedImage, Box, Fault, ObjectAnnotation
from record_builders.images.image_header import ImageHeader
from record_builders.label_map import LabelMap
from record_builders.planning.checks import checked
from tfod_tools.base.errors import AnnotationError


def annotated(*boxes: tuple[float, float, float, float], label: str = "cat", source: str = "a.xml") -> AnnotatedImage:
    """A 100x50 image with boxes as (xmin, ymin, xmax, ymax), on lines 10, 11 and so on."""
    objects = (
        ObjectAnnotation(label=label, box=Box(xmin=box[0], ymin=box[1], xmax=box[2], ymax=box[3]), line=line)
        for line, box in enumerate(boxes, 10)
    )
    return AnnotatedImage(
        image_id="a",
        image_path="images/a.jpg",
        image_name="a.jpg",
        header=ImageHeader(width=100, height=50, format="jpeg"),
        objects=tuple(objects),
        source=source,
        line=1,
    )


WHOLE = (0, 0, 100, 50)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((30, 2, 30, 9), "box (30, 2)-(30, 9) has no area: xmin must be less than xmax, and ymin less than ymax."),
        ((30, 9, 40, 2), "has no area"),
        ((100, 2, 120, 9), "box (100, 2)-(120, 9) is outside the image of 100x50 pixels."),
        ((-9, -9, 0, 9), "is outside"),
        ((99.5, 2, 120, 9), "is less than one pixel wide or high inside the image"),
    ],
)
def test_boxes_that_cannot_be_written(box: tuple[float, float, float, float], message: str) -> None:
    """Each is one fault with its line; the other box of the image stays."""
    fault, image = checked([annotated(WHOLE, box)], None)
    assert isinstance(fault, Fault)
    assert isinstance(image, AnnotatedImage)
    assert str(fault.error).startswith("a.xml:11: ")
    assert message in str(fault.error)
    assert (fault.images, fault.boxes, len(image.objects)) == (0, 1, 1)


def test_boxes_are_clipped_to_the_image() -> None:
    """And say so; a box along the edge is not touched."""
    (image,) = checked([annotated((-3, 5, 101, 50.5), WHOLE)], None)
    assert isinstance(image, AnnotatedImage)
    assert [item.clipped for item in image.objects] == [True, False]
    assert image.objects[0].box == Box(xmin=0, ymin=5, xmax=100, ymax=50)


def test_an_image_that_loses_all_its_boxes_is_lost() -> None:
    """It would teach that there is nothing on it. The boxes are counted with their own faults."""
    box, image = checked([annotated((5, 5, 5, 5))], None)
    assert isinstance(box, Fault)
    assert isinstance(image, Fault)
    assert (box.images, box.boxes, image.images, image.boxes) == (0, 1, 1, 0)


def test_an_image_whose_boxes_could_not_even_be_read_is_lost() -> None:
    """Though one without any object is background."""
    unread = Fault(error=AnnotationError("unread"), image_name="a.jpg", boxes=1)
    assert [type(item) for item in checked([unread, annotated()], None)] == [Fault, Fault]
    assert [type(item) for item in checked([annotated()], None)] == [AnnotatedImage]


def test_labels_must_be_in_the_label_map() -> None:
    """Near misses are named; a display name becomes the name."""
    classes = LabelMap(names=("/m/01", "raccoon"), ids=(1, 2), display_names=("cat", ""))
    (image,) = checked([annotated(WHOLE, label="cat")], classes)
    assert isinstance(image, AnnotatedImage)
    assert image.objects[0].label == "/m/01"
    fault, _ = checked([annotated(WHOLE, label="racoon")], classes)
    assert isinstance(fault, Fault)
    assert str(fault.error) == "a.xml:10: the label map has no class 'racoon'. Did you mean raccoon?"


def test_the_second_annotation_of_an_image_is_lost() -> None:
    """With all of its boxes, and says which file was first."""
    first, second = checked([annotated(WHOLE), annotated(WHOLE, WHOLE, source="b.xml")], None)
    assert isinstance(first, AnnotatedImage)
    assert isinstance(second, Fault)
    assert str(second.error).startswith("b.xml:1: the image 'a' has an annotation in a.xml already")
    assert (second.images, second.boxes) == (1, 2)
