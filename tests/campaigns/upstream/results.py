"""The results of upstream's tests, and what changed since the last record."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """One test file in one style.

    Attributes:
      passed: number of tests.
      skipped: number of tests that skip themselves, mostly because they are for the other style.
      failed: reason by test.
      absent: reason by test, for tests that read a file that is only in upstream's repository, or download weights
        without a network connection.
      seconds: how long the process took.
    """

    passed: int = 0
    skipped: int = 0
    failed: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0


def read(events: Path, status: int | str, seconds: float) -> FileResult:
    """The result of a process that wrote `events` and ended with `status`."""
    last: dict[str, dict[str, Any]] = {}
    lines = events.read_text(encoding="utf-8").splitlines() if events.exists() else []
    for event in map(json.loads, lines):
        # A test that failed in one of its parts stays failed.
        if last.get(event["test"], {}).get("outcome") != "failed":
            last[event["test"]] = event
    counts = Counter(event["outcome"] for event in last.values())
    failed = {name: event["why"] for name, event in last.items() if event["outcome"] == "failed"}
    absent = {name: why for name, why in failed.items() if _lacks_a_file(why)}
    cut_off = {name: f"the process ended here ({status})" for name, e in last.items() if e["outcome"] == "started"}
    if status != 0 and not cut_off:
        cut_off = {"process": f"ended with {status}"}
    return FileResult(
        passed=counts["passed"],
        skipped=counts["skipped"],
        failed={name: why for name, why in failed.items() if name not in absent} | cut_off,
        absent=absent,
        seconds=round(seconds),
    )


def _lacks_a_file(why: str) -> bool:
    """Whether a file is missing, because upstream's package holds only Python files."""
    not_shipped = why.startswith(("NotFoundError", "FileNotFoundError")) and "object_detection/" in why
    return not_shipped or "URL fetch failure" in why


def regressions(now: Mapping[str, FileResult], recorded: Mapping[str, FileResult]) -> list[str]:
    """A line for each test that fails now and did not before, and for each file where fewer tests pass."""
    lines = []
    for name, result in now.items():
        before = recorded.get(name, FileResult())
        lines += [f"{name} {test}: {why}" for test, why in result.failed.items() if test not in before.failed]
        if result.passed < before.passed:
            lines.append(f"{name}: {result.passed} tests pass, {before.passed} did")
    return lines


def repairs(now: Mapping[str, FileResult], recorded: Mapping[str, FileResult]) -> list[str]:
    """A line for each test that failed before and does not now."""
    return [
        f"{name} {test}"
        for name, before in recorded.items()
        for test in before.failed
        if name in now and test not in now[name].failed
    ]


def totals(results: Iterable[FileResult]) -> dict[str, int]:
    """Counts over all files; `ran` is passed and failed."""
    results = list(results)
    passed, failed = sum(r.passed for r in results), sum(len(r.failed) for r in results)
    skipped, absent = sum(r.skipped for r in results), sum(len(r.absent) for r in results)
    return {"ran": passed + failed, "passed": passed, "failed": failed, "skipped": skipped, "absent": absent}


def to_json(styles: Mapping[str, Mapping[str, FileResult]], versions: Mapping[str, str]) -> str:
    """The record: versions, and totals and files of each style; files in which nothing ran are left out."""
    return (
        json.dumps({"versions": versions, **{style: _style(files) for style, files in styles.items()}}, indent=1) + "\n"
    )


def _style(files: Mapping[str, FileResult]) -> dict[str, Any]:
    kept = {name: _fields(files[name]) for name in sorted(files)}
    return {"totals": totals(files.values()), "files": kept}


def _fields(result: FileResult) -> dict[str, Any]:
    values = {name: getattr(result, name) for name in ("passed", "skipped", "failed", "absent", "seconds")}
    return {name: value for name, value in values.items() if value}


def from_json(text: str) -> dict[str, dict[str, FileResult]]:
    """The files of each style, from what `to_json` wrote."""
    record = json.loads(text)
    return {
        style: {name: FileResult(**fields) for name, fields in part["files"].items()}
        for style, part in record.items()
        if style != "versions"
    }
