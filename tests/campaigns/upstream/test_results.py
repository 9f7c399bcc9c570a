"""The bookkeeping of upstream's tests: a failure must not get lost in it."""

import json
from pathlib import Path

import pytest
from campaigns.upstream import results
from campaigns.upstream.results import FileResult


def _events(path: Path, *events: tuple[str, str, str]) -> Path:
    lines = [json.dumps({"test": test, "outcome": outcome, "why": why}) for test, outcome, why in events]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_each_outcome_is_counted(tmp_path: Path) -> None:
    events = _events(
        tmp_path / "events",
        ("A.a", "started", ""),
        ("A.a", "passed", ""),
        ("A.b", "started", ""),
        ("A.b", "skipped", "TF2.X only"),
        ("A.c", "started", ""),
        ("A.c", "failed", "ValueError: no"),
        ("A.c", "passed", ""),
        ("A.d", "failed", "NotFoundError: /x/object_detection/samples/configs/a.config; No such file or directory"),
    )
    result = results.read(events, 0, 3.2)
    assert result == FileResult(
        passed=1, skipped=1, failed={"A.c": "ValueError: no"}, absent={"A.d": result.absent["A.d"]}, seconds=3
    )


def test_a_test_in_which_the_process_died_has_failed(tmp_path: Path) -> None:
    events = _events(tmp_path / "events", ("A.a", "passed", ""), ("A.b", "started", ""))
    assert results.read(events, -11, 1).failed == {"A.b": "the process ended here (-11)"}
    assert results.read(tmp_path / "none", "time limit", 1).failed == {"process": "ended with time limit"}


@pytest.mark.parametrize(
    "why",
    [
        "FileNotFoundError: [Errno 2] No such file or directory: 'object_detection/test_images/image1.jpg'",
        "Exception: URL fetch failure on https://example.org/weights.h5: None -- no address",
    ],
)
def test_a_file_that_cannot_be_had_is_no_failure(why: str, tmp_path: Path) -> None:
    result = results.read(_events(tmp_path / "events", ("A.a", "failed", why)), 0, 1)
    assert result == FileResult(absent={"A.a": why}, seconds=1)


def test_a_missing_file_elsewhere_is_a_failure(tmp_path: Path) -> None:
    events = _events(tmp_path / "events", ("A.a", "failed", "NotFoundError: /tmp/x; No such file or directory"))
    assert "A.a" in results.read(events, 0, 1).failed


def test_regressions_and_repairs() -> None:
    before = {"m": FileResult(passed=3, failed={"A.a": "x"}), "n": FileResult(passed=1)}
    now = {"m": FileResult(passed=3, failed={"A.b": "y"}), "n": FileResult(passed=0)}
    assert results.regressions(now, before) == ["m A.b: y", "n: 0 tests pass, 1 did"]
    assert results.repairs(now, before) == ["m A.a"]
    assert not results.regressions(before, before)


def test_the_record_reads_as_it_was_written() -> None:
    styles = {"tf1": {"m": FileResult(passed=2, failed={"A.a": "x"}, seconds=4), "n": FileResult(absent={"B.b": "y"})}}
    text = results.to_json(styles, {"python": "3.11.0"})
    assert results.from_json(text) == styles
    assert json.loads(text)["tf1"]["totals"] == {"ran": 3, "passed": 2, "failed": 1, "skipped": 0, "absent": 1}
