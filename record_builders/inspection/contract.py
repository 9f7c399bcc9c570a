"""What is wrong with a record in the eyes of the engine, whatever tool wrote it.

The messages hold no number of the single record, so that equal problems of many records can be counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from record_builders.annotations import Box
from record_builders.images import image_header, pixels
from record_builders.label_map import LabelMap
from record_builders.records import example
from record_builders.records.example import ExampleContent
from record_builders.records.protos import Example
from tfod_tools.base.errors import ImageError, RecordError

_AGAIN = "Make the records again."
_FEATURE_LISTS = 2  # the field that a SequenceExample has and an Example has not
_ONE_VALUE = (
    *("image/encoded", "image/format", "image/filename", "image/key/sha256", "image/source_id"),
    *("image/height", "image/width"),
)
# One value for each box, or none at all.
_OF_EACH_BOX = (
    *("image/object/area", "image/object/difficult", "image/object/group_of", "image/object/is_crowd"),
    *("image/object/mask", "image/object/mask/weight", "image/object/weight"),
)
# Rounding to float32 may lead past the edge by this.
_TOLERANCE = 1e-6
# Fractions never come near this; pixels nearly always do.
_PIXELS = 2.0


def content_of(data: bytes) -> ExampleContent:
    """The content of a record.

    Raises:
      RecordError: it holds something else than the engine can read.
    """
    try:
        message = Example.FromString(data)
    except DecodeError:
        return example.parse(data)  # says what is wrong
    if any(field.field_number == _FEATURE_LISTS for field in UnknownFieldSet(message)):
        message = f"the record is a tf.train.SequenceExample, expected a tf.train.Example of one image. {_AGAIN}"
        raise RecordError(message)
    if not any(key.startswith("image/") for key in message.features.feature):
        raise RecordError("the record has no feature of an image. Was the file made for another program?")
    return example.parse(data)


def problems(data: bytes, content: ExampleContent, label_map: LabelMap | None, *, decode: bool) -> Iterator[str]:
    """What is wrong with a record.

    Args:
      data: the record.
      content: of it.
      label_map: the one that it must agree with, if any.
      decode: whether to decode the image, and not only its header.
    """
    yield from _lengths(data, len(content.boxes))
    yield from _image(content, decode=decode)
    if not content.source_id:
        yield "image/source_id is missing or empty: evaluation makes one up. Give each image its own."
    yield from _boxes(content.boxes)
    yield from _classes(content)
    if label_map:
        yield from _agreement(content, label_map)


def _lengths(data: bytes, boxes: int) -> Iterator[str]:
    features = Example.FromString(data).features.feature
    kinds = {key: feature.WhichOneof("kind") for key, feature in features.items()}
    counts = {key: len(getattr(features[key], kind).value) for key, kind in kinds.items() if kind}
    for key in _ONE_VALUE:
        if counts.get(key, 1) != 1:
            yield f"{key} has {counts[key]} values, expected one. {_AGAIN}"
    for key in _OF_EACH_BOX:
        if counts.get(key, 0) not in (0, boxes):
            yield f"{key} has not as many values as there are boxes. {_AGAIN}"


def _image(content: ExampleContent, *, decode: bool) -> Iterator[str]:
    if not content.encoded:
        yield f"image/encoded is missing or empty: the engine stops with 'Input is empty'. {_AGAIN[:-1]}, with images."
        return
    try:
        header = image_header.header_of(content.encoded)
        if decode:
            pixels.decoded(content.encoded)
    except ImageError as error:
        yield f"image/encoded: {error.message}"
        return
    if not content.width or not content.height:
        yield f"image/width or image/height is missing or 0, expected pixels. {_AGAIN}"
    elif (content.width, content.height) != (header.width, header.height):
        swapped = (content.height, content.width) == (header.width, header.height)
        hint = " They are exchanged: was it an EXIF rotation, which the engine ignores?" if swapped else ""
        yield f"image/width and image/height are not those of the encoded image.{hint} {_AGAIN}"


def _boxes(boxes: Sequence[Box]) -> Iterator[str]:
    corners = [(box.xmin, box.ymin, box.xmax, box.ymax) for box in boxes]
    if any(not math.isfinite(value) for corner in corners for value in corner):
        yield f"a coordinate of a box is not a number: the engine drops the box without a word. {_AGAIN}"
    elif max((value for corner in corners for value in corner), default=0) > _PIXELS:
        yield f"boxes are in pixels, expected fractions of the image's width and height. {_AGAIN}"
    elif any(value < -_TOLERANCE or value > 1 + _TOLERANCE for corner in corners for value in corner):
        yield f"a box reaches over the edge of the image, expected fractions from 0 to 1. {_AGAIN}"
    if any(box.xmax <= box.xmin or box.ymax <= box.ymin for box in boxes):
        yield f"a box has no extent, expected xmin < xmax and ymin < ymax. {_AGAIN}"


def _classes(content: ExampleContent) -> Iterator[str]:
    boxes, texts, numbers = len(content.boxes), content.labels, content.label_ids
    for name, values in (("text", texts), ("label", numbers)):
        if values and len(values) != boxes:
            yield f"image/object/class/{name} has not as many values as there are boxes. {_AGAIN}"
    if boxes and not texts and not numbers:
        yield f"boxes have no class, expected image/object/class/text or label. {_AGAIN}"
    if "" in texts:
        yield f"a box has the class '': the engine takes another class for it. {_AGAIN}"
    if any(number < 1 for number in numbers):
        yield f"a class has a number below 1, which is the background's. {_AGAIN}"


def _agreement(content: ExampleContent, label_map: LabelMap) -> Iterator[str]:
    """Where a record has texts, they decide, and its numbers matter only to programs that read no text."""
    names, ids = label_map.names_by_label(), label_map.ids_by_name()
    by_id: Mapping[int, str] = {label_id: name for name, label_id in ids.items()}
    for text in sorted(set(content.labels) - names.keys() - {""}):
        yield f"class '{text}' is not in the label map: the engine drops its boxes without a word."
    for number in sorted(set(content.label_ids) - by_id.keys()) if not content.labels else ():
        yield f"class number {number} is not in the label map."
    for text, number in sorted(set(zip(content.labels, content.label_ids, strict=False))):
        if text in names and ids[names[text]] != number:
            other = f", which is '{by_id[number]}'" if number in by_id else ""
            yield f"class '{text}' has number {number} in records{other}, and {ids[names[text]]} in the label map."
