"""Show which objects of the records the anchors of a pipeline.config cover, and find anchors that cover more.

  python -m tfod_tools.fit_anchors pipeline.config --records=records --output=fitted.config --plot=sizes.png

An object is covered if an anchor overlaps it by the matched_threshold or more (IoU). The anchors are placed and matched
exactly as the engine does it, on the training records in the size that the image_resizer makes, without augmentation.
The search changes scales, aspect ratios, reduce_boxes_in_lowest_layer and levels. It uses at most as many anchors as
there are now, or --max_anchors. With --max_pixels it also changes the size of the input. A larger input costs more than
more anchors: twice the pixels need about twice the time and memory.

The proposal is printed as --set flags for make_config. --output writes the config with the proposal, with its comments
and layout; it may be the same file. --plot draws the sizes of objects and anchors. docs/fit_anchors.md has more, also
the keys of --json.

Exit codes: 0 fine, 1 a flag is missing or wrong, 2 a file cannot be used, or the anchors cannot be computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from pipeline_configs.dataset import Dataset
from pipeline_configs.text import rewrite, schema
from tfod_tools import app
from tfod_tools.base import files, output, progress
from tfod_tools.base.errors import RecordError

if TYPE_CHECKING:
    from pipeline_configs.anchors.objects import Objects

FLAGS = app.Flags("config", writes=True)

_CONFIG = flags.DEFINE_string("config", None, "The pipeline.config.", required=True, flag_values=FLAGS)
_RECORDS = flags.DEFINE_string("records", None, "The folder that make_records wrote.", required=True, flag_values=FLAGS)
_MAX_ANCHORS = flags.DEFINE_integer(
    "max_anchors",
    None,
    "How many anchors an input may have; by default as many as now at the same size.",
    lower_bound=1,
    flag_values=FLAGS,
)
_MAX_PIXELS = flags.DEFINE_integer(
    "max_pixels",
    None,
    "How many pixels an input may have, such as 262144 (512 x 512); by default its size stays.",
    lower_bound=1,
    flag_values=FLAGS,
)
_OUTPUT = flags.DEFINE_string("output", None, "Where to write the config with the proposal.", flag_values=FLAGS)
_PLOT = flags.DEFINE_string("plot", None, "Where to draw the sizes of objects and anchors (PNG).", flag_values=FLAGS)
_DRY_RUN = flags.DEFINE_boolean("dry_run", False, "Show everything, write nothing.", flag_values=FLAGS)


def main(arguments: Sequence[str]) -> int:
    """Shows coverage before and after, and writes what the flags ask for."""
    app.no_arguments(arguments)
    from pipeline_configs.anchors import coverage, plot, report, search

    if _PLOT.value:
        plot.check_installed()
    path = files.local_path(_CONFIG.value)
    text = schema.text(path)
    config = schema.parse(text, path=path)
    objects = _objects(files.local_path(_RECORDS.value))
    before = coverage.of_config(config, objects)
    proposal = search.fit(config, objects, _MAX_ANCHORS.value, _MAX_PIXELS.value)
    after = coverage.of_config(proposal.config, objects) if proposal.edits else before
    fit = report.Fit(
        config=config,
        objects=objects,
        before=before,
        proposal=proposal,
        after=after,
        max_anchors=_MAX_ANCHORS.value,
    )
    output.say(*report.lines(fit))
    if _OUTPUT.value:
        target = files.local_path(_OUTPUT.value)
        _save(target, rewrite.content(path, text, proposal.config, target).encode(), "--output", path)
    if _PLOT.value:
        title = f"{path.name}: {after.covered.mean():.1%} of {len(objects)} objects covered"
        _save(files.local_path(_PLOT.value), plot.png(proposal.config, after, title), "--plot")
    written = {"output": _OUTPUT.value, "plot": _PLOT.value, "written": not _DRY_RUN.value}
    output.answer({"config": str(path)} | report.document(fit) | written)
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


def _save(path: Path, data: bytes, flag: str, replaces: Path | None = None) -> None:
    """Writes a file; in a dry run, only makes sure that it could be written."""
    if _DRY_RUN.value:
        files.check_free(path, data, flag=flag, overwrite=FLAGS.overwrite, replaces=replaces)
        output.say(f"Dry run: nothing is written. Without --dry_run this writes {path}.")
        return
    files.save(path, data, flag=flag, overwrite=FLAGS.overwrite, replaces=replaces)
    output.say(f"Wrote {path}")


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
