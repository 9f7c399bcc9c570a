"""Single records for people to look at: as image and JSON, and many images on one picture."""

from __future__ import annotations

import contextlib
import io
import json
import math
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from record_builders.images import image_header, pixels
from record_builders.images.pictures import LabelledBox, draw_on
from record_builders.inspection import record_check
from record_builders.inspection.survey import class_namer, pixel_boxes
from record_builders.label_map import LabelMap
from record_builders.records import tfrecord
from record_builders.records.example import ExampleContent
from tfod_tools.base.errors import ImageError, RecordError

_SUFFIXES = {"jpeg": ".jpg", "png": ".png", "bmp": ".bmp"}
_FLAGS = ("difficult", "truncated", "occluded", "is_crowd", "group_of")
_CELL_PIXELS = 320
_MARGIN_PIXELS = 4


def chosen(paths: Sequence[Path], numbers: Collection[int]) -> Iterator[tuple[Path, ExampleContent]]:
    """The records that have `numbers`, counted from 0 over all files, each with its file.

    Records that cannot be read are left out, but counted.
    """
    number = 0
    for path in paths:
        try:
            for data in tfrecord.scan(path):
                if number in numbers and isinstance(data, bytes):
                    with contextlib.suppress(RecordError):
                        yield path, record_check.read(data).content
                number += 1
        except RecordError:
            continue


def extracted(paths: Sequence[Path], number: int, label_map: LabelMap | None) -> dict[str, bytes]:
    """The image of a record and all else in it as JSON, by file name; nothing if there is no such record."""
    for path, content in chosen(paths, {number}):
        stem = f"record-{number:05d}"
        return {
            f"{stem}{image_suffix(content)}": content.encoded,
            f"{stem}.json": as_json(content, path, label_map),
        }
    return {}


def overview(paths: Sequence[Path], records: int, shown: int, label_map: LabelMap | None) -> bytes:
    """A contact sheet of up to `shown` of all `records`, spread over all of them; empty if none can be read."""
    shown = min(records, shown)
    contents = [content for _, content in chosen(paths, {index * records // shown for index in range(shown)})]
    return contact_sheet(contents, label_map) if contents else b""


def image_suffix(content: ExampleContent) -> str:
    """The end of the name of a file for the record's image; '.bin' if it is not an image that the engine reads."""
    try:
        return _SUFFIXES[image_header.header_of(content.encoded).format]
    except ImageError:
        return ".bin"


def as_json(content: ExampleContent, path: Path, label_map: LabelMap | None) -> bytes:
    """Everything in the record except the image, with boxes in pixels, as a JSON file."""
    values = {
        "label_id": content.label_ids,
        "area": content.areas,
        "weight": content.weights,
        **{flag: getattr(content, flag) for flag in _FLAGS},
    }
    objects = [
        {
            "label": name,
            **{side: round(getattr(box, side), 2) for side in ("xmin", "ymin", "xmax", "ymax")},
            **{key: each[index] for key, each in values.items() if index < len(each)},
        }
        for index, (name, box) in enumerate(
            zip(class_namer(label_map)(content) or [""] * len(content.boxes), pixel_boxes(content), strict=False)
        )
    ]
    record = {
        "file": path.name,
        **{key: getattr(content, key) for key in ("source_id", "filename", "format", "width", "height", "sha256")},
        "objects": objects,
        "masks": len(content.masks),
        "image_labels": dict(zip(content.image_labels, content.confidences, strict=False)),
    }
    return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "surrogateescape")


def contact_sheet(contents: Sequence[ExampleContent], label_map: LabelMap | None) -> bytes:
    """A PNG of the images with their boxes, row by row. An image that cannot be decoded is a grey field."""
    from PIL import Image

    columns = max(math.ceil(math.sqrt(len(contents))), 1)
    step = _CELL_PIXELS + _MARGIN_PIXELS
    rows = math.ceil(len(contents) / columns)
    sheet = Image.new("RGB", (columns * step, rows * step), "white")
    for index, content in enumerate(contents):
        cell = Image.new("RGB", (_CELL_PIXELS, _CELL_PIXELS), "lightgrey")
        try:
            image = pixels.decoded(content.encoded).convert("RGB")
        except ImageError:
            pass
        else:
            image.thumbnail((_CELL_PIXELS, _CELL_PIXELS))
            cell = image
            draw_on(cell, _labelled(content, label_map, *image.size))
        sheet.paste(cell, (index % columns * step, index // columns * step))
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def _labelled(content: ExampleContent, label_map: LabelMap | None, width: int, height: int) -> list[LabelledBox]:
    names = class_namer(label_map)(content)
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    ids = label_map.ids_by_name() if label_map else {}
    return [
        LabelledBox(
            caption=name,
            label_id=ids.get(name, numbers[name]),
            xmin=box.xmin * width,
            ymin=box.ymin * height,
            xmax=box.xmax * width,
            ymax=box.ymax * height,
        )
        for name, box in zip(names, content.boxes, strict=False)
        if 0 <= box.xmin < box.xmax <= 1 and 0 <= box.ymin < box.ymax <= 1
    ]
