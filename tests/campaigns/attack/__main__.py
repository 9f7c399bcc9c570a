"""`make attack`: runs the attacks, prints a table by kind and the faults, and ends with 1 where there is a fault."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from campaigns.attack import campaign
from campaigns.attack.campaign import Outcome
from campaigns.attack.samples import Samples

_SEED = 1


def main() -> int:
    """Runs the attacks that the arguments name."""
    parser = argparse.ArgumentParser(prog="make attack", description=__doc__)
    parser.add_argument("--kinds", default="", help="only these, comma-separated; see --list")
    parser.add_argument("--only", default="", help="one attack, by its name: kind/number")
    parser.add_argument("--seed", type=int, default=_SEED, help="what is drawn; the same seed draws the same attacks")
    parser.add_argument("--at-once", type=int, default=2, help="processes at once")
    parser.add_argument("--keep", type=Path, help="a folder in which the folders of the runs stay")
    parser.add_argument("--report", type=Path, help="a file for the table and the faults, as Markdown")
    parser.add_argument("--list", action="store_true", help="print the attacks, run none")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="attack-samples-") as folder:
        wanted = [asked.only.partition("/")[0]] if asked.only else list(filter(None, asked.kinds.split(",")))
        attacks = list(campaign.drawn(asked.seed, Samples(Path(folder)), wanted))
        attacks = [attack for attack in attacks if asked.only in ("", attack.name)]
        if asked.list:
            for attack in attacks:
                print(f"{attack.name}  {shlex.join(attack.case.argv)[:100]!r}  {attack.case.about!r}")
            return 0
        outcomes = campaign.run(attacks, at_once=asked.at_once, report=_show, keep=asked.keep and asked.keep.resolve())
    lines = report(outcomes, asked.seed)
    print("\n".join(lines))
    if asked.report:
        asked.report.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="backslashreplace")
    return int(any(outcome.verdict.is_fault for outcome in outcomes))


def _show(outcome: Outcome) -> None:
    if outcome.verdict.is_fault:
        print(f"{outcome.attack.name}: {outcome.verdict.outcome}: {outcome.verdict.why!r}", file=sys.stderr, flush=True)


def report(outcomes: Sequence[Outcome], seed: int) -> list[str]:
    """The table by kind, then each fault with the words that repeat it."""
    lines = [
        "| kind | runs | ok | refused | faults | slowest | largest |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    by_kind: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_kind.setdefault(outcome.attack.kind, []).append(outcome)
    lines += [_row(kind, found) for kind, found in by_kind.items()]
    lines.append(_row("all", outcomes))
    faults = [outcome for outcome in outcomes if outcome.verdict.is_fault]
    counts = Counter(outcome.verdict.outcome for outcome in faults)
    lines += ["", "Faults: " + (", ".join(f"{count} {kind}" for kind, count in counts.most_common()) or "none") + "."]
    for outcome in faults:
        case, name = outcome.attack.case, outcome.attack.name
        lines += [
            "",
            f"- {name}: {outcome.verdict.outcome}: {outcome.verdict.why!a}",
            f"  {case.about!a}: tfod {shlex.join(case.argv)[:300]!a}",
            f'  make attack ARGS="--only={name} --seed={seed} --keep=kept"',
        ]
    return lines


def _row(kind: str, outcomes: Sequence[Outcome]) -> str:
    counts = Counter(outcome.verdict.outcome for outcome in outcomes)
    faults = sum(outcome.verdict.is_fault for outcome in outcomes)
    slowest = max(outcome.seconds for outcome in outcomes)
    largest = max(outcome.peak_mb for outcome in outcomes)
    figures = (len(outcomes), counts["ok"], counts["refused"], faults, f"{slowest:.1f} s", f"{largest:.0f} MB")
    return f"| {kind} | {' | '.join(map(str, figures))} |"


if __name__ == "__main__":
    sys.exit(main())
