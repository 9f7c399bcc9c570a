"""Show what record files hold, and what is wrong with them.

Reads every record, whatever tool wrote it: checksums, images, boxes and classes. Shows counts, classes and sizes. Small
boxes have less than 32 x 32 pixels, large boxes at least 96 x 96, as in COCO's metrics. The records are compared with
the label map that --label_map names, or with label_map.pbtxt in their folder. With --config they are also compared with
the input readers of a pipeline.config. check_config finds more, but needs records that make_records wrote.

Each problem has a code, such as DAT12. `tfod check_config --explain=DAT12` explains it.

Exit codes: 0 no problem, or only problems that depend on what the annotations mean (DAT13, DAT15); 1 a flag is missing
or wrong; 2 there is a problem, or a file cannot be used.

For example:

  tfod inspect_records records --config=pipeline.config
  tfod inspect_records 'data/train.record-*' --label_map=map.pbtxt --contact_sheet=look.png
  tfod inspect_records train.record --extract=7 --output=seen
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from tfod_tools import app
from tfod_tools.base import files, output, progress
from tfod_tools.base.errors import RecordError, UsageError
from tfod_tools.base.files import local_path

if TYPE_CHECKING:
    from record_builders.label_map import LabelMap

_ON_CONTACT_SHEET = 24

FLAGS = app.Flags("records", writes=True)
_string = partial(flags.DEFINE_string, flag_values=FLAGS)

_RECORDS = flags.DEFINE_list(
    "records", None, "Record files, patterns, or folders of record files.", required=True, flag_values=FLAGS
)
_LABEL_MAP = _string("label_map", None, "The label map to compare with; by default label_map.pbtxt in their folder.")
_CONFIG = _string("config", None, "A pipeline.config to compare with.")
_VERIFY = flags.DEFINE_enum(
    "verify", "header", ("header", "decode"), "How to check images: header and end, or every pixel.", flag_values=FLAGS
)
_EXTRACT = flags.DEFINE_integer(
    "extract",
    None,
    "Write the record with this number as an image and a JSON file. Records are counted from 0 over all files.",
    lower_bound=0,
    flag_values=FLAGS,
)
_OUTPUT = _string("output", ".", "Folder for the files of --extract.")
_CONTACT_SHEET = _string("contact_sheet", None, f"Write up to {_ON_CONTACT_SHEET} images with their boxes to this PNG.")
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Read and check everything, but write no file.", flag_values=FLAGS)


def main(arguments: Sequence[str]) -> int:
    """Inspects the records that the flags name; returns the exit code."""
    app.no_arguments(arguments)
    from record_builders.inspection import report, survey

    paths = survey.files([str(local_path(name)) for name in _RECORDS.value])
    label_map_path = _label_map_path(paths)
    label_map = _label_map(label_map_path)
    with progress.bar("Reading records", len(paths)) as advance:
        found = survey.read(paths, label_map=label_map, decode=_VERIFY.value == "decode", on_progress=advance)
    document = report.document(found, label_map)
    problems = [report.problem_line(problem) for problem in found.problems.values()]
    is_wrong = any(problem.kind.certain for problem in found.problems.values())
    if _CONFIG.value:
        from pipeline_configs.checking import inspected

        agreement = inspected.agreement(local_path(_CONFIG.value), found, label_map, label_map_path)
        document["agreement"] = agreement.document()
        problems += agreement.lines()
        is_wrong |= bool(agreement.lines())
    output.say(*report.lines(found, label_map))
    document["files"] = _write(paths, found.records, label_map)
    output.answer(document)
    if problems:
        output.error(*problems, f"Problems: {len(problems)}.")
    else:
        output.say("No problem was found.")
    return RecordError.exit_code if is_wrong else 0


def _label_map_path(paths: Sequence[Path]) -> Path | None:
    from record_builders.output.manifest import LABEL_MAP

    if _LABEL_MAP.value:
        return local_path(_LABEL_MAP.value)
    beside = paths[0].parent / LABEL_MAP
    return beside if beside.is_file() else None


def _label_map(path: Path | None) -> LabelMap | None:
    from record_builders import label_map

    return label_map.read(path)[0] if path else None


def _write(paths: Sequence[Path], records: int, label_map: LabelMap | None) -> list[str]:
    """Writes what the flags ask for; returns the paths."""
    from record_builders.inspection import views

    written = []
    if _EXTRACT.value is not None:
        extracted = views.extracted(paths, _EXTRACT.value, label_map)
        if not extracted:
            raise UsageError(f"--extract={_EXTRACT.value}: no record with this number can be read. Choose another one.")
        written += [_save(local_path(_OUTPUT.value) / name, data, "--output") for name, data in extracted.items()]
    if _CONTACT_SHEET.value:
        sheet = views.overview(paths, records, _ON_CONTACT_SHEET, label_map)
        if sheet:
            written.append(_save(local_path(_CONTACT_SHEET.value), sheet, "--contact_sheet"))
    return written


def _save(path: Path, data: bytes, flag: str) -> str:
    if _DRY_RUN.value:
        files.check_free(path, data, flag=flag, overwrite=FLAGS.overwrite)
    else:
        files.save(path, data, flag=flag, overwrite=FLAGS.overwrite)
    output.say(f"{'Would write' if _DRY_RUN.value else 'Wrote'} {path}")
    return str(path)


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
