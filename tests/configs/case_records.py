"""Records written for a case: Examples with real images, as odd as the case asks.

A record of a case, all of it optional:

    image: {format: JPEG, width: 64, height: 48, orientation: 1, bytes: 1000}   bytes cuts the file off
    boxes: [[0.1, 0.2, 0.5, 0.9]]                                               xmin, ymin, xmax, ymax
    labels: [cat]                                                               a cat for each box by default
    features: {image/object/weight: [0.5]}                                      in place of what is there; [] for none
    damaged: true                                                               what is stored is not what was written
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from record_builders.inspection import survey
from record_builders.records import protos, tfrecord

read = survey.read

_ORIENTATION = 0x0112


def write(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """Writes the records of a case as a TFRecord file."""
    serialized = [_serialized(record, number) for number, record in enumerate(records)]
    tfrecord.write(path, serialized)
    for record, data in zip(records, serialized, strict=True):
        if record.get("damaged"):
            path.write_bytes(path.read_bytes().replace(data, bytes(len(data))))


def _serialized(record: dict[str, Any], number: int) -> bytes:
    image = {"format": "JPEG", "width": 64, "height": 48, **record.get("image", {})}
    boxes = record.get("boxes", [[0.1, 0.2, 0.5, 0.9]])
    features: dict[str, list[Any]] = {
        "image/encoded": [_encoded(image)],
        "image/format": [image["format"].lower()],
        "image/source_id": [f"image-{number}"],
        "image/width": [image["width"]],
        "image/height": [image["height"]],
        "image/object/class/text": record.get("labels", ["cat"] * len(boxes)),
        **{
            f"image/object/bbox/{side}": [float(box[index]) for box in boxes]
            for index, side in enumerate(("xmin", "ymin", "xmax", "ymax"))
        },
        **record.get("features", {}),
    }
    message = protos.Example()
    for key, values in features.items():
        kinds = {int: "int64_list", float: "float_list", str: "bytes_list", bytes: "bytes_list"}
        for value in values:
            held = value.encode() if isinstance(value, str) else value
            getattr(message.features.feature[key], kinds[type(value)]).value.append(held)
    return bytes(message.SerializeToString(deterministic=True))


def _encoded(image: dict[str, Any]) -> bytes:
    file, options = io.BytesIO(), {}
    if "orientation" in image:
        exif = Image.Exif()
        exif[_ORIENTATION] = image["orientation"]
        options["exif"] = exif
    Image.new("RGB", (image["width"], image["height"])).save(file, format=image["format"], **options)
    return file.getvalue()[: image.get("bytes")]
