"""What check_config prints about a config: lines for people, a document for programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_configs.checking import nearest
from pipeline_configs.checking.check import Checked
from pipeline_configs.checking.finding import SEVERITIES, Finding, Severity
from pipeline_configs.schedules import summary

_WORST = SEVERITIES[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """The config with every fix.

    Attributes:
      path: the file to write.
      text: its content.
      changes: what changes, one field a line.
      left: what is still wrong after the fixes.
    """

    path: Path
    text: str
    changes: Sequence[str]
    left: Sequence[Finding]


def errors(findings: Sequence[Finding]) -> int:
    """How many of the findings are errors."""
    return _counts(findings)["error"]


def lines(path: Path, checked: Checked, images: int | None, fixed: Fixed | None = None) -> list[str]:
    """Everything about the config, in the order of importance.

    Args:
      path: the file of the config.
      checked: what is wrong with it.
      images: how many images one epoch has; None if that is not known.
      fixed: the config with every fix; None if nobody asked for it.
    """
    lesser = [one for one in checked.findings if one.severity != _WORST]
    found = [*error_lines(path, checked.findings)]
    like = nearest.nearest(checked.config) if checked.config else None
    found += nearest.lines(like, checked.config, str(path), checked.line_of) if like else []
    found += (line for one in lesser for line in _with_fix(path, one))
    found += checked.restoration.lines() if checked.restoration else ()
    found += summary.lines(checked.config, images) if checked.config else ()
    fixes = sum(finding.fix is not None for finding in checked.findings)
    hint = f" {fixes} can be fixed: use --fix=FILE." if fixes and not fixed else ""
    more = " Use --explain=CODE to read more about a finding." if checked.findings else ""
    counts = ", ".join(counted(severity, count) for severity, count in _counts(checked.findings).items())
    return [*found, f"{counts}.{hint}{more}", *(f"  {change}" for change in (fixed.changes if fixed else ()))]


def error_lines(path: Path, findings: Sequence[Finding]) -> list[str]:
    """The lines of the errors among the findings."""
    return [line for finding in findings if finding.severity == _WORST for line in _with_fix(path, finding)]


def document(path: Path, checked: Checked, images: int | None, fixed: Fixed | None = None) -> dict[str, Any]:
    """The same as `lines` in plain JSON types; docs/check_config.md describes the keys."""
    like = nearest.nearest(checked.config) if checked.config else None
    found: dict[str, Any] = {"config": str(path), "counts": _counts(checked.findings)}
    found["findings"] = [finding.document() for finding in checked.findings]
    found["nearest"] = like and nearest.document(like, checked.line_of)
    found["run"] = summary.document(checked.config, images) if checked.config else None
    if checked.restoration:
        found["restoration"] = dataclasses.asdict(checked.restoration)
    if fixed:
        found["fix"] = {"path": str(fixed.path), "changes": list(fixed.changes), "errors_left": errors(fixed.left)}
    return found


def counted(severity: str, count: int) -> str:
    """A number of findings in words: "1 error", "2 errors"."""
    return f"{count} {severity}{'' if count == 1 else 's'}"


def _counts(findings: Sequence[Finding]) -> Mapping[Severity, int]:
    return {severity: sum(one.severity == severity for one in findings) for severity in SEVERITIES}


def _with_fix(path: Path, finding: Finding) -> Iterator[str]:
    yield finding.line_in(path)
    for edit in finding.fix.edits if finding.fix else ():
        yield f"    fix: unset {edit.path}" if edit.value is None else f"    fix: {edit.path}={edit.value}"
