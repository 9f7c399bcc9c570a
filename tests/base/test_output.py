"""What a command prints with and without --json and --quiet, and names that hold control characters."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tfod_tools.base import output


@pytest.fixture(autouse=True)
def _text_again() -> Iterator[None]:
    yield
    output.set_mode("text")


@pytest.mark.parametrize(
    ("mode", "out", "err"),
    [("text", "a line\n", "a warning\n"), ("json", '{\n  "boxes": 3\n}\n', "a warning\n"), ("quiet", "", "")],
)
def test_what_goes_where(capsys: pytest.CaptureFixture[str], mode: output.Mode, out: str, err: str) -> None:
    output.set_mode(mode)
    output.say("a line")
    output.warn("a warning")
    output.answer({"boxes": 3})
    assert capsys.readouterr() == (out, err)


def test_the_next_command_can_be_pasted() -> None:
    assert output.next_command("evaluate", "my model") == "Next: tfod evaluate 'my model'"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cat", "cat"),
        ("Bäume 犬\tand\nmore", "Bäume 犬\tand\nmore"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\rb\x7f\x9b", "a\\x0db\\x7f\\x9b"),
        ("\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"),
        ("\udcff.jpg", "\\udcff.jpg"),
    ],
)
def test_names_do_not_command_the_terminal(text: str, shown: str) -> None:
    assert output.printable(text) == shown
    json.dumps(shown).encode()
