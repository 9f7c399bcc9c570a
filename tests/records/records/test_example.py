"""An Example holds what the engine reads, and comes apart into what it was made of."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from record_builders.annotations import AnnotatedImage, Box, ImageLabel, Keypoint, ObjectAnnotation
from record_builders.images.image_header import ImageHeader
from record_builders.images.masks import Polygons
from record_builders.records import example
from record_builders.records.protos import Example
from tfod_tools.base.errors import RecordError

IDS = {"cat": 3, "dög": 7}


def annotated(*objects: ObjectAnnotation) -> AnnotatedImage:
    """A 640x480 PNG."""
    return AnnotatedImage(
        image_id="ä",
        image_path="images/ä.PNG",
        image_name="ä.PNG",
        header=ImageHeader(width=640, height=480, format="png"),
        objects=objects,
        source="ä.xml",
    )


CORNERS = st.tuples(*(st.floats(0, size) for size in (640, 480, 640, 480)))
OBJECTS = st.builds(
    ObjectAnnotation,
    label=st.sampled_from(list(IDS)),
    box=CORNERS.map(lambda c: Box(xmin=c[0], ymin=c[1], xmax=c[2], ymax=c[3])),
    difficult=st.booleans(),
    truncated=st.booleans(),
    occluded=st.booleans(),
    group_of=st.booleans(),
    is_crowd=st.booleans(),
    area=st.none() | st.floats(1, 1000, width=32),
    weight=st.sampled_from((0.0, 0.5, 1.0)),
)


@given(st.lists(OBJECTS, max_size=5), st.binary(max_size=50))
def test_parse_is_the_inverse_of_serialize(objects: list[ObjectAnnotation], encoded: bytes) -> None:
    """With the precision of 32 bits, in fractions of the true size."""
    found = example.parse(example.serialize(annotated(*objects), encoded, IDS))
    assert (found.source_id, found.filename, found.format, found.width, found.height) == ("ä", "ä.PNG", "png", 640, 480)
    assert (found.encoded, found.sha256) == (encoded, hashlib.sha256(encoded).hexdigest())
    assert found.labels == tuple(item.label for item in objects)
    assert found.label_ids == tuple(IDS[item.label] for item in objects)
    assert found.difficult == tuple(item.difficult for item in objects)
    assert found.truncated == tuple(item.truncated for item in objects)
    assert found.occluded == tuple(item.occluded for item in objects)
    assert found.group_of == tuple(item.group_of for item in objects)
    assert found.is_crowd == tuple(item.is_crowd for item in objects)
    assert found.areas == pytest.approx([item.box.area if item.area is None else item.area for item in objects])
    weights = tuple(item.weight for item in objects)
    assert found.weights == (() if set(weights) <= {1.0} else weights)
    for box, item in zip(found.boxes, objects, strict=True):
        assert box.xmin == pytest.approx(item.box.xmin / 640, abs=1e-7)
        assert box.ymin == pytest.approx(item.box.ymin / 480, abs=1e-7)
        assert box.xmax == pytest.approx(item.box.xmax / 640, abs=1e-7)
        assert box.ymax == pytest.approx(item.box.ymax / 480, abs=1e-7)


def test_what_few_records_have() -> None:
    """Masks with weights, keypoints, rare flags, labels of the image; and nothing of them where there is none."""
    box = Box(xmin=64, ymin=48, xmax=128, ymax=96)
    nose = Keypoint(name="nose", x=80, y=60, visibility=2)
    marked = ObjectAnnotation(
        label="cat", box=box, depiction=True, mask=Polygons(rings=((64, 48, 128, 48, 128, 96),)), keypoints=(nose,)
    )
    plain = ObjectAnnotation(label="dög", box=box, keypoints=(Keypoint(name="nose", x=0, y=0, visibility=0),))
    labels = (("cat", True), ("dög", False), ("wolf", True))
    image = annotated(marked, plain)._replace(
        labels=tuple(ImageLabel(label=label, present=present) for label, present in labels)
    )
    data = example.serialize(image, b"image", IDS)
    features = Example.FromString(data).features.feature
    assert list(features["image/object/mask/weight"].float_list.value) == [1, 0]
    assert list(features["image/object/depiction"].int64_list.value) == [1, 0]
    assert "image/object/inside" not in features
    assert list(features["image/object/keypoint/x"].float_list.value) == [0.125, 0]
    assert list(features["image/object/keypoint/y"].float_list.value) == [0.125, 0]
    assert list(features["image/object/keypoint/visibility"].int64_list.value) == [2, 0]
    assert list(features["image/object/keypoint/text"].bytes_list.value) == [b"nose", b"nose"]
    found = example.parse(data)
    assert len(found.masks) == 2
    assert (found.image_labels, found.confidences) == (("cat", "dög"), (1, 0))
    rare = ("mask", "keypoint", "depiction", "inside", "weight", "image/class")
    bare = Example.FromString(example.serialize(annotated(ObjectAnnotation(label="cat", box=box)), b"", IDS))
    assert not [key for key in bare.features.feature if any(name in key for name in rare)]


def test_equal_arguments_give_equal_bytes() -> None:
    """Features are in the order of their names."""
    data = example.serialize(annotated(), b"image", IDS)
    keys = sorted(Example.FromString(data).features.feature)
    assert [data.index(key.encode()) for key in keys] == sorted(data.index(key.encode()) for key in keys)
    assert keys == [
        "image/encoded",
        "image/filename",
        "image/format",
        "image/height",
        "image/key/sha256",
        "image/source_id",
        "image/width",
    ]


def test_records_of_others() -> None:
    """Missing features are empty; what cannot be right is refused."""
    found = example.parse(Example().SerializeToString())
    assert (found.encoded, found.width, found.boxes, found.labels) == (b"", 0, (), ())
    with pytest.raises(RecordError, match=r"not a tf\.train\.Example"):
        example.parse(b"\xff\xff")
    wrong = Example()
    wrong.features.feature["image/object/bbox/xmin"].int64_list.value.append(3)
    with pytest.raises(RecordError, match="xmin is a int64_list, but the engine reads a float_list"):
        example.parse(wrong.SerializeToString())
    uneven = Example()
    uneven.features.feature["image/object/bbox/xmin"].float_list.value.append(0.5)
    with pytest.raises(RecordError, match="have 1, 0, 0, 0 values"):
        example.parse(uneven.SerializeToString())
