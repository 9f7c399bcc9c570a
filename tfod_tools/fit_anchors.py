"""Show which objects of the records the anchors of a pipeline.config cover, and find anchors that cover more.

  python -m tfod_tools.fit_anchors --config=pipeline.config --records=records --output=fitted.config --plot=sizes.png

An anchor learns an object that it overlaps by the matched_threshold or more (IoU). Anchors are laid and matched exactly
as the engine does it, on the training records as the image_resizer lays them into the input, without augmentation. The
search changes scales, aspect ratios, reduce_boxes_in_lowest_layer and levels, and keeps to as many anchors as there are
now, or to --max_anchors. With --max_pixels it changes the size of the input as well, which costs more than anchors do:
twice the pixels are about twice the time and memory. What it proposes is printed as --set flags for make_config;
--output writes the config with it, comments and layout kept, and may be the same file. --plot draws object sizes
against anchor sizes.

Exit codes: 0 fine, 1 a flag is missing or wrong, 2 a file cannot be used, or the anchors cannot be computed.
"""

from __future__ import annotations

import dataclasses
import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from pipeline_configs.dataset import Dataset
from pipeline_configs.text import rewrite, schema
from tfod_tools import app
from tfod_tools.base import files, progress, tables
from tfod_tools.base.errors import ConfigError, RecordError

if TYPE_CHECKING:
    from pipeline_configs.anchors.coverage import Coverage
    from pipeline_configs.anchors.objects import Objects
    from pipeline_configs.anchors.report import Row
    from pipeline_configs.anchors.search import Proposal
    from pipeline_configs.text.text_proto import Config

FLAGS = app.Flags("config", writes=True)

_CONFIG = flags.DEFINE_string("config", None, "The pipeline.config.", required=True, flag_values=FLAGS)
_RECORDS = flags.DEFINE_string("records", None, "The folder that make_records wrote.", required=True, flag_values=FLAGS)
_MAX_ANCHORS = flags.DEFINE_integer(
    "max_anchors",
    None,
    "Anchors that an input may have; by default as many as now at its size.",
    lower_bound=1,
    flag_values=FLAGS,
)
_MAX_PIXELS = flags.DEFINE_integer(
    "max_pixels",
    None,
    "Pixels that an input may have, such as 262144 (512 x 512); by default its size stays.",
    lower_bound=1,
    flag_values=FLAGS,
)
_OUTPUT = flags.DEFINE_string("output", None, "Where to write the config with what is proposed.", flag_values=FLAGS)
_PLOT = flags.DEFINE_string("plot", None, "Where to draw the sizes of objects and anchors (PNG).", flag_values=FLAGS)
_DRY_RUN = flags.DEFINE_boolean("dry_run", False, "Show all, write nothing.", flag_values=FLAGS)

_SHOWN_OBJECTS = 10


def main(arguments: Sequence[str]) -> int:
    """Prints coverage before and after, and writes what the flags ask for."""
    app.no_arguments(arguments)
    from pipeline_configs.anchors import coverage, plot, search

    if _PLOT.value:
        plot.check_installed()
    path = files.local_path(_CONFIG.value)
    text = schema.text(path)
    config = schema.parse(text, path=path)
    objects = _objects(files.local_path(_RECORDS.value))
    before = coverage.of_config(config, objects)
    proposal = search.fit(config, objects, _MAX_ANCHORS.value, _MAX_PIXELS.value)
    after = coverage.of_config(proposal.config, objects) if proposal.edits else before
    _show(objects, before, after)
    _show_proposal(config, proposal, before)
    if _OUTPUT.value:
        output = files.local_path(_OUTPUT.value)
        _save(output, rewrite.content(path, text, proposal.config, output).encode())
    if _PLOT.value:
        title = f"{path.name}: {after.covered.mean():.1%} of {len(objects)} objects covered"
        _save(files.local_path(_PLOT.value), plot.png(proposal.config, after, title))
    return 0


def _objects(folder: Path) -> Objects:
    from pipeline_configs.anchors.objects import Objects
    from record_builders.inspection import survey

    paths = Dataset.read(folder).train.files()
    with progress.bar("Reading records", len(paths)) as advance:
        found = survey.read(paths, on_progress=advance)
    found.require_readable()
    if not found.objects:
        raise RecordError("the training records hold no box, so there is nothing to fit anchors to.", path=folder)
    return Objects.of(found.objects)


def _show(objects: Objects, before: Coverage, after: Coverage) -> None:
    from pipeline_configs.anchors import report

    # Rows are of the same objects before and after, by their sizes in the input as it is.
    after = dataclasses.replace(after, sides=before.sides)
    tables_of = {
        "": lambda coverage, objects: [report.all_of(coverage, objects)],
        "size in COCO": report.by_coco_size,
        "side, input px": report.by_side,
        "width / height": report.by_aspect_ratio,
        "class": report.by_class,
    }
    for name, rows_of in tables_of.items():
        rows = zip(rows_of(before, objects), rows_of(after, objects), strict=True)
        columns = (name, "objects", f"IoU >= {before.threshold:.2g}", "best IoU", "positives", "none")
        tables.show(columns, [_line(one, other) for one, other in rows])
        print()
    _show_pruning(before, objects)
    missed = report.without_anchor(before, objects)
    for number in missed[:_SHOWN_OBJECTS]:
        height, width = before.sides[number]
        name, image = objects.names[objects.label[number]], objects.images[objects.image[number]]
        print(f"no anchor now: {name} of {width:.0f} x {height:.0f} pixels of the input, in {image}")
    if len(missed) > _SHOWN_OBJECTS:
        print(f"... and {len(missed) - _SHOWN_OBJECTS} more")


def _line(now: Row, then: Row) -> tuple[object, ...]:
    cells = [(f"{row.covered:.1%}", f"{row.best:.3f}", f"{row.positives:.1f}", f"{row.without}") for row in (now, then)]
    return (now.name, now.objects, *(f"{one} → {other}" for one, other in zip(*cells, strict=True)))


def _show_pruning(coverage: Coverage, objects: Objects) -> None:
    if coverage.before_pruning is None:
        return
    frame, (count, left) = max(coverage.anchors.items(), key=lambda item: (item[1][0], item[0]))
    lost = int(((coverage.before_pruning >= coverage.threshold) & ~coverage.covered & (objects.weight > 0)).sum())
    size = f"{frame[0]} x {frame[1]}"
    print(f"At the border of an input of {size}, {count - left} of {count} anchors are left out in training (now);")
    print(f"{lost} objects are not covered because of that. clip_anchors_to_image: true keeps them.")


def _show_proposal(config: Config, proposal: Proposal, before: Coverage) -> None:
    from pipeline_configs.anchors import generators, moves

    now = max(count for count, _ in before.anchors.values())
    if not proposal.edits:
        limit = _MAX_ANCHORS.value or now
        print(f"{now} anchors. {proposal.tried} others were tried: none with up to {limit} anchors covers more.")
        return
    frame = max(before.anchors, key=lambda frame: (math.prod(frame), frame))
    if frame != proposal.frame:
        times = math.prod(proposal.frame) / math.prod(frame)
        sizes = " then ".join(f"{height} x {width}" for height, width in (frame, proposal.frame))
        print(f"Input of {sizes}: {times:.2f} times the pixels, and about so many times the computation and memory.")
    print(
        f"{now} anchors now, {proposal.anchors} then; {proposal.tried} configs were tried. Proposed, as of make_config:"
    )
    for edit in proposal.edits:
        print(f"  --set {shlex.quote(f'{edit.path}={edit.value}')}")
    counts = [generators.per_position(moves.generator(one)) for one in (config, proposal.config)]
    if counts[0] != counts[1]:
        print("Another number of anchors at a position: the box predictor of a checkpoint does not fit any more.")


def _save(path: Path, data: bytes) -> None:
    if not _DRY_RUN.value:
        try:
            files.write_atomically(path, data)
        except OSError as error:
            raise ConfigError(f"cannot be written: {error.strerror}. Name another file.", path=path) from error
    print(f"{'Dry run, would write' if _DRY_RUN.value else 'Wrote'} {path}")


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
