"""Trains, exports and runs every model of the engine, on small inputs, and records what works.

    make engine-models
    python -m campaigns.models [--jobs=2] [NAME ...]

Each model runs in a process of its own. Names choose models, types or architectures. If the run is stopped, it goes on
where it was, unless the shims, the entries, the models' configs or TensorFlow changed. Prints a line for each model and
a table. Writes tests/engine/models.json and the table in docs/engine.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from campaigns.models import data, runs, table
from campaigns.models.catalogue import Model, models


def main() -> int:
    """Runs, prints, records."""
    parser = argparse.ArgumentParser(prog="python -m campaigns.models")
    parser.add_argument("names", nargs="*", help="models, types or architectures (default: all)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (default: 2)")
    options = parser.parse_args()
    wanted = _named(options.names) if options.names else models()
    done = 0

    def report(result: runs.Result) -> None:
        nonlocal done
        done += 1
        print(f"[{done}/{len(wanted)}] {table.line(result)}", flush=True)
        runs.record([result])

    with tempfile.TemporaryDirectory() as folder:
        data.make(Path(folder))
        found = runs.record(runs.run(wanted, Path(folder), at_a_time=options.jobs, report=report))
    table.write(found)
    print(table.markdown(found))
    return 0


def _named(names: list[str]) -> list[Model]:
    found: list[Model] = []
    for name in names:
        matches = [model for model in models() if name in (model.name, model.type, model.architecture)]
        if not matches:
            raise SystemExit(f"there is no model, type or architecture '{name}'")
        found += [model for model in matches if model not in found]
    return found


if __name__ == "__main__":
    sys.exit(main())
