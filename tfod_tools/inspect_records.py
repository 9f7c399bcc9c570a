"""Tells what record files hold, and what is wrong with them.

Reads every record of --records (a folder, files or patterns, parted by commas), whatever tool wrote it, and checks its
checksum, its image, its boxes and classes as the engine would meet them. Shows counts, classes and sizes: small boxes
have less than 32x32 pixels, large ones at least 96x96, as in COCO's metrics. Agreement with a label map is checked if
--label_map names one or one lies beside the records; with --config, agreement with a pipeline.config.

Exit codes: 0 fine; 1 wrong flags; 2 something is wrong with the records, or they cannot be read.

For example:

  python -m tfod_tools.inspect_records --records=records --config=pipeline.config
  python -m tfod_tools.inspect_records --records='data/train.record-*' --label_map=map.pbtxt --contact_sheet=look.png
  python -m tfod_tools.inspect_records --records=train.record --extract=7 --output=seen
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from tfod_tools import app
from tfod_tools.base import files, progress, tables
from tfod_tools.base.errors import RecordError, UsageError
from tfod_tools.base.files import local_path

if TYPE_CHECKING:
    from record_builders.inspection.inventory import Inspection
    from record_builders.label_map import LabelMap

_ON_CONTACT_SHEET = 24

FLAGS = app.Flags("records", writes=True)
_string = partial(flags.DEFINE_string, flag_values=FLAGS)

_RECORDS = flags.DEFINE_list(
    "records", None, "Record files, patterns, or folders of them.", required=True, flag_values=FLAGS
)
_LABEL_MAP = _string("label_map", None, "The label map to agree with; by default label_map.pbtxt beside the records.")
_CONFIG = _string("config", None, "A pipeline.config to agree with.")
_VERIFY = flags.DEFINE_enum(
    "verify", "header", ("header", "decode"), "How to check images: size and end, or every pixel.", flag_values=FLAGS
)
_EXTRACT = flags.DEFINE_integer(
    "extract",
    None,
    "Write the record of this number, counted from 0 through all files, as image and JSON into --output.",
    lower_bound=0,
    flag_values=FLAGS,
)
_OUTPUT = _string("output", ".", "Folder for what --extract writes.")
_CONTACT_SHEET = _string(
    "contact_sheet", None, f"Write this PNG with up to {_ON_CONTACT_SHEET} of the images and their boxes."
)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Check, and write neither record nor picture.", flag_values=FLAGS)


def main(arguments: Sequence[str]) -> int:
    """Inspects the records that the flags name; returns the exit code."""
    app.no_arguments(arguments)
    from record_builders.inspection import inventory as inspection

    paths = inspection.files([str(local_path(name)) for name in _RECORDS.value])
    label_map = _label_map(paths)
    with progress.bar("Reading", len(paths)) as advance:
        found = inspection.inspect(paths, label_map, decode=_VERIFY.value == "decode", on_progress=advance)
    if _CONFIG.value:
        _compare_with_config(local_path(_CONFIG.value), paths, found, label_map)
    _show(found, label_map)
    if _EXTRACT.value is not None:
        _extract(paths, label_map)
    if _CONTACT_SHEET.value:
        _make_contact_sheet(local_path(_CONTACT_SHEET.value), paths, sum(found.records.values()), label_map)
    if found.problems:
        lines = found.problem_lines()
        print("\n".join([*lines, f"Problems: {len(lines)}."]), file=sys.stderr)
        return RecordError.exit_code
    print("No problem was found.")
    return 0


def _label_map(paths: Sequence[Path]) -> LabelMap | None:
    from record_builders import label_map
    from record_builders.planning.plan import LABEL_MAP

    beside = paths[0].parent / LABEL_MAP
    path = local_path(_LABEL_MAP.value) if _LABEL_MAP.value else beside if beside.is_file() else None
    return label_map.read(path)[0] if path else None


def _compare_with_config(path: Path, paths: Sequence[Path], found: Inspection, label_map: LabelMap | None) -> None:
    from pipeline_configs.text import schema
    from record_builders import label_map as label_maps

    config = schema.read(path)
    complain = partial(RecordError, path=path)
    num_classes = getattr(config.model, schema.architecture(config)).num_classes
    if label_map and max(label_map.ids) > num_classes:
        message = f"num_classes is {num_classes}, but the label map goes up to {max(label_map.ids)}. Set it to that."
        found.add_problem(complain(message))
    readers = {"train_input_reader": config.train_input_reader}
    readers |= {f"eval_input_reader[{number}]": reader for number, reader in enumerate(config.eval_input_reader)}
    inspected = {file.resolve() for file in paths}
    reading = {
        name: reader
        for name, reader in readers.items()
        if any(inspected & _matching(pattern) for pattern in reader.tf_record_input_reader.input_path)
    }
    if not reading:
        found.add_problem(complain("no input reader reads any of these files. Correct input_path."))
    for name, reader in reading.items():
        if reader.max_number_of_boxes < found.most_boxes:
            limit = f"{name}.max_number_of_boxes is {reader.max_number_of_boxes}"
            message = f"{limit}, but an image has {found.most_boxes} boxes: the rest is cut off. Raise it."
            found.add_problem(complain(message))
        if reader.load_instance_masks and not found.masks:
            found.add_problem(complain(f"{name} loads instance masks, but no record has any. Make them with --masks."))
        named = Path(reader.label_map_path)
        if label_map and named.is_file() and label_maps.read(named)[0].ids_by_name() != label_map.ids_by_name():
            found.add_problem(complain(f"{name} has another label map, {named}. Use that of the records."))


def _matching(pattern: str) -> set[Path]:
    from glob import glob

    return {Path(name).resolve() for name in glob(pattern)}  # noqa: PTH207 - an absolute pattern


def _show(found: Inspection, label_map: LabelMap | None) -> None:
    from record_builders.inspection import inventory as inspection

    counts = inspection.by_pattern(found.records)
    tables.show(("records in", "files", "records"), [(name, *count) for name, count in counts.items()])
    print()
    ids = label_map.ids_by_name() if label_map else {}
    rows = [
        (name or "''", ids.get(name, min(count.numbers, default=None)), count.images, count.boxes, *count.by_size())
        for name, count in sorted(found.classes.items())
    ]
    tables.show(("class", "id", "images", "boxes", "small", "medium", "large"), rows)
    print()
    if found.sizes:
        spans = []
        for side, name in enumerate(("width", "height")):
            values = [size[side] for size in found.sizes.elements()]
            spans.append((name, min(values), int(statistics.median(values)), max(values)))
        tables.show(("pixels", "smallest", "median", "largest"), spans)
        print()
    remarks = {
        "Images without a box": found.background,
        "Images with masks": found.masks,
        "Most boxes on an image": found.most_boxes,
    }
    print("\n".join(f"{remark}: {count}" for remark, count in remarks.items()))
    if absent := sorted(ids.keys() - found.classes.keys()):
        print(f"Classes of the label map without a box: {', '.join(absent)}")


def _extract(paths: Sequence[Path], label_map: LabelMap | None) -> None:
    from record_builders.inspection import views

    number = _EXTRACT.value
    path, content = next(views.chosen(paths, {number}), (None, None))
    if path is None or content is None:
        raise UsageError(f"--extract={number}: there is no such record that can be read. They are counted from 0.")
    stem = local_path(_OUTPUT.value) / f"record-{number:05d}"
    image = content.encoded, stem.with_suffix(views.image_suffix(content))
    for data, target in (image, (views.as_json(content, path, label_map), stem.with_suffix(".json"))):
        _save(target, data)


def _make_contact_sheet(target: Path, paths: Sequence[Path], records: int, label_map: LabelMap | None) -> None:
    from record_builders.inspection import views

    shown = min(records, _ON_CONTACT_SHEET)
    contents = [content for _, content in views.chosen(paths, {i * records // shown for i in range(shown)})]
    if contents:
        _save(target, views.contact_sheet(contents, label_map))


def _save(path: Path, data: bytes) -> None:
    if path.exists() and (path.is_dir() or path.read_bytes() != data):
        raise RecordError("exists and holds something else. Move it away, or choose another name.", path=path)
    if not _DRY_RUN.value:
        files.write_atomically(path, data)
    print(f"{'Would write' if _DRY_RUN.value else 'Wrote'} {path}")


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
