"""An error is one line that names its place; every kind has its exit code; many problems are shown in part."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfod_tools.base import errors
from tfod_tools.base.errors import AnnotationError, MissingPackageError, Problems, TfodError

EXIT_CODES = {
    "TfodError": 2,
    "AnnotationError": 2,
    "ImageError": 2,
    "LabelMapError": 2,
    "RecordError": 2,
    "ConfigError": 2,
    "OutputError": 2,
    "CheckpointError": 2,
    "Problems": 2,
    "UsageError": 1,
    "MissingPackageError": 1,
    "EngineError": 4,
    "Interrupted": 130,
}


def kinds() -> dict[str, type[TfodError]]:
    """Every error that the module defines, by name."""
    found = (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TfodError))
    return {kind.__name__: kind for kind in found}


def numbered(count: int) -> list[TfodError]:
    return [AnnotationError(f"box {number} is flat.", path="a.xml", line=number) for number in range(1, count + 1)]


def test_exit_codes() -> None:
    assert {name: kind.exit_code for name, kind in kinds().items()} == EXIT_CODES


@pytest.mark.parametrize("name", EXIT_CODES)
def test_the_tree_in_the_docstring_names_every_error(name: str) -> None:
    assert f" {name} " in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("path", "line", "expected"),
    [
        (None, None, "is flat."),
        ("a.xml", None, "a.xml: is flat."),
        ("a.xml", 14, "a.xml:14: is flat."),
        (Path("voc") / "a.xml", 1, "voc/a.xml:1: is flat."),
        (None, 14, "is flat."),
    ],
)
def test_the_place_comes_first(path: Path | str | None, line: int | None, expected: str) -> None:
    error = AnnotationError("is flat.", path=path, line=line)
    assert str(error) == expected
    assert (error.message, error.path, error.line) == ("is flat.", path, line)


@pytest.mark.parametrize("message", ["two\nlines", " two \r\n\t lines\n", "two lines"])
def test_a_message_is_one_line(message: str) -> None:
    assert str(TfodError(message)) == "two lines"


def test_a_missing_package_says_what_to_install() -> None:
    assert str(MissingPackageError("tf2onnx", "onnx")) == (
        "tf2onnx is not installed. Run: pip install 'tfod-tools[onnx]'"
    )


@pytest.mark.parametrize(("count", "more"), [(1, []), (20, []), (21, ["... and 1 more"]), (500, ["... and 480 more"])])
def test_twenty_problems_are_shown_and_the_rest_counted(count: int, more: list[str]) -> None:
    shown = [f"a.xml:{number}: box {number} is flat." for number in range(1, min(count, 20) + 1)]
    assert str(Problems(numbered(count))).splitlines() == shown + more
    assert str(Problems(numbered(count), advice="Correct them.")).splitlines() == [*shown, *more, "Correct them."]


def flat(path: str, line: int) -> TfodError:
    return AnnotationError("is flat.", path=path, line=line)


def test_equal_messages_share_a_line() -> None:
    """That of the first of them, wherever the others are; its place is not part of the message."""
    problems = [flat("a.xml", 14), AnnotationError("is empty.", path="b.xml"), flat("a.xml", 20), flat("c.xml", 1)]
    assert str(Problems(problems, advice="Correct them.")).splitlines() == [
        "a.xml:14: is flat. (and 2 more like this)",
        "b.xml: is empty.",
        "Correct them.",
    ]


def test_twenty_different_messages_are_shown_and_the_problems_counted() -> None:
    """An often repeated one takes no other's place, and what is left out counts each time."""
    often = [flat("b.xml", line) for line in range(1000)]
    lines = str(Problems([*often, *numbered(21), *numbered(21)])).splitlines()
    assert lines[0] == "b.xml:0: is flat. (and 999 more like this)"
    assert lines[1:20] == [f"a.xml:{n}: box {n} is flat. (and 1 more like this)" for n in range(1, 20)]
    assert lines[20:] == ["... and 4 more"]


def test_no_problem_is_forgotten() -> None:
    problems = numbered(30)
    assert list(Problems(iter(problems)).problems) == problems
