"""An annotated image as the `tf.train.Example` that the engine's TfExampleDecoder reads, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from record_builders.annotations import AnnotatedImage, Box
from record_builders.label_map import LabelMap
from record_builders.protos import Example
from tfod_tools.base.errors import RecordError


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleContent:
    """What one Example holds; a feature that it lacks is empty, or 0.

    Attributes:
      source_id: identifies the image in evaluation.
      filename: file name of the image.
      format: 'jpeg', 'png' or 'bmp'.
      width: in pixels.
      height: in pixels.
      sha256: hash of `encoded`, in hexadecimal.
      encoded: the bytes of the image file.
      boxes: in fractions of the image's width and height, 0 to 1 when well-formed, with float32 precision.
      labels: class name of each box.
      label_ids: number of each box's class.
      difficult: for each box.
      truncated: for each box.
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


def serialize(image: AnnotatedImage, encoded: bytes, label_map: LabelMap) -> bytes:
    """The Example of `image`, the same bytes for the same arguments.

    Args:
      image: its boxes lie within the image, and its labels are names of `label_map`.
      encoded: the content of the image file.
      label_map: numbers the labels.
    """
    ids = label_map.ids_by_name()
    width, height = image.header.width, image.header.height
    boxes = [item.box for item in image.objects]
    features: dict[str, Sequence[bytes | int | float]] = {
        "image/encoded": [encoded],
        "image/format": [image.header.format.encode()],
        "image/filename": [_utf8(image.image_path.name)],
        "image/source_id": [_utf8(image.image_id)],
        "image/key/sha256": [hashlib.sha256(encoded).hexdigest().encode()],
        "image/height": [height],
        "image/width": [width],
        "image/object/bbox/xmin": [box.xmin / width for box in boxes],
        "image/object/bbox/xmax": [box.xmax / width for box in boxes],
        "image/object/bbox/ymin": [box.ymin / height for box in boxes],
        "image/object/bbox/ymax": [box.ymax / height for box in boxes],
        "image/object/class/text": [_utf8(item.label) for item in image.objects],
        "image/object/class/label": [ids[item.label] for item in image.objects],
        "image/object/difficult": [int(item.difficult) for item in image.objects],
        "image/object/truncated": [int(item.truncated) for item in image.objects],
    }
    example = Example()
    for key, values in features.items():
        if values:
            kind = {bytes: "bytes_list", int: "int64_list", float: "float_list"}[type(values[0])]
            getattr(example.features.feature[key], kind).value.extend(values)
    return bytes(example.SerializeToString(deterministic=True))


def parse(data: bytes) -> ExampleContent:
    """The content of a serialized Example, by whatever tool it was written.

    Raises:
      RecordError: `data` is not an Example, a feature holds another type than the engine reads, or the four corner
        lists differ in length.
    """
    features = _Features(data)
    corners = [features.values(f"image/object/bbox/{side}", "float_list") for side in ("xmin", "ymin", "xmax", "ymax")]
    if len({len(corner) for corner in corners}) > 1:
        found = ", ".join(str(len(corner)) for corner in corners)
        message = f"xmin, ymin, xmax and ymax hold {found} values, expected as many of each. Make the records again."
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
        labels=tuple(map(_text, features.values("image/object/class/text", "bytes_list"))),
        label_ids=tuple(features.values("image/object/class/label", "int64_list")),
        difficult=tuple(map(bool, features.values("image/object/difficult", "int64_list"))),
        truncated=tuple(map(bool, features.values("image/object/truncated", "int64_list"))),
    )


class _Features:
    """The features of one Example, by key."""

    def __init__(self, data: bytes) -> None:
        try:
            self._features = Example.FromString(data).features.feature
        except DecodeError as exc:
            raise RecordError("the record is not a tf.train.Example. Was the file made for another program?") from exc

    def values(self, key: str, kind: str) -> list[Any]:
        found = self._features[key].WhichOneof("kind") if key in self._features else None
        if found not in (kind, None):
            raise RecordError(f"feature {key} holds a {found}, expected a {kind}. Make the records again.")
        return list(getattr(self._features[key], kind).value) if found else []

    def first(self, key: str, kind: str, default: Any) -> Any:
        return next(iter(self.values(key, kind)), default)

    def text(self, key: str) -> str:
        return _text(self.first(key, "bytes_list", b""))


# File names that are not UTF-8 reach Python with surrogates; they go out as the bytes they are on disk.
def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
