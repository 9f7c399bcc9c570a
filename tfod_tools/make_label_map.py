"""Checks label maps and lists of class names, and makes one label map of them.

Reads the files of --from: label maps (.pbtxt), lists of names (classes.txt, *.names, one a line), a YOLO data.yaml, the
class descriptions of Open Images (.csv). Each is checked, more strictly than the engine does. The first keeps its
numbers; a class that only a later file has gets the next free number.

Exit codes: 0 fine; 1 wrong flags; 2 a file cannot be used, nothing was written.

For example:

  python -m tfod_tools.make_label_map --from=label_map.pbtxt
  python -m tfod_tools.make_label_map --from=old.pbtxt,data.yaml --output=label_map.pbtxt
"""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags

from tfod_tools import app
from tfod_tools.base import files, tables
from tfod_tools.base.errors import LabelMapError
from tfod_tools.base.files import local_path

FLAGS = app.Flags("from", writes=True)

_FROM = flags.DEFINE_list(
    "from", None, "Label maps and lists of names, parted by commas.", required=True, flag_values=FLAGS
)
_OUTPUT = flags.DEFINE_string("output", None, "Write the label map into this file.", flag_values=FLAGS)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Show the label map, and write nothing.", flag_values=FLAGS)


def main(arguments: Sequence[str]) -> int:
    """Shows the label map that the flags ask for and, if asked, writes it; returns the exit code."""
    app.no_arguments(arguments)
    from record_builders.sources import label_maps as label_map_sources

    classes = label_map_sources.read_all([local_path(text) for text in _FROM.value])
    rows = list(zip(classes.ids, classes.names, classes.display_names, strict=True))
    tables.show(("id", "name", "display name"), rows)
    if _OUTPUT.value:
        path, content = local_path(_OUTPUT.value), classes.to_pbtxt().encode()
        if path.exists() and (path.is_dir() or path.read_bytes() != content):
            raise LabelMapError("exists and holds something else. Choose another --output.", path=path)
        if not _DRY_RUN.value:
            files.write_atomically(path, content)
        print(f"{'Would write' if _DRY_RUN.value else 'Wrote'} {path}")
    return 0


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
