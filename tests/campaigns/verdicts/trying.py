"""Tries verdicts on the engine: one child process for each style, then a comparison with what was expected."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from campaigns.verdicts.cases import Preparation, Style, Trial

ROOT = Path(__file__).parents[3]

_SHOWN = 400  # characters of an error

Result = Mapping[str, Any]


def tried(preparation: Preparation, style: Style, timeout_s: float) -> dict[str, Result]:
    """What `child` found of each run of a style, by name."""
    runs = preparation.write(style)
    results = runs.with_suffix(".results")
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    with runs.with_suffix(".log").open("wb") as log:
        done = subprocess.run(
            [sys.executable, "-m", "campaigns.verdicts.child", style, str(runs), str(results)],
            stdout=log,
            stderr=log,
            timeout=timeout_s,
            env={**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "2"},
            check=False,
        )
    assert done.returncode == 0, runs.with_suffix(".log").read_text(errors="replace")[-3000:]
    return {result["name"]: result for result in map(json.loads, results.read_text().splitlines())}


def faults(trials: Iterable[Trial], results: Mapping[str, Result]) -> Iterator[str]:
    """The wrong verdicts, each with what happened; none if all are right."""
    for trial in trials:
        if why := "; ".join(_of_trigger(trial, results[trial.trigger.name])):
            yield f"{trial.name}: {why}"
        if trial.passing and (why := "; ".join(_of_passing(trial, results[trial.passing.name]))):
            yield f"{trial.name}, the case that passes: {why}"


def _of_trigger(trial: Trial, result: Result) -> Iterator[str]:
    wanted, came = trial.expected, (result["stage"], result["error"])
    if wanted.error and not (came[0] == wanted.stage and re.search(wanted.error, came[1])):
        yield f"the engine should stop at {wanted.stage} with {wanted.error}, but: {str(came[1])[:_SHOWN]} at {came[0]}"
    if wanted.seen and (came[0] or wanted.seen not in result["seen"]):
        yield f"{wanted.seen} should be seen, but: {result['seen'] or str(came[1] or 'nothing')[:_SHOWN]}"
    if wanted.refused and not re.search(wanted.refused, result["refused"] or ""):
        yield f"tfod_tools.train should say {wanted.refused}, but: {result['refused']}"


def _of_passing(trial: Trial, result: Result) -> Iterator[str]:
    if result["error"]:
        yield f"the engine stops at {result['stage']}: {result['error'][:_SHOWN]}"
    if trial.expected.seen in result["seen"]:
        yield f"{trial.expected.seen} is seen"
    if trial.expected.refused and result["refused"]:
        yield f"tfod_tools.train says {result['refused']}"
