"""What is wrong with one record, whatever tool wrote it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from record_builders.annotations import Box
from record_builders.images import image_header, pixels
from record_builders.inspection import problems
from record_builders.inspection.problems import Fact
from record_builders.records import example
from record_builders.records.example import ExampleContent
from record_builders.records.protos import Example
from tfod_tools.base.errors import ImageError, RecordError

_FEATURE_LISTS = 2  # the number of a field that a SequenceExample has and an Example does not have
_ONE_VALUE = (
    *("image/encoded", "image/format", "image/filename", "image/key/sha256", "image/source_id"),
    *("image/height", "image/width"),
)
_MASK_WEIGHT = "image/object/mask/weight"
# The features whose values are counted because `ExampleContent` holds only the first value, or none.
_COUNTED = (*_ONE_VALUE, _MASK_WEIGHT)
# Rounding to float32 can move a coordinate past the edge by this much.
_TOLERANCE = 1e-6
# A coordinate above this is in pixels. Fractions are never that large, and pixels nearly always are.
_PIXELS = 2.0
# A sentence may start with the name of a feature, which stays as it is.
_FEATURES = ("image/", "xmin")
_MARKS = {"group_of": "group_of", "is_crowd": "crowd", "difficult": "difficult"}


class Record(NamedTuple):
    """A record that was read.

    Attributes:
      content: its features; one that is missing is empty, or 0.
      values: the number of values of each of `_COUNTED` that it has.
    """

    content: ExampleContent
    values: Mapping[str, int]


class Picture(NamedTuple):
    """What the encoded image of a record is.

    Attributes:
      width: in pixels as stored; 0 if the image cannot be read.
      height: the same.
      fault: why the engine cannot decode it; '' if it can.
      orientation: of EXIF, which the engine ignores; 1 if the image is not to be turned.
    """

    width: int
    height: int
    fault: str = ""
    orientation: int = 1


def read(data: bytes) -> Record:
    """The record that `data` holds.

    Raises:
      RecordError: it is not a record that the engine can read.
    """
    try:
        message = Example.FromString(data)
    except DecodeError:
        return Record(example.parse(data), {})  # which says what is wrong
    if any(field.field_number == _FEATURE_LISTS for field in UnknownFieldSet(message)):
        hint = "Make the records again, with a tf.train.Example for each image."
        raise RecordError(f"the record is a tf.train.SequenceExample. {hint}")
    features = message.features.feature
    if not any(key.startswith("image/") for key in features):
        raise RecordError("the record has no feature of an image. Was the file made for another program?")
    values = {}
    for key in _COUNTED:
        if key in features:
            feature = features[key]
            if kind := feature.WhichOneof("kind"):
                values[key] = len(getattr(feature, kind).value)
    return Record(example.parse(data), values)


def picture(encoded: bytes, *, decode: bool = False) -> Picture:
    """What the image file that holds `encoded` is; with `decode`, all of its pixels are read too."""
    if not encoded:
        return Picture(0, 0, "image/encoded is missing or empty.")
    try:
        header = image_header.header_of(encoded)
    except ImageError as error:
        return Picture(0, 0, f"image/encoded: {_without_advice(error.message)}")
    fault = ""
    if decode:
        try:
            pixels.decoded(encoded)
        except ImageError as error:
            fault = f"image/encoded: {_without_advice(error.message)}"
    return Picture(header.width, header.height, fault, pixels.orientation_of(encoded))


def facts(record: Record, image: Picture) -> Iterator[Fact]:
    """What is wrong with a record, apart from its class names and numbers; `image` is the picture in it."""
    content = record.content
    yield from _values(record)
    yield from _image(content, image)
    if not content.source_id:
        yield Fact(problems.NO_NAME, "image/source_id is missing or empty.")
    yield from _boxes(content, image)
    yield from _marks(content)
    yield from _classes(content)


def _without_advice(message: str) -> str:
    """The message of an error without its last sentence, which says what to do with a file."""
    return f"{message.rpartition('. ')[0] or message.rstrip('.')}."


def unreadable(error: RecordError) -> Fact:
    """The error of a record or file that cannot be read, as a fact. Its last sentence becomes the advice."""
    problem, _, advice = error.message.rpartition(". ")
    if not problem:
        problem, advice = error.message.rstrip("."), ""
    if not problem.startswith(_FEATURES):
        problem = problem[0].upper() + problem[1:]
    return Fact(problems.UNREADABLE, f"{problem}.", about=_without_numbers(problem), advice=advice)


def _without_numbers(problem: str) -> str:
    """What facts of the same problem in other places have in common."""
    return "".join(letter for letter in problem if not letter.isdigit())


def _values(record: Record) -> Iterator[Fact]:
    content, counts, boxes = record.content, record.values, len(record.content.boxes)
    for key in _ONE_VALUE:
        if counts.get(key, 1) != 1:
            yield Fact(problems.UNREADABLE, f"{key} has {counts[key]} values, but it must have one.", about=key)
    of_each_box = {
        "image/object/area": len(content.areas),
        "image/object/difficult": len(content.difficult),
        "image/object/group_of": len(content.group_of),
        "image/object/is_crowd": len(content.is_crowd),
        "image/object/mask": len(content.masks),
        _MASK_WEIGHT: counts.get(_MASK_WEIGHT, 0),
        "image/object/weight": len(content.weights),
    }
    for key, count in of_each_box.items():
        if count not in (0, boxes):
            yield Fact(problems.UNEVEN_LIST, _uneven(key, count, boxes), about=key)


def _uneven(key: str, values: int, boxes: int) -> str:
    return f"{key} has {values} value{'' if values == 1 else 's'} for {boxes} box{'' if boxes == 1 else 'es'}."


def _image(content: ExampleContent, image: Picture) -> Iterator[Fact]:
    if not content.encoded:
        meaning, advice = "The engine stops with 'Input is empty'.", "Make the records again, with their images."
        yield Fact(problems.UNDECODABLE, image.fault, "missing", meaning, advice)
    elif image.fault:
        yield Fact(problems.UNDECODABLE, image.fault, about=_without_numbers(image.fault))
    elif content.format.lower() == "raw":
        yield Fact(problems.UNDECODABLE, f"image/format is '{content.format}'.", about="raw")
    stated, real = (content.width, content.height), (image.width, image.height)
    if image.width and stated != real:
        size = f"image has {image.width} x {image.height} pixels"
        if not content.width or not content.height:
            yield Fact(problems.STATED_SIZE, f"image/width or image/height is missing or 0; the {size}.", about="none")
        else:
            swapped = stated == real[::-1]
            hint = " Width and height are swapped: was the image turned because of EXIF?" if swapped else ""
            problem = f"The record states {content.width} x {content.height} pixels, but its {size}.{hint}"
            yield Fact(problems.STATED_SIZE, problem, about="swapped" if swapped else "")
    if image.orientation != 1:
        yield Fact(problems.TURNED, f"The image has the EXIF orientation {image.orientation}.")


def _boxes(content: ExampleContent, image: Picture) -> Iterator[Fact]:
    least = 1 - _TOLERANCE * max(image.width, image.height)
    for box in content.boxes:
        width, height = (box.xmax - box.xmin) * image.width, (box.ymax - box.ymin) * image.height
        if (
            -_TOLERANCE <= box.xmin < box.xmax <= 1 + _TOLERANCE
            and -_TOLERANCE <= box.ymin < box.ymax <= 1 + _TOLERANCE
            and (not image.width or (width >= least and height >= least))
        ):
            continue
        yield from _box(box, width, height, is_small=bool(image.width) and min(width, height) < least)


def _box(box: Box, width: float, height: float, *, is_small: bool) -> Iterator[Fact]:
    """What is wrong with a box of `width` x `height` pixels (0 if the image cannot be read)."""
    sides = {side: getattr(box, side) for side in ("xmin", "ymin", "xmax", "ymax")}
    shown = ", ".join(f"{side} {value:.6g}" for side, value in sides.items())
    if not all(map(math.isfinite, sides.values())):
        yield Fact(problems.NOT_A_NUMBER, f"A box has {shown}.")
        return
    if max(sides.values()) > _PIXELS:
        yield Fact(problems.OUTSIDE, f"A box is in pixels, not in fractions of its image: {shown}.", about="pixels")
    elif min(sides.values()) < -_TOLERANCE or max(sides.values()) > 1 + _TOLERANCE:
        yield Fact(problems.OUTSIDE, f"A box reaches past the edge of its image: {shown}.")
    if box.ymax < box.ymin or box.xmax < box.xmin:
        yield Fact(problems.INSIDE_OUT, f"A box ends before it begins: {shown}.")
    elif box.xmax == box.xmin or box.ymax == box.ymin:
        yield Fact(problems.TOO_SMALL, f"A box has no width or no height: {shown}.")
    elif is_small:
        yield Fact(problems.TOO_SMALL, f"A box has {width:.3g} x {height:.3g} pixels.")


def _marks(content: ExampleContent) -> Iterator[Fact]:
    weights = content.weights
    for name, word in _MARKS.items():
        marks = getattr(content, name)
        if any(marks):
            learnt = sum(mark and (weights[i] if i < len(weights) else 1) > 0 for i, mark in enumerate(marks))
            if learnt:
                boxes = "1 box is" if learnt == 1 else f"{learnt} boxes are"
                problem = f"{boxes} marked '{word}' (image/object/{name}), with a weight above 0."
                yield Fact(problems.LEARNT_GROUP, problem, about=name)


def _classes(content: ExampleContent) -> Iterator[Fact]:
    boxes, texts, numbers = len(content.boxes), content.labels, content.label_ids
    text, number = "image/object/class/text", "image/object/class/label"
    if texts and len(texts) != boxes:
        yield Fact(problems.CLASSES_AND_BOXES, _uneven(text, len(texts), boxes), about=text)
    elif not texts and not numbers and boxes:
        yield Fact(problems.CLASSES_AND_BOXES, f"Boxes have no class: {text} and {number} are missing.", about="none")
    if numbers and len(numbers) != boxes:
        kind = problems.UNEVEN_LIST if texts else problems.CLASSES_AND_BOXES
        yield Fact(kind, _uneven(number, len(numbers), boxes), about=number)
    if "" in texts:
        yield Fact(problems.EMPTY_CLASS, "A box has the class name '' in image/object/class/text.")
