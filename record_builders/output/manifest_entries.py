"""The types of what manifest.json holds."""

from __future__ import annotations

from typing import TypedDict


class Options(TypedDict):
    """What was asked for; see `record_builders.planning.plan.Request`."""

    format: str
    seed: int
    group_by: str
    shards: int | None
    shard_mb: float
    val_fraction: float
    image_sets: list[str]
    classes: list[str]
    expand_hierarchy: bool
    masks: bool
    convert: bool
    verify: bool
    drop: list[str]
    ignore: list[str]


class ClassEntry(TypedDict):
    """A class and its number."""

    id: int
    name: str


class LabelMapEntry(TypedDict):
    """The label map's file name and what it says."""

    path: str
    classes: list[ClassEntry]


class ShardEntry(TypedDict):
    """A record file: its name, number of records, size in bytes and CRC-32C."""

    path: str
    records: int
    bytes: int
    crc32c: str


class SplitEntry(TypedDict):
    """A split: the glob of its files, numbers of images and boxes, most boxes on one image, boxes of each class."""

    pattern: str
    images: int
    boxes: int
    most_boxes_on_an_image: int
    classes: dict[str, int]
    shards: list[ShardEntry]


class ImageCounts(TypedDict):
    """Numbers of annotated images; annotated = written + left_out + dropped."""

    annotated: int
    written: int
    left_out: int
    dropped: int


class BoxCounts(TypedDict):
    """Numbers of boxes; found = written + left_out + dropped; clipped and ignored are parts of written."""

    found: int
    written: int
    clipped: int
    ignored: int
    left_out: int
    dropped: int


class DroppedEntry(TypedDict):
    """What was left out: `file:line` below the folder of annotations, the image, and why."""

    source: str
    image: str
    reason: str


class LeftOutEntry(TypedDict):
    """How many images and boxes were not asked for, by reason."""

    reason: str
    images: int
    boxes: int


class CopiesEntry(TypedDict):
    """Images with the same content, and whether their boxes differ."""

    images: list[str]
    boxes_differ: bool


class _Required(TypedDict):
    """What a manifest has had from the first."""

    format_version: int
    tfod_tools: str
    options: Options
    label_map: LabelMapEntry
    splits: dict[str, SplitEntry]
    images: ImageCounts
    boxes: BoxCounts
    dropped: list[DroppedEntry]
    left_out: list[LeftOutEntry]
    unannotated_images: int


class Manifest(_Required, total=False):
    """The whole file. It holds no absolute path and no time, so that equal input gives equal bytes."""

    copies: list[CopiesEntry]
    converted: dict[str, int]
