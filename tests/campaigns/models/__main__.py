"""Trains, exports and runs every model of the engine, on small inputs, and records what works.

    make engine-models
    python -m models [--jobs=2] [NAME ...]

Each model runs in a process of its own. Names of models, types or architectures narrow it down. A run that was stopped
goes on where it was, as long as neither the shims and entries nor the models' configs nor TensorFlow changed. Prints a
line a model and a table, and writes both tests/engine/models.json and the table in docs/engine.md.
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
    parser = argparse.ArgumentParser(prog="python -m models")
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
