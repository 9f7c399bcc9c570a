"""Makes TFRecords, a label map and a manifest of annotated images.

Reads the annotations (--annotations) and the images they belong to (--images), divides the images into a training and a
validation part with each class's share in both, and writes into the folder --output (all of them here, or at URLs such
as gs://bucket/folder)

  train.record-00000-of-00001 ...   the training images with their boxes
  val.record-00000-of-00001 ...     the validation images
  label_map.pbtxt                   the classes and their numbers
  manifest.json                     counts, hashes, and what became of every image and box; written last

Images are copied as they are. Equal input gives equal files. An image without objects is written as background; boxes
that reach over the edge of their image are clipped. Anything that cannot be used stops the run before it writes, with
all such problems listed, unless --on_problem=skip leaves them out, or --on_problem=fix converts images that the engine
cannot read, and leaves out the rest. docs/records.md tells what each format is read for.

Exit codes: 0 done; 1 wrong flags; 2 wrong input, nothing was written; 3 done, with images or boxes left out; 130
stopped: run it again, and it goes on with the first shard that was not finished.

For example:

  python -m tfod_tools.make_records --annotations=voc/Annotations --images=voc/JPEGImages --output=records
  python -m tfod_tools.make_records --annotations=VOCdevkit --image_sets=VOC2007/trainval,VOC2012/trainval --output=out
  python -m tfod_tools.make_records --annotations=coco/instances_train.json --images=coco/train --output=records --masks
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from record_builders import formats
from record_builders.planning.choices import DROPPABLE, Choices
from record_builders.planning.choices import FLAGS as CHOOSABLE
from record_builders.records import shards
from tfod_tools import app
from tfod_tools.base import buckets, files, plugins, progress
from tfod_tools.base.errors import Problems
from tfod_tools.base.files import local_path

if TYPE_CHECKING:
    from record_builders.planning.plan import Request
    from record_builders.sources.inputs import Inputs

FLAGS = app.Flags("annotations")
_string, _list, _bool = (
    partial(define, flag_values=FLAGS) for define in (flags.DEFINE_string, flags.DEFINE_list, flags.DEFINE_bool)
)
_integer, _float, _enum = (
    partial(define, flag_values=FLAGS) for define in (flags.DEFINE_integer, flags.DEFINE_float, flags.DEFINE_enum)
)

_FORMAT = _enum(
    "format",
    "auto",
    ("auto", *plugins.names(Path(formats.__file__).parent)),
    "How the annotations are written; auto finds out.",
)
_ANNOTATIONS = _string(
    "annotations", None, "Folder of the annotations, searched at any depth, or their file.", required=True
)
_IMAGES = _string("images", None, "Folder of the images, searched at any depth; by default --annotations.")
_IMAGE_SETS = _list(
    "image_sets",
    [],
    "Read these image sets only, such as trainval or VOC2007/trainval,VOC2012/trainval; by default all.",
)
_CLASSES = _list(
    "classes", [], "Keep boxes of these classes only, by name (in Open Images also by MID); by default all."
)
_EXPAND_HIERARCHY = _bool(
    "expand_hierarchy",
    True,
    "In Open Images, let a box count for the ancestors of its class too, as far as --classes has them.",
)
_DROP = _list(
    "drop",
    [],
    f"Leave out boxes of these kinds: {', '.join(DROPPABLE)} (background is an image without a box, flat a box of less "
    "than a pixel, unknown_class one that --label_map has not).",
)
_IGNORE = _list(
    "ignore",
    sorted(Choices().ignore),
    f"Write boxes of these kinds with weight 0, so that training passes over them: {', '.join(CHOOSABLE)}.",
)
for _name, _kinds in (("drop", DROPPABLE), ("ignore", CHOOSABLE)):
    flags.register_validator(
        _name,
        lambda values, kinds=_kinds: set(values) <= set(kinds),
        f"expected some of {', '.join(_kinds)}, parted by commas.",
        flag_values=FLAGS,
    )
_MASKS = _bool("masks", False, "Write instance masks, where there are some.")
_OUTPUT = _string("output", None, "Folder for the records, here or at a URL such as gs://bucket/folder.", required=True)
_SHARDS = _integer(
    "shards",
    None,
    "Files over which each split is spread, fewer where there are fewer images; by default as --shard_mb asks for.",
    lower_bound=1,
    upper_bound=shards.MAX_SHARDS,
)
_SHARD_MB = _float("shard_mb", 100, "Megabytes of images for each file.", lower_bound=0.001)
_VAL_FRACTION = _float("val_fraction", 0.2, "Part of the images to validate on, from 0 to less than 1.")
flags.register_validator(
    "val_fraction", lambda value: 0 <= value < 1, "expected at least 0 and less than 1.", flag_values=FLAGS
)
_LABEL_MAP = _string("label_map", None, "A .pbtxt to number the classes by; by default they are numbered by name.")
_SEED = _integer("seed", 0, "Another seed gives another split and order.")
_GROUP_BY = _string(
    "group_by",
    "",
    "Keep images of one group in one split: a regular expression whose first (group) names it in the image id, as "
    "^(.*)_, or FILE.csv:COLUMN, a table whose first column names the image.",
)
_ON_PROBLEM = _enum(
    "on_problem",
    "fail",
    ("fail", "skip", "fix"),
    "Whether a box or image that cannot be used stops the run, or is left out and noted in the manifest; with fix, "
    "images in GIF, WebP, TIFF, CMYK or 16 bits, or turned by EXIF, are converted first.",
)
_VERIFY = _enum("verify", "header", ("header", "decode"), "How to check images: size and end, or every pixel.")
_WORKERS = _integer(
    "workers",
    None,
    "Processes that write; by default as many as there are CPUs, and one for few images. The files are the same.",
    lower_bound=1,
)
_ENGINE = _enum(
    "engine", "local", ("local", "beam"), "Who writes: processes of this machine, or Apache Beam's workers."
)
_BEAM_OPTIONS = _string(
    "beam_options", "", "With --engine=beam: options of the pipeline, such as --runner=FlinkRunner."
)
_MISSING_IMAGES = _string(
    "missing_images",
    None,
    "Only write the names of the images that are annotated but not there into this file, one a line; no records.",
)
_DOWNLOAD = _bool("download", False, "In Open Images, first fetch images that are annotated but not there to --images.")
_DOWNLOAD_FROM = _string("download_from", None, "Where --download finds train/ID.jpg; by default the public bucket.")
_DOWNLOAD_RATE = _float("download_rate", 50, "Most images that --download asks for in a second.", lower_bound=0.01)
_DRY_RUN = _bool("dry_run", False, "Say what would be written, and write nothing.")


def main(arguments: Sequence[str]) -> int:
    """Makes the records that the flags ask for; returns the exit code."""
    app.no_arguments(arguments)
    gc.set_threshold(100_000)  # There is next to no garbage to find, here and in workers; 700 is Python's own.
    from record_builders.sources import inputs

    places = (_ANNOTATIONS.value, _IMAGES.value, _LABEL_MAP.value, _OUTPUT.value)
    keep = _DRY_RUN.value or bool(_MISSING_IMAGES.value)
    with inputs.opened(*places, masks=_MASKS.value, keep=keep, bar=partial(progress.bar, "Fetching")) as given:
        request = _request(given)
        if _MISSING_IMAGES.value:
            _list_missing_images(local_path(_MISSING_IMAGES.value), request)
            return 0
        if _DOWNLOAD.value:
            _download(request)
        if _DOWNLOAD.value and _DRY_RUN.value:
            return 0
        given.fetch_images(request)
        return _make(request, given)


def _make(request: Request, given: Inputs) -> int:
    from record_builders.output import report, writing
    from record_builders.planning import build

    plan = build.plan(request, _WORKERS.value, partial(progress.bar, "Decoding"))
    problems = [fault.error for fault in plan.faults]
    if problems and _ON_PROBLEM.value == "fail":
        advice = "Nothing was written. Correct them, or leave them out with --on_problem=skip."
        raise Problems(problems, advice=f"Problems: {len(problems)}. {advice}")
    if problems:
        print(given.named(str(Problems(problems))), file=sys.stderr)
    summary = cache(partial(report.summary, plan, done=not _DRY_RUN.value))
    if not _DRY_RUN.value:
        beam_options = _BEAM_OPTIONS.value if _ENGINE.value == "beam" else None
        with progress.bar("Writing", len(plan.images)) as advance:
            writing.write(plan, advance, _WORKERS.value, beam_options, when_idle=summary)
    print(summary())
    return app.SKIPPED_ITEMS if problems else 0


def _list_missing_images(path: Path, request: Request) -> None:
    from record_builders.planning import build

    names = build.missing_images(request)
    if not _DRY_RUN.value:
        files.write_atomically(path, "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape"))
    print(f"Images that are annotated but not there: {len(names)}{'' if _DRY_RUN.value else f', listed in {path}'}")


def _download(request: Request) -> None:
    from record_builders.formats.open_images import download
    from record_builders.planning import build

    names = build.images_to_download(request)
    if _DRY_RUN.value:
        print(f"Would download {len(names)} images to {request.images}.")
        return
    source = download.Source(url=_DOWNLOAD_FROM.value or download.PUBLIC_BUCKET, per_second=_DOWNLOAD_RATE.value)
    with progress.bar("Downloading", len(names)) as advance:
        errors = download.fetch(names, request.images, source, advance)
    print(f"Downloaded {len(names) - len(errors)} of {len(names)} images to {request.images}.")
    if errors and _ON_PROBLEM.value == "fail":
        raise Problems(errors, advice="No records were written. Run it again: what is there stays.")
    if errors:
        print(Problems(errors), file=sys.stderr)


def _request(given: Inputs) -> Request:
    from record_builders.annotations import Wanted
    from record_builders.planning.plan import Request

    remote = buckets.folder(_OUTPUT.value) if files.is_remote(_OUTPUT.value) else None
    return Request(
        format=_FORMAT.value,
        annotations=given.annotations,
        images=given.images,
        image_names=given.image_names,
        output=remote.antechamber if remote else Path(_OUTPUT.value),
        remote=remote,
        label_map=given.label_map,
        shards=_SHARDS.value,
        shard_mb=_SHARD_MB.value,
        val_fraction=_VAL_FRACTION.value,
        seed=_SEED.value,
        group_by=_GROUP_BY.value,
        convert=_ON_PROBLEM.value == "fix",
        verify=_VERIFY.value == "decode",
        wanted=Wanted(
            image_sets=tuple(_IMAGE_SETS.value),
            classes=tuple(_CLASSES.value),
            expand_hierarchy=_EXPAND_HIERARCHY.value,
            masks=_MASKS.value,
        ),
        choices=Choices(drop=frozenset(_DROP.value), ignore=frozenset(_IGNORE.value)),
    )


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
