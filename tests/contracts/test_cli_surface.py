"""Every flag of every command is listed in flags.txt, so that a new one, or a changed one, is seen in review."""

from __future__ import annotations

import difflib
from pathlib import Path

from absl import flags

from tfod_tools.__main__ import commands, load

LISTING = Path(__file__).with_name("flags.txt")


def surface() -> list[str]:
    """One line a flag, `command --flag: type = default`, by command and then in the order of their definition."""
    values = {command: load(command).FLAGS for command in sorted(commands())}
    return [
        f"{command} --{name}: {_type(flags_of[name])}{_default(flags_of[name])}"
        for command, flags_of in values.items()
        for name in flags_of
    ]


def _type(flag: flags.Flag) -> str:
    choices = getattr(flag, "enum_values", None) or getattr(flag.parser, "enum_values", None)
    return f"{flag.flag_type()} of {'|'.join(choices)}" if choices else flag.flag_type()


def _default(flag: flags.Flag) -> str:
    # What `required=True` leaves behind, whatever value the flag has got since.
    if any("must have a value other than None" in validator.message for validator in flag.validators):
        return ", required"
    return "" if flag.default is None else f" = {flag.default!r}"


def test_every_flag_is_listed() -> None:
    """If the change is meant, make it in flags.txt as well."""
    listed = LISTING.read_text(encoding="utf-8").splitlines()
    changes = list(difflib.unified_diff(listed, surface(), "flags.txt", "the commands", lineterm="", n=0))
    assert not changes, "\n".join(changes)


def test_every_command_can_be_asked_what_it_would_do() -> None:
    assert all(any(line.startswith(f"{command} --dry_run: bool") for line in surface()) for command in commands())


def test_every_flag_says_what_it_is_for() -> None:
    for command in commands():
        values = load(command).FLAGS
        assert [name for name in values if not (values[name].help or "").strip()] == []
