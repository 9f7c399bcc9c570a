"""Runs the engine's own tests with the shims, in both styles.

    make engine-test [ARGS="tf2 object_detection.core"]

Each test file runs in a process of its own, two at a time, for at most 15 minutes. If the run is stopped, it goes on
where it was, unless the shims or TensorFlow changed. Arguments choose styles, and beginnings or ends of module names.
Prints a table by file, and what changed since the record in tests/engine/upstream.json. Exits with 1 if a test fails
that did not fail before. RECORD=1 writes the results into the record.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import sys
from collections.abc import Mapping, Sequence

from campaigns import campaign
from campaigns.upstream import results, runs
from rich.console import Console
from rich.table import Table


def main(arguments: Sequence[str]) -> int:
    """Runs, prints, compares. Returns 1 if something got worse."""
    recorded = runs.record()
    jobs = runs.jobs(arguments, recorded)
    console = Console()

    def report(job: campaign.Job, seconds: float) -> None:
        console.print(f"{seconds:5.0f} s  {runs.describe(job)}", highlight=False)

    styles = runs.run(jobs, at_a_time=2, report=report)
    worse = []
    for style, files in styles.items():
        before = recorded.get(style, {})
        console.print(_table(style, files))
        for line in results.repairs(files, before):
            console.print(f"passes now: {style} {line}", highlight=False)
        worse += [f"{style} {line}" for line in results.regressions(files, before)]
    for line in worse:
        console.print(f"fails now: {line}", highlight=False, markup=False)
    if os.environ.get("RECORD"):
        known = {style: {**recorded.get(style, {}), **styles.get(style, {})} for style in runs.STYLES}
        runs.RECORD.write_text(results.to_json(known, _versions()), encoding="utf-8")
    return 1 if worse else 0


def _versions() -> dict[str, str]:
    python = ".".join(map(str, sys.version_info[:3]))
    packages = ("tensorflow", "tf-keras", "numpy", "tf-object-detection-api", "tf-models-official")
    return {"python": python, **{name: importlib.metadata.version(name) for name in packages}}


def _table(style: str, files: Mapping[str, results.FileResult]) -> Table:
    table = Table(
        "file", *("ran", "passed", "failed", "skipped", "absent"), title=f"Upstream's tests in {style.upper()} style"
    )
    for name in sorted(files):
        table.add_row(name.removeprefix("object_detection."), *_counts(results.totals([files[name]])))
    table.add_section()
    total = results.totals(files.values())
    share = f"{100 * total['passed'] / max(total['ran'], 1):.2f} % pass"
    table.add_row(f"{len(files)} files, {share}", *_counts(total))
    return table


def _counts(totals: Mapping[str, int]) -> list[str]:
    return [str(count or "") for count in totals.values()]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m campaigns.upstream")
    parser.add_argument("names", nargs="*", help="styles, and beginnings or ends of module names (default: all)")
    sys.exit(main(parser.parse_args().names))
