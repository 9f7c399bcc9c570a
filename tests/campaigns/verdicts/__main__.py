"""Tries every case of every rule of severity error on the engine, in both styles. The tests try only the first of each.

    make engine-verdicts [ARGS="CODE ..."]

Prints a line for each verdict that is wrong. Exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from campaigns.verdicts import cases, records, trying

_LIMIT_S = 7200


def main() -> int:
    """Prepares, tries, prints."""
    parser = argparse.ArgumentParser(prog="python -m campaigns.verdicts")
    parser.add_argument("codes", nargs="*", help="rules (default: all of severity error)")
    codes = parser.parse_args().codes or cases.errors()
    false = 0
    with tempfile.TemporaryDirectory() as folder:
        records.make(Path(folder, "data"))
        for style in cases.STYLES:
            preparation = cases.Preparation(Path(folder, style), Path(folder, "data"))
            trials = [trial for code in codes for trial in preparation.trials(code, style, first_only=False)]
            found = list(trying.faults(trials, trying.tried(preparation, style, _LIMIT_S))) if trials else []
            print("\n".join([*found, f"{style}: {len(trials)} cases, {len(found)} faults"]), flush=True)
            false += len(found)
    return 1 if false else 0


if __name__ == "__main__":
    sys.exit(main())
