"""From annotations to a plan of the records. `writing` carries out the plan."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from record_builders import label_map, workers
from record_builders.annotations import Fault
from record_builders.label_map import LabelMap
from record_builders.output import staging
from record_builders.output.manifest import LABEL_MAP, MANIFEST
from record_builders.planning import duplicates, groups, reading, splits, verification
from record_builders.planning.plan import TRAIN, VAL, Plan, Request, Split
from record_builders.planning.stored_images import StoredImages
from record_builders.records.shards import MAX_SHARDS
from record_builders.sources import folders
from tfod_tools.base.errors import AnnotationError, ImageError, Problems, RecordError, TfodError, UsageError


@folders.listed_once()
def plan(request: Request, processes: int | None = None, bar: verification.Bar | None = None) -> Plan:
    """What writing the records would do. Reads annotations and image headers, and writes nothing.

    Args:
      request: what the user asks for.
      processes: number of processes that read (and decode images if `request.verify`); by default one for each CPU, but
        one process to read few files.
      bar: shows the progress of decoding; see `verification.decode`.

    Raises:
      TfodError: there is nothing to make records of, or the label map, a folder or an older manifest cannot be used.
        Faults of single images and boxes are not raised; they are in the plan.
    """
    request = replace(request, format=reading.format_name(request))
    earlier = _earlier_files(request)
    given = label_map.read(request.label_map) if request.label_map else None
    images = request.image_folder()
    read = reading.read(request, images, given[0] if given else None, processes)
    if request.verify:
        verification.decode(read, processes or workers.cpus(), bar or _no_bar)
    if not images.names():
        message = "no image is here: no .jpg, .png or .bmp file. Name their folder with --images."
        raise ImageError(message, path=request.images)
    faults, good = read.faults(), read.images()
    labels = {image.image_id: image.labels for image in good.outlines}
    if not any(labels.values()):
        raise _nothing(request, faults)
    classes = given[0] if given else LabelMap.of(label for present in labels.values() for label in present)
    copies = duplicates.find(good)
    grouped = groups.of(request.group_by, good) if request.group_by else None
    together = [[image.image_id for image in same.images.outlines] for same in copies]
    parts = _splits(request, good, labels, [*together, *(grouped.members if grouped else ())])
    planned = Plan(
        request=request,
        label_map=classes,
        label_map_text=given[1] if given else classes.to_pbtxt(),
        splits=parts,
        faults=faults,
        left_out=read.left_out(),
        unannotated_images=len(set(images.names()) - read.mentioned),
        copies=copies,
        groups=grouped,
        superseded=tuple(sorted(earlier - {spec.name for part in parts for spec, _ in part.files()})),
    )
    if not earlier and not request.overwrite:
        _refuse_foreign_files(planned)
    return planned


def _no_bar(total: int) -> contextlib.AbstractContextManager[workers.Advance]:
    return contextlib.nullcontext(lambda count: None)


def missing_images(request: Request) -> list[str]:
    """The names of annotated images whose files are missing. Reads annotations only.

    Raises:
      TfodError: there is nothing to read.
    """
    found = reading.as_annotated(request, replace(request, convert=False).image_folder())
    return sorted({item.image_name for item in found if isinstance(item, Fault) and item.missing})


def images_to_download(request: Request) -> list[str]:
    """Like `missing_images`, for a format whose images can be downloaded.

    Raises:
      UsageError: the format is not Open Images, or the folder of images is remote.
    """
    if request.image_names is not None:
        raise UsageError(
            "--download saves images on this machine, but --images is a URL. Name a folder of this machine."
        )
    if reading.format_name(request) != "open_images":
        raise UsageError("--download works only for Open Images, which has a public bucket of images. Remove the flag.")
    return missing_images(request)


def _earlier_files(request: Request) -> set[str]:
    """The record files that an earlier run published in the same place."""
    output = request.output
    if output.exists() and not output.is_dir():
        raise RecordError("this is a file, not a folder for the records. Name another --output.", path=output)
    return staging.published(output, request.target)


def _splits(
    request: Request,
    images: StoredImages,
    labels: Mapping[str, Sequence[str]],
    together: Sequence[Sequence[str]],
) -> tuple[Split, ...]:
    outlines = {outline.image_id: outline for outline in images.outlines}
    parts = zip((TRAIN, VAL), splits.split(labels, request.val_fraction, request.seed, together), strict=True)
    return tuple(
        _split(request, name, replace(images, outlines=[outlines[i] for i in image_ids]))
        for name, image_ids in parts
        if image_ids
    )


def _split(request: Request, name: str, images: StoredImages) -> Split:
    size_bytes = sum(image.size_bytes for image in images.outlines)
    wanted = request.shards or math.ceil(size_bytes / (request.shard_mb * 1e6))
    # The engine waits forever for a file without records. So every shard has an image.
    return Split(name=name, images=images, shards=max(min(wanted, len(images), MAX_SHARDS), 1))


def _nothing(request: Request, faults: Sequence[Fault]) -> TfodError:
    if faults:
        return Problems(
            (fault.error for fault in faults), advice="Without them no image is left, so nothing was written."
        )
    return AnnotationError(
        "no annotation here has a box, so there is nothing to detect. Name other annotations with --annotations.",
        path=request.annotations,
    )


def _refuse_foreign_files(planned: Plan) -> None:
    """Raises RecordError if a file would be replaced that make_records did not write."""
    target = planned.request.target
    names = [LABEL_MAP, *(spec.name for split in planned.splits for spec, _ in split.files())]
    for name in names:
        same = name == LABEL_MAP and target.read(name) == planned.label_map_text.encode()
        if not same and target.exists(name):
            message = f"is there already, and no {MANIFEST} says that make_records wrote it. It stays as it is."
            advice = "Name another --output, or add --overwrite."
            raise RecordError(f"{message} {advice}", path=f"{target}/{name}")
