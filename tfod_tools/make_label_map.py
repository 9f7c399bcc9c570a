"""Check label maps and lists of class names, and make one label map of them.

Reads the files of --from: label maps (.pbtxt), lists of names (classes.txt or *.names, one name a line), a YOLO
data.yaml, the class descriptions of Open Images (.csv). Checks each file more strictly than the engine does. The
classes of the first file keep their numbers. A class that only a later file has gets the next free number.

With --json, prints classes (a list of id, name, display_name) and written (the path of the label map, or null).

Exit codes: 0 fine; 1 wrong flags; 2 a file cannot be used, nothing was written.

For example:

  python -m tfod_tools.make_label_map label_map.pbtxt
  python -m tfod_tools.make_label_map old.pbtxt data.yaml --output=label_map.pbtxt
"""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags

from tfod_tools import app
from tfod_tools.base import files, output, tables
from tfod_tools.base.files import local_path

FLAGS = app.Flags("from", writes=True)

_FROM = flags.DEFINE_list(
    "from", None, "Label maps and lists of names, separated by commas.", required=True, flag_values=FLAGS
)
_OUTPUT = flags.DEFINE_string("output", None, "Write the label map into this file.", flag_values=FLAGS)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Show the label map, and write nothing.", flag_values=FLAGS)


def main(arguments: Sequence[str]) -> int:
    """Shows the label map that the flags ask for and, if asked, writes it; returns the exit code."""
    app.no_arguments(arguments)
    from record_builders.sources import label_maps

    classes = label_maps.read_all([local_path(text) for text in _FROM.value])
    rows = list(zip(classes.ids, classes.names, classes.display_names, strict=True))
    path = local_path(_OUTPUT.value) if _OUTPUT.value else None
    content = classes.to_pbtxt().encode()
    if path and _DRY_RUN.value:
        files.check_free(path, content, flag="--output", overwrite=FLAGS.overwrite)
    elif path:
        files.save(path, content, flag="--output", overwrite=FLAGS.overwrite)
    output.say(*tables.lines(("id", "name", "display name"), rows))
    if path:
        output.say(f"{'Would write' if _DRY_RUN.value else 'Wrote'} {path}")
    output.answer(
        {
            "classes": [dict(zip(("id", "name", "display_name"), row, strict=True)) for row in rows],
            "written": str(path) if path and not _DRY_RUN.value else None,
        }
    )
    return 0


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
