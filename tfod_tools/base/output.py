"""What a command says: lines for people, one JSON document for programs (`--json`), or errors alone (`--quiet`)."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Literal

Mode = Literal["text", "json", "quiet"]

# Besides the control characters of ASCII and Latin-1: those that turn the direction of text.
_DIRECTIONS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_ESCAPES = {
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for code in (*range(32), *range(127, 160), *_DIRECTIONS)
    if chr(code) not in "\n\t"
}

_mode: Mode = "text"


def set_mode(mode: Mode) -> None:
    """Chooses what is printed from now on."""
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
    """Prints lines on standard error, where they stay out of what a program reads; nothing with `--quiet`."""
    if _mode != "quiet":
        for line in lines:
            print(printable(str(line)), file=sys.stderr)


def error(*lines: object) -> None:
    """Prints errors on standard error, also with `--quiet`. For a command that goes on after them."""
    for line in lines:
        print(printable(str(line)), file=sys.stderr)


def answer(document: Mapping[str, Any]) -> None:
    """With `--json`, prints the whole answer of a command: one document, on standard output; else nothing."""
    if _mode == "json":
        print(json.dumps(document, indent=2))


def printable(text: str) -> str:
    """`text` with control characters as escapes: a name in a file must not command the terminal.

    Line ends and tabs stay. Halves of characters, as undecodable file names have them, become escapes too.
    """
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_ESCAPES).encode("utf-8", "backslashreplace").decode("utf-8")
