"""A live line on a terminal, whole lines in a log, and no bar where nobody watches."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tfod_tools.base import output, progress

ROOT = Path(__file__).parents[2]


def on_a_terminal(code: str) -> str:
    """What `code`, run in a child, writes to a standard error that is a terminal."""
    ours, theirs = pty.openpty()
    try:
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
        child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=theirs, env=environment)
    finally:
        os.close(theirs)
    written = b""
    with child:
        try:
            while chunk := os.read(ours, 4096):
                written += chunk
        except OSError:
            pass  # Linux's way to say that the other end is closed
        finally:
            os.close(ours)
    assert child.returncode == 0, written.decode()
    return written.decode()


def test_no_bar_without_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with progress.bar("Writing", 3) as advance:
        for _ in range(3):
            advance(1)
    assert capfd.readouterr() == ("", "")


def test_without_a_terminal_lines_are_whole_and_few(capfd: pytest.CaptureFixture[str]) -> None:
    """The first text at once; of a thousand that follow in a moment, the last and hardly any other."""
    texts = [f"step {number}" for number in range(1000)]
    with progress.line() as show:
        for text in texts:
            show(text)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.endswith("\n")
    lines = err.splitlines()
    assert lines[0] == "step 0"
    assert lines[-1] == "step 999"
    assert set(lines) < set(texts)
    assert lines == sorted(lines, key=texts.index)


def test_without_a_terminal_no_text_is_printed_twice(capfd: pytest.CaptureFixture[str]) -> None:
    with progress.line() as show:
        show("step 1")
    with progress.line():
        pass
    assert capfd.readouterr().err == "step 1\n"


@pytest.mark.parametrize("mode", ["json", "quiet"])
def test_nothing_in_a_log_of_a_program(mode: output.Mode, capfd: pytest.CaptureFixture[str]) -> None:
    output.set_mode(mode)
    try:
        with progress.line() as show, progress.bar("Writing", 3) as advance:
            show("step 1")
            advance(3)
    finally:
        output.set_mode("text")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("mode", "shown"), [("json", True), ("quiet", False)])
def test_a_terminal_shows_progress_beside_json(mode: str, shown: bool) -> None:
    written = on_a_terminal(
        f"from tfod_tools.base import output, progress\noutput.set_mode({mode!r})\n"
        "with progress.line() as show: show('step 1')\n"
        "with progress.bar('Writing', 3) as advance: advance(3)"
    )
    assert ("step 1" in written) == ("Writing" in written) == shown


def test_a_name_in_the_line_does_not_command_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with progress.line() as show:
        show("\x1b[31mred.jpg")
    assert capfd.readouterr().err == "\\x1b[31mred.jpg\n"
    code = "from tfod_tools.base import progress\nwith progress.line() as show: show('\\x1b[31mred.jpg')"
    assert on_a_terminal(code) == "\r\x1b[2K\\x1b[31mred.jpg\r\n"


def test_a_bar_on_a_terminal() -> None:
    code = "from tfod_tools.base import progress\nwith progress.bar('Writing', 3) as advance: advance(2), advance(1)"
    written = on_a_terminal(code)
    assert "Writing" in written
    assert "3/3" in written


def test_a_line_on_a_terminal_replaces_itself() -> None:
    code = "from tfod_tools.base import progress\nwith progress.line() as show: show('step 1'), show('step 2')"
    written = on_a_terminal(code)
    assert written.split("\r\x1b[2K") == ["", "step 1", "step 2\r\n"]


def test_a_line_fits_the_terminal() -> None:
    """A line that wraps would be left behind by the next one."""
    code = "from tfod_tools.base import progress\nwith progress.line() as show: show('x' * 500)"
    assert 50 < on_a_terminal(code).count("x") < 100


@pytest.mark.parametrize("shown", ["bar('Writing', 3)", "line()"])
def test_an_error_leaves_the_terminal_on_a_new_line(shown: str) -> None:
    written = on_a_terminal(
        "import sys\nfrom tfod_tools.base import progress\n"
        f"try:\n    with progress.{shown}: raise ValueError\n"
        "except ValueError: print('after', file=sys.stderr)"
    )
    assert written.endswith("\nafter\r\n") or "\x1b[2Kafter" in written
