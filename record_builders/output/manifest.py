"""manifest.json: what was written, from what, and what became of every image and box. Its presence ends a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import tfod_tools
from record_builders.annotations import Fault
from record_builders.output.manifest_entries import (
    BoxCounts,
    ClassEntry,
    CopiesEntry,
    DroppedEntry,
    ImageCounts,
    LabelMapEntry,
    LeftOutEntry,
    Manifest,
    Options,
    ShardEntry,
    SplitEntry,
)
from record_builders.planning import groups
from record_builders.planning.plan import LABEL_MAP, Plan, Request, Split
from record_builders.records import shards
from record_builders.records.tfrecord import WrittenFile
from tfod_tools.base.errors import RecordError

FORMAT_VERSION = 1


def build(plan: Plan, written: Mapping[str, WrittenFile]) -> Manifest:
    """The manifest of a finished run; `written` has what each record file holds, by its name."""
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
    """How many images and boxes were not asked for, by reason, in alphabetical order."""
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
    except OSError as exc:
        raise RecordError(f"cannot read the manifest: {exc.strerror}.", path=path) from exc


def parse(content: bytes, path: Path | str) -> Manifest:
    """The manifest in the file at `path` or URL that has this content.

    Raises:
      RecordError: tfod-tools did not write it, or a newer version did.
    """
    try:
        manifest = json.loads(content)
    except ValueError as exc:
        raise RecordError(f"the manifest is not JSON: {exc}. Make the records again, elsewhere.", path=path) from exc
    found = manifest.get("format_version") if isinstance(manifest, dict) else None
    if found != FORMAT_VERSION or Manifest.__required_keys__ - manifest.keys():
        message = f"not a manifest of records: format_version is {found}, expected {FORMAT_VERSION} and all entries."
        raise RecordError(f"{message} Choose another folder.", path=path)
    return cast(Manifest, manifest)


def record_files(manifest: Manifest, path: Path | str) -> list[str]:
    """The names of all record files that the manifest at `path` or URL lists, split by split.

    Raises:
      RecordError: an entry is not the name of a record file.
    """
    try:
        entries = [entry["path"] for split in manifest["splits"].values() for entry in split["shards"]]
        return [shards.ShardSpec.parse(entry).name for entry in entries]
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise RecordError("the manifest does not list record files. Choose another folder.", path=path) from exc
