"""Make TFRecords, a label map and a manifest from annotated images.

Reads the annotations (--annotations) and their images (--images). Divides the images into a training split and a
validation split, so that each class has its share in both. Writes into the folder --output:

  train.record-00000-of-00001 ...   the training images with their boxes
  val.record-00000-of-00001 ...     the validation images
  label_map.pbtxt                   the classes and their numbers
  manifest.json                     counts, hashes, and what happened to every image and box; written last

All of these may be folders of this machine or URLs such as gs://bucket/folder.

Images are copied as they are. The same input gives the same files. An image without objects is written as background.
A box that reaches over the edge of its image is clipped. If an image or a box cannot be used, the run stops before it
writes anything, and lists all problems. With --on_problem=skip it leaves them out. With --on_problem=fix it first
converts images that the engine cannot read, and leaves out the rest. docs/records.md describes every format.

With --json, prints the manifest with these entries more: output, written (false with --dry_run), files, removed_files
and remarks; with --missing_images: missing_images and file.

Exit codes: 0 done; 1 wrong flags; 2 wrong input, nothing was written; 3 done, but images or boxes were left out; 130
stopped: run the same command again, and it continues after the last finished shard.

For example:

  python -m tfod_tools.make_records voc/Annotations --images=voc/JPEGImages --output=records
  python -m tfod_tools.make_records VOCdevkit --image_sets=VOC2007/trainval,VOC2012/trainval --output=records
  python -m tfod_tools.make_records coco/instances_train.json --images=coco/train --output=records --masks
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from record_builders import formats
from record_builders.planning.choices import DROPPABLE, Choices
from record_builders.planning.choices import FLAGS as CHOOSABLE
from record_builders.records import shards
from tfod_tools import app
from tfod_tools.base import output, plugins
from tfod_tools.base.files import local_path

if TYPE_CHECKING:
    from record_builders.making import Task
    from record_builders.planning.plan import Request

FLAGS = app.Flags("annotations", writes=True)
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
    "The format of the annotations; auto recognises it.",
)
_ANNOTATIONS = _string(
    "annotations", None, "The folder of annotations, with all its subfolders, or one file.", required=True
)
_IMAGES = _string(
    "images", None, "The folder of images, with all its subfolders; by default the folder of the annotations."
)
_IMAGE_SETS = _list(
    "image_sets",
    [],
    "Read only these image sets, such as trainval or VOC2007/trainval,VOC2012/trainval; by default all.",
)
_CLASSES = _list(
    "classes", [], "Keep only boxes of these classes, by name (in Open Images also by MID); by default all."
)
_EXPAND_HIERARCHY = _bool(
    "expand_hierarchy",
    True,
    "In Open Images, count a box also for the ancestors of its class; with --classes only for those of the list.",
)
_DROP = _list(
    "drop",
    [],
    f"Leave out boxes of these kinds: {', '.join(DROPPABLE)}. (background: an image without a box; flat: a box smaller "
    "than one pixel; unknown_class: a class that --label_map does not have.)",
)
_IGNORE = _list(
    "ignore",
    sorted(Choices().ignore),
    f"Write boxes of these kinds with weight 0, so that training ignores them: {', '.join(CHOOSABLE)}.",
)
for _name, _kinds in (("drop", DROPPABLE), ("ignore", CHOOSABLE)):
    flags.register_validator(
        _name,
        lambda values, kinds=_kinds: set(values) <= set(kinds),
        f"takes only {', '.join(_kinds)}, separated by commas.",
        flag_values=FLAGS,
    )
_MASKS = _bool("masks", False, "Write instance masks, if the annotations have them.")
_OUTPUT = _string("output", None, "The folder for the records, or a URL such as gs://bucket/folder.", required=True)
_SHARDS = _integer(
    "shards",
    None,
    "Number of files for each split, but never more than it has images; by default --shard_mb decides.",
    lower_bound=1,
    upper_bound=shards.MAX_SHARDS,
)
_SHARD_MB = _float("shard_mb", 100, "Megabytes of images in each file.", lower_bound=0.001)
_VAL_FRACTION = _float("val_fraction", 0.2, "Share of the images for validation, at least 0 and less than 1.")
flags.register_validator(
    "val_fraction", lambda value: 0 <= value < 1, "must be at least 0 and less than 1.", flag_values=FLAGS
)
_LABEL_MAP = _string(
    "label_map",
    None,
    "A .pbtxt file that numbers the classes; by default the order of their names does.",
)
_SEED = _integer("seed", 0, "Another seed gives another split and order.")
_GROUP_BY = _string(
    "group_by",
    "",
    "Keep images of one group in one split. Either a regular expression: its first (group) in the image id is the name "
    "of the group, as in ^(.*)_. Or FILE.csv:COLUMN: the first column of the table names the image, COLUMN its group.",
)
_ON_PROBLEM = _enum(
    "on_problem",
    "fail",
    ("fail", "skip", "fix"),
    "What to do with a box or image that cannot be used: fail stops the run, skip leaves it out and notes it in the "
    "manifest, fix does the same but first converts images in GIF, WebP, TIFF, CMYK or 16 bits, or turned by EXIF.",
)
_VERIFY = _enum("verify", "header", ("header", "decode"), "What to check of each image: header and end, or all pixels.")
_WORKERS = _integer(
    "workers",
    None,
    "Number of processes that write; by default one for each CPU, or one for few images. The files are the same.",
    lower_bound=1,
)
_RUNNER = _enum(
    "runner", "local", ("local", "beam"), "Who writes the files: processes of this machine, or workers of Apache Beam."
)
_BEAM_OPTIONS = _string(
    "beam_options", "", "With --runner=beam: options of the Beam pipeline, such as --runner=FlinkRunner."
)
_MISSING_IMAGES = _string(
    "missing_images",
    None,
    "Write only a list of missing images, which have annotations but no file, into this file, one name a line.",
)
_DOWNLOAD = _bool("download", False, "In Open Images, first download missing images to --images.")
_DOWNLOAD_FROM = _string(
    "download_from", None, "The URL below which --download finds train/ID.jpg; by default the public bucket."
)
_DOWNLOAD_RATE = _float("download_rate", 50, "The most images that --download requests in a second.", lower_bound=0.01)
_DRY_RUN = _bool("dry_run", False, "Show what would be written, and write nothing.")


def main(arguments: Sequence[str]) -> int:
    """Makes the records that the flags ask for; returns the exit code."""
    app.no_arguments(arguments)
    gc.set_threshold(100_000)  # There is almost no garbage to find, here and in workers. Python's own value is 700.
    from record_builders import making

    places = making.Places(
        annotations=_ANNOTATIONS.value, output=_OUTPUT.value, images=_IMAGES.value, label_map=_LABEL_MAP.value
    )
    outcome = making.make(places, _settings(), _task())
    output.say(*outcome.lines)
    output.answer(outcome.document)
    return app.SKIPPED_ITEMS if outcome.skipped else 0


def _task() -> Task:
    from record_builders.making import Task

    return Task(
        on_problem=_ON_PROBLEM.value,
        dry_run=_DRY_RUN.value,
        workers=_WORKERS.value,
        beam_options=_BEAM_OPTIONS.value if _RUNNER.value == "beam" else None,
        missing_images=local_path(_MISSING_IMAGES.value) if _MISSING_IMAGES.value else None,
        download=_DOWNLOAD.value,
        download_from=_DOWNLOAD_FROM.value,
        download_rate=_DOWNLOAD_RATE.value,
    )


def _settings() -> Request:
    from record_builders.annotations import Wanted
    from record_builders.planning.plan import Request

    return Request(
        format=_FORMAT.value,
        annotations=Path(_ANNOTATIONS.value),
        images=Path(_IMAGES.value or _ANNOTATIONS.value),
        output=Path(_OUTPUT.value),
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
        overwrite=FLAGS.overwrite,
    )


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
