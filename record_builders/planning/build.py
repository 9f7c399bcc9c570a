"""From annotations to a plan of the records: reads and decides. `writing` acts on it."""

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
      request: what is asked for.
      processes: how many read, and decode images where that is asked for; by default as many as there are CPUs, and
        one to read few files.
      bar: shows the progress of that; see `verification.decoded`.

    Raises:
      TfodError: there is nothing to make records of, or the label map, a folder or an older manifest cannot be used.
        What is wrong with single images and boxes is not raised but in the plan.
    """
    request = replace(request, format=reading.format_name(request))
    earlier = _earlier_files(request)
    given = label_map.read(request.label_map) if request.label_map else None
    images = request.image_folder()
    read = reading.read(request, images, given[0] if given else None, processes)
    if request.verify:
        verification.decode(read, processes or workers.cpus(), bar or _no_bar)
    if not images.names():
        message = "no image lies here, expected .jpg, .png or .bmp files. Name their folder with --images."
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
    if not earlier:
        _refuse_foreign_files(planned)
    return planned


def _no_bar(total: int) -> contextlib.AbstractContextManager[workers.Advance]:
    return contextlib.nullcontext(lambda count: None)


def missing_images(request: Request) -> list[str]:
    """The images that are annotated but not there, as whoever publishes them calls them; reads annotations only.

    Raises:
      TfodError: there is nothing to go through.
    """
    found = reading.as_annotated(request, replace(request, convert=False).image_folder())
    return sorted({item.image_name for item in found if isinstance(item, Fault) and item.missing})


def images_to_download(request: Request) -> list[str]:
    """As `missing_images`, where these can be downloaded.

    Raises:
      UsageError: the annotations are not those of Open Images, or the images are to lie elsewhere.
    """
    if request.image_names is not None:
        raise UsageError("--download fetches images to this machine, but --images is remote. Name a folder here.")
    if reading.format_name(request) != "open_images":
        raise UsageError("--download is for Open Images, whose images lie in a public bucket. Leave it out.")
    return missing_images(request)


def _earlier_files(request: Request) -> set[str]:
    """The record files that an earlier run published where this one is to."""
    output = request.output
    if output.exists() and not output.is_dir():
        raise RecordError("is a file, expected a folder for the records. Choose another --output.", path=output)
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
    # The engine waits for ever on a file without records, so there is never a shard without an image.
    return Split(name=name, images=images, shards=max(min(wanted, len(images), MAX_SHARDS), 1))


def _nothing(request: Request, faults: Sequence[Fault]) -> TfodError:
    if faults:
        return Problems((fault.error for fault in faults), advice="Nothing is left to write.")
    return AnnotationError("no annotation here has a box, expected some objects to detect.", path=request.annotations)


def _refuse_foreign_files(planned: Plan) -> None:
    """Raises RecordError if a file would be lost that make_records did not write."""
    target = planned.request.target
    names = [LABEL_MAP, *(spec.name for split in planned.splits for spec, _ in split.files())]
    for name in names:
        same = name == LABEL_MAP and target.read(name) == planned.label_map_text.encode()
        if not same and target.exists(name):
            message = f"would be overwritten, but no {MANIFEST} says that make_records wrote it."
            raise RecordError(f"{message} Move it away or choose another --output.", path=f"{target}/{name}")
