"""What a user decides about boxes, and that everything left out is counted."""

from __future__ import annotations

import pytest

from record_builders.annotations import AnnotatedImage, Box, Fault, Found, ImageLabel, LeftOut, ObjectAnnotation
from record_builders.images.image_header import ImageHeader
from record_builders.label_map import LabelMap
from record_builders.planning.checks import checked, of_classes
from record_builders.planning.choices import DROPPABLE, FLAGS, Choices
from tfod_tools.base.errors import UsageError

CAT = ObjectAnnotation(label="cat", box=Box(xmin=1, ymin=2, xmax=30, ymax=40))
FIELDS = {"crowd": "is_crowd"}


def image(*objects: ObjectAnnotation) -> AnnotatedImage:
    """A 100x50 image."""
    return AnnotatedImage(
        image_id="a",
        image_path="a.jpg",
        image_name="a.jpg",
        header=ImageHeader(width=100, height=50, format="jpeg"),
        objects=objects,
        source="a.xml",
        labels=(ImageLabel(label="cat", present=True), ImageLabel(label="dog", present=False)),
    )


def of_kind(kind: str) -> ObjectAnnotation:
    """A cat that is what `drop` calls `kind`."""
    if kind in FLAGS:
        return CAT._replace(**{FIELDS.get(kind, kind): True})
    box = {"flat": Box(xmin=5, ymin=5, xmax=5, ymax=9), "past_edge": Box(xmin=-9, ymin=5, xmax=20, ymax=20)}
    return CAT._replace(box=box.get(kind, CAT.box), label="wolf" if kind == "unknown_class" else "cat")


@pytest.mark.parametrize("kind", [kind for kind in DROPPABLE if kind != "background"])
def test_each_kind_can_be_dropped(kind: str) -> None:
    """And is counted; the other box of the image stays. An image that keeps no box goes with them."""
    classes = LabelMap.of(["cat"])
    choices = Choices(drop=frozenset({kind}))
    left_out, kept = checked([image(CAT, of_kind(kind))], classes, choices)
    assert left_out == LeftOut(reason=kind, image_name="a.jpg", boxes=1)
    assert isinstance(kept, AnnotatedImage)
    assert [item.box for item in kept.objects] == [CAT.box]
    box, whole = checked([image(of_kind(kind))], classes, choices)
    assert isinstance(box, LeftOut)
    assert whole == LeftOut(reason="without a box that is kept", image_name="a.jpg", images=1)


@pytest.mark.parametrize("kind", FLAGS)
def test_flags_alone_drop_nothing(kind: str) -> None:
    """Crowds and groups weigh nothing by default; each kind can be made to."""
    (by_default,) = checked([image(CAT, of_kind(kind))], None)
    assert isinstance(by_default, AnnotatedImage)
    assert [item.weight for item in by_default.objects] == [1, 0 if kind in ("crowd", "group_of") else 1]
    (ignored,) = checked([image(CAT, of_kind(kind))], None, Choices(ignore=frozenset({kind})))
    assert isinstance(ignored, AnnotatedImage)
    assert [item.weight for item in ignored.objects] == [1, 0]


def test_background() -> None:
    """Is kept unless it is to go."""
    assert list(checked([image()], None)) == [image()]
    dropped = list(checked([image()], None, Choices(drop=frozenset({"background"}))))
    assert dropped == [LeftOut(reason="background", image_name="a.jpg", images=1)]


def test_a_problem_outweighs_a_choice() -> None:
    """An image of one box that cannot be used and one that is not wanted is a problem."""
    found = list(checked([image(of_kind("flat"), of_kind("difficult"))], None, Choices(drop=frozenset({"difficult"}))))
    assert [type(item) for item in found] == [Fault, LeftOut, Fault]


def test_classes() -> None:
    """Other boxes go, and images without any of the classes; labels of images likewise."""
    dog = CAT._replace(label="dog")
    found: list[Found] = list(of_classes([image(CAT, dog, dog), image(dog), image()], ("cat",)))
    assert found == [
        LeftOut(reason="of classes that --classes does not name", image_name="a.jpg", boxes=2),
        image(CAT)._replace(labels=(ImageLabel(label="cat", present=True),)),
        LeftOut(reason="of classes that --classes does not name", image_name="a.jpg", images=1, boxes=1),
        image()._replace(labels=(ImageLabel(label="cat", present=True),)),
    ]
    with pytest.raises(UsageError, match=r"no box has the class 'cats' of --classes\. Did you mean cat\?"):
        list(of_classes([image(CAT)], ("cats",)))


def test_labels_of_images_get_names_of_the_map() -> None:
    """What the map does not have goes."""
    classes = LabelMap(names=("/m/1",), ids=(1,), display_names=("cat",))
    (found,) = checked([image(CAT)], classes)
    assert isinstance(found, AnnotatedImage)
    assert found.labels == (ImageLabel(label="/m/1", present=True),)


def test_rounding_is_no_clipping() -> None:
    """Fractions of six digits miss the edge by less than a hundredth of a pixel."""
    box = Box(xmin=-0.0004, ymin=0, xmax=100.0004, ymax=50)
    (found,) = checked([image(CAT._replace(box=box))], None, Choices(drop=frozenset({"past_edge"})))
    assert isinstance(found, AnnotatedImage)
    assert [(item.clipped, item.box.xmax) for item in found.objects] == [(False, 100)]
