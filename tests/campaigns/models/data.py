"""Records that every model can be trained on: made-up shapes with boxes, masks, keypoints and context features."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from support import tiny_run

from record_builders.records import tfrecord
from record_builders.records.protos import Example, StringIntLabelMap

_IMAGES = 8
_CONTEXT_FEATURES = 5
_CONTEXT_FEATURE_LENGTH = 16  # as context_rcnn.config says
_KEYPOINTS = ("top", "bottom")
_CLASS_WITH_KEYPOINTS = "ball"
_SEES_KEYPOINT = 2  # COCO's visibility: 0 not labelled, 1 hidden, 2 visible


def make(folder: Path) -> None:
    """Writes `folder/records`, `folder/keypoints.pbtxt` and `folder/image.jpg`."""
    records = tiny_run.make_records(folder, _IMAGES)
    for shard in sorted(records.glob("*.record-*")):
        tfrecord.write(shard, [_with_more(record) for record in list(tfrecord.read(shard))])
    (folder / "keypoints.pbtxt").write_text(_with_keypoints((records / "label_map.pbtxt").read_text()))
    (folder / "voc" / "images" / "0000.jpg").rename(folder / "image.jpg")


def _with_keypoints(label_map: str) -> str:
    message = text_format.Parse(label_map, StringIntLabelMap())
    for item in message.item:
        if item.name == _CLASS_WITH_KEYPOINTS:
            for number, label in enumerate(_KEYPOINTS):
                item.keypoints.add(id=number, label=label)
    return str(text_format.MessageToString(message))


def _with_more(record: bytes) -> bytes:
    """The Example with a mask and two keypoints for each box, and with context features."""
    example = Example.FromString(record)
    feature = example.features.feature
    width, height = (feature[f"image/{side}"].int64_list.value[0] for side in ("width", "height"))
    corners = [feature[f"image/object/bbox/{side}"].float_list.value for side in ("xmin", "ymin", "xmax", "ymax")]
    for label, (xmin, ymin, xmax, ymax) in zip(
        feature["image/object/class/text"].bytes_list.value, zip(*corners, strict=True), strict=True
    ):
        box = (round(xmin * width), round(ymin * height), round(xmax * width) - 1, round(ymax * height) - 1)
        feature["image/object/mask"].bytes_list.value.append(_mask((width, height), box))
        seen = _SEES_KEYPOINT if label.decode() == _CLASS_WITH_KEYPOINTS else 0
        feature["image/object/keypoint/x"].float_list.value.extend([(xmin + xmax) / 2] * 2)
        feature["image/object/keypoint/y"].float_list.value.extend([ymin, ymax])
        feature["image/object/keypoint/visibility"].int64_list.value.extend([seen] * 2)
        feature["image/object/keypoint/text"].bytes_list.value.extend(name.encode() for name in _KEYPOINTS)
    rng = random.Random(feature["image/key/sha256"].bytes_list.value[0])
    feature["image/context_features"].float_list.value.extend(
        rng.random() for _ in range(_CONTEXT_FEATURES * _CONTEXT_FEATURE_LENGTH)
    )
    feature["image/context_feature_length"].int64_list.value.append(_CONTEXT_FEATURE_LENGTH)
    return bytes(example.SerializeToString(deterministic=True))


def _mask(size: tuple[int, int], box: tuple[int, int, int, int]) -> bytes:
    """A PNG of `size` that is 1 in the ellipse that fills `box`, else 0."""
    from PIL import Image, ImageDraw

    mask: Any = Image.new("L", size)
    ImageDraw.Draw(mask).ellipse(box, fill=1)
    data = io.BytesIO()
    mask.save(data, "PNG")
    return data.getvalue()
