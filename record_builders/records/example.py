"""Writes an annotated image as the `tf.train.Example` that the engine's TfExampleDecoder reads, and reads it back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from record_builders.annotations import AnnotatedImage, Box
from record_builders.images import masks
from record_builders.records.protos import Example
from record_builders.sources.folders import last_part
from tfod_tools.base.errors import RecordError


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleContent:
    """The content of one Example. A missing feature is empty, or 0.

    Attributes:
      source_id: identifies the image in evaluation.
      filename: file name of the image.
      format: 'jpeg', 'png' or 'bmp'.
      width: in pixels.
      height: in pixels.
      sha256: hash of `encoded`, in hexadecimal.
      encoded: the bytes of the image file.
      boxes: in fractions of the image's width and height, from 0 to 1 if they are correct, with float32 precision.
      labels: class name of each box.
      label_ids: number of each box's class.
      difficult: for each box.
      truncated: for each box.
      occluded: for each box.
      is_crowd: for each box.
      group_of: for each box.
      areas: of each object, in square pixels.
      weights: of each box in the loss; none if all are 1.
      masks: a PNG for each box, or none.
      image_labels: classes with a label for the image as a whole.
      confidences: for each of `image_labels`, 1 if the class is on the image and 0 if it is not.
    """

    source_id: str
    filename: str
    format: str
    width: int
    height: int
    sha256: str
    encoded: bytes
    boxes: tuple[Box, ...]
    labels: tuple[str, ...]
    label_ids: tuple[int, ...]
    difficult: tuple[bool, ...]
    truncated: tuple[bool, ...]
    occluded: tuple[bool, ...]
    is_crowd: tuple[bool, ...]
    group_of: tuple[bool, ...]
    areas: tuple[float, ...]
    weights: tuple[float, ...]
    masks: tuple[bytes, ...]
    image_labels: tuple[str, ...]
    confidences: tuple[float, ...]


_KINDS = {bytes: "bytes_list", int: "int64_list", float: "float_list"}
Values = Sequence[bytes] | Sequence[int] | Sequence[float]


def serialize(image: AnnotatedImage, encoded: bytes, ids: Mapping[str, int]) -> bytes:
    """The Example of `image`. The same arguments give the same bytes.

    Draws the masks. Does not write a list without information (all weights 1, no mask, no keypoint).

    Args:
      image: its boxes are inside the image, and their labels are in `ids`. Labels of the whole image that are not in
        `ids` are ignored.
      encoded: the content of the image file.
      ids: number of each class.

    Raises:
      ImageError: an object's mask cannot be read.
    """
    features: dict[str, Values] = {
        "image/encoded": [encoded],
        "image/format": [image.header.format.encode()],
        "image/filename": [_utf8(last_part(image.image_name))],
        "image/source_id": [_utf8(image.image_id)],
        "image/key/sha256": [hashlib.sha256(encoded).hexdigest().encode()],
        "image/height": [image.header.height],
        "image/width": [image.header.width],
        **_image_labels(image, ids),
        **_boxes(image, ids),
        **_masks(image),
        **_keypoints(image),
    }
    example = Example()
    written = example.features.feature
    for key, values in features.items():
        if values:
            getattr(written[key], _KINDS[type(values[0])]).value.extend(values)
    return bytes(example.SerializeToString(deterministic=True))


def _image_labels(image: AnnotatedImage, ids: Mapping[str, int]) -> dict[str, Values]:
    if not image.labels:
        return {}
    labels = [item for item in image.labels if item.label in ids]
    return {
        "image/class/text": [_utf8(item.label) for item in labels],
        "image/class/label": [ids[item.label] for item in labels],
        "image/class/confidence": [float(item.present) for item in labels],
    }


# Lists with one number for each box. The engine decodes difficult, is_crowd and group_of. The other names come from its
# dataset_tools.
_FLAGS = ("difficult", "truncated", "occluded", "is_crowd", "group_of", "depiction", "inside")
_RARE_FLAGS = ("depiction", "inside")


def _boxes(image: AnnotatedImage, ids: Mapping[str, int]) -> dict[str, Values]:
    width, height, objects = image.header.width, image.header.height, image.objects
    features: dict[str, Values] = {
        "image/object/bbox/xmin": [item.box.xmin / width for item in objects],
        "image/object/bbox/xmax": [item.box.xmax / width for item in objects],
        "image/object/bbox/ymin": [item.box.ymin / height for item in objects],
        "image/object/bbox/ymax": [item.box.ymax / height for item in objects],
        "image/object/class/text": [_utf8(item.label) for item in objects],
        "image/object/class/label": [ids[item.label] for item in objects],
        "image/object/area": [float(item.box.area if item.area is None else item.area) for item in objects],
    }
    for flag in _FLAGS:
        values = [int(getattr(item, flag)) for item in objects]
        if any(values) or flag not in _RARE_FLAGS:
            features[f"image/object/{flag}"] = values
    if any(item.weight != 1 for item in objects):
        features["image/object/weight"] = [float(item.weight) for item in objects]
    return features


def _masks(image: AnnotatedImage) -> dict[str, Values]:
    """A PNG for each object if any has a mask: the engine needs one for each box, and weights say which count."""
    if not any(item.mask for item in image.objects):
        return {}
    width, height = image.header.width, image.header.height
    return {
        "image/object/mask": [masks.to_png(item.mask, width, height) for item in image.objects],
        "image/object/mask/weight": [float(item.mask is not None) for item in image.objects],
    }


def _keypoints(image: AnnotatedImage) -> dict[str, Values]:
    points = [point for item in image.objects for point in item.keypoints]
    if not points:
        return {}
    return {
        "image/object/keypoint/x": [point.x / image.header.width for point in points],
        "image/object/keypoint/y": [point.y / image.header.height for point in points],
        "image/object/keypoint/visibility": [point.visibility for point in points],
        "image/object/keypoint/text": [_utf8(point.name) for point in points],
    }


def parse(data: bytes) -> ExampleContent:
    """The content of a serialized Example of any tool.

    Raises:
      RecordError: `data` is not an Example, a feature has another type than the engine reads, or the four lists of
        corners have different lengths.
    """
    features = _Features(data)
    corners = [features.values(f"image/object/bbox/{side}", "float_list") for side in ("xmin", "ymin", "xmax", "ymax")]
    if len({len(corner) for corner in corners}) > 1:
        found = ", ".join(str(len(corner)) for corner in corners)
        message = f"xmin, ymin, xmax and ymax have {found} values, not the same number each. Make the records again."
        raise RecordError(message)
    return ExampleContent(
        source_id=features.text("image/source_id"),
        filename=features.text("image/filename"),
        format=features.text("image/format"),
        width=features.first("image/width", "int64_list", 0),
        height=features.first("image/height", "int64_list", 0),
        sha256=features.text("image/key/sha256"),
        encoded=features.first("image/encoded", "bytes_list", b""),
        boxes=tuple(Box(xmin=a, ymin=b, xmax=c, ymax=d) for a, b, c, d in zip(*corners, strict=True)),
        labels=features.texts("image/object/class/text"),
        label_ids=tuple(features.values("image/object/class/label", "int64_list")),
        difficult=features.flags("image/object/difficult"),
        truncated=features.flags("image/object/truncated"),
        occluded=features.flags("image/object/occluded"),
        is_crowd=features.flags("image/object/is_crowd"),
        group_of=features.flags("image/object/group_of"),
        areas=tuple(features.values("image/object/area", "float_list")),
        weights=tuple(features.values("image/object/weight", "float_list")),
        masks=tuple(features.values("image/object/mask", "bytes_list")),
        image_labels=features.texts("image/class/text"),
        confidences=tuple(features.values("image/class/confidence", "float_list")),
    )


class _Features:
    """The features of one Example, by key."""

    def __init__(self, data: bytes) -> None:
        try:
            self._features = Example.FromString(data).features.feature
        except DecodeError as exc:
            raise RecordError(
                "the record is not a tf.train.Example. Perhaps the file was made for another program."
            ) from exc

    def values(self, key: str, kind: str) -> list[Any]:
        found = self._features[key].WhichOneof("kind") if key in self._features else None
        if found not in (kind, None):
            raise RecordError(f"the feature {key} is a {found}, but the engine reads a {kind}. Make the records again.")
        return list(getattr(self._features[key], kind).value) if found else []

    def first(self, key: str, kind: str, default: Any) -> Any:
        return next(iter(self.values(key, kind)), default)

    def text(self, key: str) -> str:
        return _text(self.first(key, "bytes_list", b""))

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(map(_text, self.values(key, "bytes_list")))

    def flags(self, key: str) -> tuple[bool, ...]:
        return tuple(map(bool, self.values(key, "int64_list")))


# Python reads a file name that is not UTF-8 with surrogates. Here it becomes the same bytes as on the disk.
def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
