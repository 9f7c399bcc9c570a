"""An Example holds what the engine reads, and comes apart into what it was made of."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from record_builders import example
from record_builders.annotations import AnnotatedImage, Box, ObjectAnnotation
from record_builders.image_header import ImageHeader
from record_builders.label_map import LabelMap
from record_builders.protos import Example
from tfod_tools.base.errors import RecordError

CLASSES = LabelMap(names=("cat", "dög"), ids=(3, 7), display_names=("", ""))


def annotated(*objects: ObjectAnnotation) -> AnnotatedImage:
    """A 640x480 PNG."""
    return AnnotatedImage(
        image_id="ä",
        image_path=Path("images/ä.PNG"),
        image_name="ä.PNG",
        header=ImageHeader(width=640, height=480, format="png"),
        objects=objects,
        source=Path("ä.xml"),
    )


CORNERS = st.tuples(*(st.floats(0, size) for size in (640, 480, 640, 480)))
OBJECTS = st.builds(
    ObjectAnnotation,
    label=st.sampled_from(CLASSES.names),
    box=CORNERS.map(lambda c: Box(xmin=c[0], ymin=c[1], xmax=c[2], ymax=c[3])),
    difficult=st.booleans(),
    truncated=st.booleans(),
)


@given(st.lists(OBJECTS, max_size=5), st.binary(max_size=50))
def test_parse_is_the_inverse_of_serialize(objects: list[ObjectAnnotation], encoded: bytes) -> None:
    """With the precision of 32 bits, in fractions of the true size."""
    found = example.parse(example.serialize(annotated(*objects), encoded, CLASSES))
    assert (found.source_id, found.filename, found.format, found.width, found.height) == ("ä", "ä.PNG", "png", 640, 480)
    assert (found.encoded, found.sha256) == (encoded, hashlib.sha256(encoded).hexdigest())
    assert found.labels == tuple(item.label for item in objects)
    assert found.label_ids == tuple({"cat": 3, "dög": 7}[item.label] for item in objects)
    assert found.difficult == tuple(item.difficult for item in objects)
    assert found.truncated == tuple(item.truncated for item in objects)
    for box, item in zip(found.boxes, objects, strict=True):
        assert box.xmin == pytest.approx(item.box.xmin / 640, abs=1e-7)
        assert box.ymin == pytest.approx(item.box.ymin / 480, abs=1e-7)
        assert box.xmax == pytest.approx(item.box.xmax / 640, abs=1e-7)
        assert box.ymax == pytest.approx(item.box.ymax / 480, abs=1e-7)


def test_equal_arguments_give_equal_bytes() -> None:
    """Features are in the order of their names."""
    data = example.serialize(annotated(), b"image", CLASSES)
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
    with pytest.raises(RecordError, match="xmin holds a int64_list, expected a float_list"):
        example.parse(wrong.SerializeToString())
    uneven = Example()
    uneven.features.feature["image/object/bbox/xmin"].float_list.value.append(0.5)
    with pytest.raises(RecordError, match="hold 1, 0, 0, 0 values"):
        example.parse(uneven.SerializeToString())
