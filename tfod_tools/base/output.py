"""What a command prints: lines for people, one JSON document for programs (`--json`), or only errors (`--quiet`)."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from typing import Any, Literal

Mode = Literal["text", "json", "quiet"]

# Characters that change the direction of text. They are escaped like the control characters of ASCII and Latin-1.
_DIRECTIONS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_ESCAPES = {
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for code in (*range(32), *range(127, 160), *_DIRECTIONS)
    if chr(code) not in "\n\t"
}

_mode: Mode = "text"


def set_mode(mode: Mode) -> None:
    """Sets what is printed from now on."""
    global _mode
    _mode = mode


def mode() -> Mode:
    """What is printed."""
    return _mode


def say(*lines: object) -> None:
    """Prints lines for people on standard output; nothing with `--json` or `--quiet`."""
    if _mode == "text":
        for line in lines:
            print(printable(str(line)))


def warn(*lines: object) -> None:
    """Prints lines on standard error, separate from what a program reads; nothing with `--quiet`."""
    if _mode != "quiet":
        for line in lines:
            print(printable(str(line)), file=sys.stderr)


def error(*lines: object) -> None:
    """Prints errors on standard error, also with `--quiet`. For a command that goes on after them."""
    for line in lines:
        print(printable(str(line)), file=sys.stderr)


def answer(document: Mapping[str, Any]) -> None:
    """With `--json`, prints the whole answer of a command as one document on standard output; else nothing."""
    if _mode == "json":
        print(json.dumps(document, indent=2))


def next_command(command: str, *words: str) -> str:
    """The line that names the command to run next, ready to paste: `Next: tfod evaluate model`."""
    return f"Next: {shlex.join(('tfod', command, *words))}"


def printable(text: str) -> str:
    """`text` with escapes in place of control characters: a name from a file must not control the terminal.

    Line ends and tabs stay. The surrogates of file names that cannot be decoded become escapes too.
    """
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_ESCAPES).encode("utf-8", "backslashreplace").decode("utf-8")
