"""manifest.json: what make_records wrote, from which annotations, and what happened to every image and box.

It is written last, so it is there only if the run was finished. This is the only module that builds or reads one.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

import tfod_tools
from record_builders.records import shards
from tfod_tools.base.errors import RecordError

if TYPE_CHECKING:  # make_config reads manifests too, and its help must not load what planning needs
    from record_builders.annotations import Fault
    from record_builders.planning.plan import Plan, Request, Split
    from record_builders.records.tfrecord import WrittenFile

LABEL_MAP, MANIFEST = "label_map.pbtxt", "manifest.json"
FORMAT_VERSION = 1

_AGAIN = "Write the records with make_records, into another folder."


class Options(TypedDict):
    """What make_records was asked for; see `record_builders.planning.plan.Request`."""

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
    """The file name of the label map, and its classes."""

    path: str
    classes: list[ClassEntry]


class ShardEntry(TypedDict):
    """A record file: its name, number of records, size in bytes and CRC-32C."""

    path: str
    records: int
    bytes: int
    crc32c: str


class SplitEntry(TypedDict):
    """A split.

    The glob pattern of its files, the numbers of images and boxes, the most boxes on one image, the number of boxes of
    each class, and its files.
    """

    pattern: str
    images: int
    boxes: int
    most_boxes_on_an_image: int
    classes: dict[str, int]
    shards: list[ShardEntry]


class ImageCounts(TypedDict):
    """Numbers of images: annotated = written + left_out + dropped."""

    annotated: int
    written: int
    left_out: int
    dropped: int


class BoxCounts(TypedDict):
    """Numbers of boxes: found = written + left_out + dropped. clipped and ignored are parts of written."""

    found: int
    written: int
    clipped: int
    ignored: int
    left_out: int
    dropped: int


class DroppedEntry(TypedDict):
    """An image or box that could not be used: `file:line` in the folder of annotations, the image, the reason."""

    source: str
    image: str
    reason: str


class LeftOutEntry(TypedDict):
    """How many images and boxes were not asked for, for one reason."""

    reason: str
    images: int
    boxes: int


class CopiesEntry(TypedDict):
    """Images with the same content, and whether their boxes differ."""

    images: list[str]
    boxes_differ: bool


class _Required(TypedDict):
    """The entries that every manifest has."""

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
    """The whole file. It holds no absolute path and no time, so the same input gives the same bytes."""

    copies: list[CopiesEntry]
    converted: dict[str, int]


def build(plan: Plan, written: Mapping[str, WrittenFile]) -> Manifest:
    """The manifest of a finished run. `written` says what each record file holds, by file name."""
    request, classes = plan.request, plan.label_map
    images, boxes = len(plan.outlines), sum(len(image.labels) for image in plan.outlines)
    clipped = sum(image.clipped for image in plan.outlines)
    ignored = sum(image.ignored for image in plan.outlines)
    lost_images, lost_boxes = (sum(getattr(fault, what) for fault in plan.faults) for what in ("images", "boxes"))
    other_images, other_boxes = (sum(getattr(item, what) for item in plan.left_out) for what in ("images", "boxes"))
    return Manifest(
        format_version=FORMAT_VERSION,
        tfod_tools=tfod_tools.__version__,
        options=_options(request),
        label_map=LabelMapEntry(
            path=LABEL_MAP,
            classes=[ClassEntry(id=i, name=name) for name, i in classes.ids_by_name().items()],
        ),
        splits={split.name: _split(split, classes.names, written) for split in plan.splits},
        images=ImageCounts(
            annotated=images + other_images + lost_images, written=images, left_out=other_images, dropped=lost_images
        ),
        boxes=BoxCounts(
            found=boxes + other_boxes + lost_boxes,
            written=boxes,
            clipped=clipped,
            ignored=ignored,
            left_out=other_boxes,
            dropped=lost_boxes,
        ),
        dropped=[_dropped(fault, request.annotations) for fault in plan.faults],
        left_out=left_out(plan),
        unannotated_images=plan.unannotated_images,
        copies=[
            CopiesEntry(images=[image.image_name for image in same.images], boxes_differ=same.boxes_differ)
            for same in plan.copies
        ],
        converted=dict(plan.conversions()),
    )


def _options(request: Request) -> Options:
    from record_builders.planning import groups

    return Options(
        format=request.format,
        seed=request.seed,
        group_by=groups.shown(request.group_by),
        shards=request.shards,
        shard_mb=request.shard_mb,
        val_fraction=request.val_fraction,
        image_sets=list(request.wanted.image_sets),
        classes=list(request.wanted.classes),
        expand_hierarchy=request.wanted.expand_hierarchy,
        masks=request.wanted.masks,
        convert=request.convert,
        verify=request.verify,
        drop=sorted(request.choices.drop),
        ignore=sorted(request.choices.ignore),
    )


def left_out(plan: Plan) -> list[LeftOutEntry]:
    """How many images and boxes were not asked for, for each reason, in alphabetical order."""
    return [LeftOutEntry(reason=item.reason, images=item.images, boxes=item.boxes) for item in plan.left_out]


def _split(split: Split, names: tuple[str, ...], written: Mapping[str, WrittenFile]) -> SplitEntry:
    boxes = split.boxes()
    files = {spec.name: written[spec.name] for spec, _ in split.files()}
    return SplitEntry(
        pattern=shards.pattern(split.name, split.shards),
        images=len(split.images),
        boxes=boxes.total(),
        most_boxes_on_an_image=max(len(image.labels) for image in split.images.outlines),
        classes={name: boxes[name] for name in names},
        shards=[
            ShardEntry(path=name, records=file.records, bytes=file.size_bytes, crc32c=file.crc32c)
            for name, file in files.items()
        ],
    )


def _dropped(fault: Fault, annotations: Path) -> DroppedEntry:
    path = Path(fault.error.path or "")
    below = path != annotations and path.is_relative_to(annotations)
    source = path.relative_to(annotations).as_posix() if below else path.name
    line = "" if fault.error.line is None else f":{fault.error.line}"
    return DroppedEntry(source=source + line, image=fault.image_name, reason=fault.error.message)


def to_json(manifest: Manifest) -> bytes:
    """The content of manifest.json."""
    return (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode()


def read(path: Path) -> Manifest:
    """The manifest in the file at `path`; see `parse`.

    Raises:
      RecordError: it cannot be read, or as `parse`.
    """
    try:
        return parse(path.read_bytes(), path)
    except FileNotFoundError as exc:
        if not path.parent.is_dir():
            message = "there is no such folder. Name the folder that make_records wrote."
        else:
            message = f"has no {path.name}. Run make_records first."
        raise RecordError(message, path=path.parent) from exc
    except OSError as exc:
        raise RecordError(f"cannot be read: {exc.strerror}. Check the file and its permissions.", path=path) from exc


def parse(content: bytes, path: Path | str) -> Manifest:
    """The manifest in the file at `path` or URL that has this content.

    Only JSON and version are checked here. Read its entries in a block of `entries`.

    Raises:
      RecordError: it is not a manifest, or it was written by another version of tfod-tools.
    """
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as exc:
        raise RecordError(f"the manifest is not JSON: {exc}. {_AGAIN}", path=path) from exc
    found = manifest.get("format_version") if isinstance(manifest, dict) else None
    if found != FORMAT_VERSION:
        message = f"not a manifest of records: format_version is {found}, and not {FORMAT_VERSION}. {_AGAIN}"
        raise RecordError(message, path=path)
    return cast(Manifest, manifest)


@contextlib.contextmanager
def entries(path: Path | str) -> Iterator[None]:
    """A block in which the entries of the manifest at `path` are read.

    Raises:
      RecordError: an entry is missing, or its value is wrong.
    """
    try:
        yield
    except KeyError as exc:
        raise RecordError(f"the manifest has no entry {exc}. {_AGAIN}", path=path) from exc
    except (AttributeError, TypeError, ValueError) as exc:
        raise RecordError(f"a value in the manifest is wrong: {exc}. {_AGAIN}", path=path) from exc


def record_files(manifest: Manifest, path: Path | str) -> list[str]:
    """The names of all record files that the manifest at `path` or URL lists, split by split.

    The next run of make_records may remove these files, so the manifest has to be whole.

    Raises:
      RecordError: the manifest has not all of its entries, or an entry is not the name of a record file.
    """
    missing = sorted(Manifest.__required_keys__ - manifest.keys())
    if missing:
        raise RecordError(f"not a manifest of records: it has no entry '{missing[0]}'. {_AGAIN}", path=path)
    with entries(path):
        listed = [entry["path"] for split in manifest["splits"].values() for entry in split["shards"]]
        return [shards.ShardSpec.parse(name).name for name in listed]
