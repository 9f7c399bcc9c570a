"""Lists upstream's test files, and runs them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from campaigns import campaign
from campaigns.upstream import results

RECORD = campaign.ROOT / "tests" / "engine" / "upstream.json"
STYLES = ("tf1", "tf2")

_FOLDER = campaign.ROOT / "build" / "engine-test"
_LIMIT_S = 900
_BASES = ("model_builder_test", "ssd_feature_extractor_test")
_SOURCES = [campaign.ROOT / "tfod_tools" / "engine" / "shims", campaign.ROOT / "tests" / "campaigns" / "upstream"]


def modules() -> list[str]:
    """All test modules of the engine, except those that hold only base classes of others."""
    spec = importlib.util.find_spec("object_detection")
    assert spec and spec.submodule_search_locations
    root = Path(spec.submodule_search_locations[0])
    return sorted(
        ".".join(path.relative_to(root.parent).with_suffix("").parts)
        for path in root.rglob("*_test.py")
        if path.stem not in _BASES
    )


def record() -> dict[str, dict[str, results.FileResult]]:
    """The recorded files of each style; {} if there is no record."""
    return results.from_json(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}


def jobs(wanted: Sequence[str], recorded: Mapping[str, Mapping[str, results.FileResult]]) -> list[campaign.Job]:
    """A job for each style and module, the slowest first.

    Args:
      wanted: styles, and beginnings or ends of module names; everything if empty.
      recorded: the last results, with the time that each took.
    """
    styles = [style for style in STYLES if style in wanted] or STYLES
    names = [name for name in wanted if name not in STYLES]
    found = [
        (style, module)
        for style in styles
        for module in modules()
        if not names or any(module.startswith(name) or module.endswith(name) for name in names)
    ]
    found.sort(key=lambda it: recorded.get(it[0], {}).get(it[1], results.FileResult()).seconds, reverse=True)
    return [job(style, module) for style, module in found]


def job(style: str, module: str) -> campaign.Job:
    """The process that runs a module's tests."""
    return campaign.Job(
        name=f"{style}/{module}",
        argv=["campaigns.upstream.child", style, module, "events"],
        limit_s=_LIMIT_S,
        fingerprint=campaign.fingerprint(*_SOURCES),
    )


def run(
    todo: Iterable[campaign.Job],
    *,
    at_a_time: int,
    report: Callable[[campaign.Job, float], None],
    folder: Path = _FOLDER,
) -> dict[str, dict[str, results.FileResult]]:
    """Runs the jobs that are not done yet. Returns the results by style and module."""
    folders = campaign.run(list(todo), folder, at_a_time=at_a_time, report=report)
    styles: dict[str, dict[str, results.FileResult]] = {}
    for name, where in folders.items():
        style, module = name.split("/")
        styles.setdefault(style, {})[module] = result(where)
    return styles


def result(folder: Path) -> results.FileResult:
    """The result of a finished process."""
    ended = campaign.outcome(folder)
    return results.read(folder / "events", ended["status"], ended["seconds"])


def describe(done: campaign.Job) -> str:
    """A line on a finished process."""
    total = results.totals([result(_FOLDER / done.name)])
    return f"{done.name.replace('/', ' ')}: " + ", ".join(f"{count} {name}" for name, count in total.items() if count)
