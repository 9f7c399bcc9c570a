"""Tables line up, and come out as plain text where they are not read on a terminal."""

from __future__ import annotations

import pytest

from tfod_tools.base import tables


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """The surroundings that the expected text is for, whatever those of the tests are."""
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def shown(capsys: pytest.CaptureFixture[str], columns: list[str], rows: list[tuple[object, ...]]) -> list[str]:
    tables.show(columns, rows)
    out, err = capsys.readouterr()
    assert err == ""
    return [line.rstrip() for line in out.splitlines()]


def test_numbers_to_the_right_and_names_to_the_left(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[tuple[object, ...]] = [("ball", 7, 0.51249, 1.0), ("bar", 1234, None, 0.0)]
    header, _, *lines = shown(capsys, ["class", "objects", "AP", "AP50"], rows)
    assert header.split() == ["class", "objects", "AP", "AP50"]
    assert [line.split() for line in lines] == [["ball", "7", "0.512", "1.000"], ["bar", "1234", "-", "0.000"]]
    assert [line.index(name) for line, name in zip(lines, ("ball", "bar"), strict=True)] == [0, 0]
    assert lines[0].index("7") == lines[1].index("1234") + 3
    assert lines[0].index("0.512") + 4 == lines[1].index("-")


def test_a_column_with_a_word_in_it_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    header, _, first, second = shown(capsys, ["value"], [(12345678,), ("many",)])
    assert (header, first, second) == ("value", "12345678", "many")


@pytest.mark.parametrize("name", ["[red]not markup[/red]", ":car:", "a[0]", "[/]", "Größe", "猫"])
def test_names_are_shown_as_they_are(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert shown(capsys, ["class", "objects"], [(name, 1)])[2].split("  ")[0].strip() == name


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE"])
def test_no_colours(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Whatever the surroundings ask for: the lines may go into a file."""
    monkeypatch.setenv(name, "1")
    assert "\x1b" not in "".join(shown(capsys, ["class", "AP"], [("ball", 0.5)]))


def test_lines_are_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    columns, rows = ["class", "AP"], [("ball", 0.5), ("bar", None)]
    assert tables.lines(columns, rows) == shown(capsys, columns, rows)
    assert all(line == line.rstrip() for line in tables.lines(columns, rows))


def test_a_name_does_not_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, ["class"], [("\x1b[31mred",)])[2] == "\\x1b[31mred"


def test_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, ["class", "AP"], [])[0].split() == ["class", "AP"]


def test_nothing_is_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/".join(f"folder{number}" for number in range(30))
    lines = shown(capsys, ["stage", "result"], [("export", path)])
    assert "".join(line.removeprefix("export").strip() for line in lines[2:]) == path
    assert all(len(line) <= 80 for line in lines)


def test_long_text_goes_on_in_the_next_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a space where there is one; the other columns keep their width."""
    monkeypatch.setenv("COLUMNS", "32")
    text = "ended with status 1 after three attempts"
    lines = shown(capsys, ["stage", "seconds", "result"], [("train", 12, text), ("export", 3, "done")])
    assert lines == [
        "stage    seconds   result",
        "─" * 32,
        "train         12   ended with",
        "                   status 1",
        "                   after three",
        "                   attempts",
        "export         3   done",
    ]


def test_wide_characters_take_two_columns(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    rows: list[tuple[object, ...]] = [("猫犬" * 5, 1), ("e\u0301", 22)]
    assert shown(capsys, ["class", "n"], rows)[2:] == ["猫犬猫犬猫犬猫     1", "犬猫犬", "e\u0301" + " " * 17 + "22"]
