"""How a command starts and ends: flags, help, errors, exit codes. Knows nothing about detection.

A command module has a docstring (its help), `FLAGS = app.Flags()`, and `main(args) -> int | None`. It ends with
`app.run(main, FLAGS, __doc__)` under `if __name__ == "__main__"`. Every command has `--json` and `--quiet`. It prints
only through `base.output`, which follows these two flags.

Exit codes: 0 fine, 1 usage, 2 bad input, 3 finished with skipped items, 4 the engine stopped with an error, 70 a bug
(with its traceback), 130 stopped by the user, 141 the reader of the output went away.
"""

from __future__ import annotations

import csv
import gc
import io
import os
import sys
import traceback
from collections.abc import Callable, Container, Sequence
from typing import NoReturn

from absl import flags

from tfod_tools.base import output
from tfod_tools.base.errors import Interrupted, Problems, TfodError, UsageError

SKIPPED_ITEMS = 3
_BUG = 70
_NO_READER = 141

_OF_ALL = ("json", "quiet", "overwrite")

Main = Callable[[Sequence[str]], "int | None"]


class Flags(flags.FlagValues):  # type: ignore[misc]
    """The flags of one command, including `--json` and `--quiet`."""

    def __init__(self, *arguments: str, writes: bool = False) -> None:
        """Defines the flags that all commands have.

        Args:
          arguments: flags whose names the user may leave out, in the order of their values. If the last one is a list,
            it takes all values that are left.
          writes: whether the command writes files that the user names. It then has `--overwrite`.
        """
        super().__init__()
        self.__dict__["arguments"] = arguments  # FlagValues takes a plain assignment as the value of a flag
        flags.DEFINE_bool("json", False, "Print one JSON document, for programs.", flag_values=self)
        flags.DEFINE_bool("quiet", False, "Print only errors.", flag_values=self)
        if writes:
            flags.DEFINE_bool("overwrite", False, "Replace files that exist already.", flag_values=self)


def run(main: Main, flag_values: flags.FlagValues, doc: str | None, argv: Sequence[str] | None = None) -> NoReturn:
    """Parses the flags, runs `main` with the other arguments, and exits with its exit code.

    Args:
      main: the command; `None` counts as 0.
      flag_values: the command's own flags.
      doc: the command's docstring, shown by `--help`.
      argv: program name and arguments. By default those of the process.
    """
    sys.exit(run_to_end(main, flag_values, doc, sys.argv if argv is None else argv))


def run_to_end(main: Main, flag_values: flags.FlagValues, doc: str | None, argv: Sequence[str]) -> int:
    """As `status`, in a process that ends with this command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A character that the terminal cannot show must not stop a command.
            stream.reconfigure(errors="backslashreplace")
    code = status(main, flag_values, doc, argv)
    # Before it ends, Python searches all objects for garbage several times. Only TensorFlow needs that.
    if "tensorflow" not in sys.modules:
        gc.freeze()
    return code


def status(main: Main, flag_values: flags.FlagValues, doc: str | None, argv: Sequence[str]) -> int:
    """Runs `main` with `argv` and returns the exit code. Errors that the user can correct are printed, one per line."""
    code = _NO_READER
    try:
        code = _status(main, flag_values, doc, argv)
        sys.stdout.flush()  # if the last output cannot be written, it fails here and not later
        return code
    except BrokenPipeError:
        # The reader of our output went away, as `| head` does. Nothing more can be printed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - Python exits with 1 after a crash: usage here
        known = _of_the_user(error)
        if known is None:
            traceback.print_exc()
            return _BUG
        _report(known)
        return known.exit_code


def _of_the_user(error: BaseException) -> TfodError | None:
    """The error as one that a user's input or machine can cause; None if it is a bug."""
    if isinstance(error, TfodError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Interrupted("Stopped.")
    if isinstance(error, OSError) and error.filename is not None:
        return TfodError(f"{error.strerror}. Check the path and its permissions.", path=error.filename)
    return None


def _status(main: Main, flag_values: flags.FlagValues, doc: str | None, argv: Sequence[str]) -> int:
    if any(argument in ("--help", "-help", "-h", "--helpfull") for argument in argv[1:]):
        print(f"{(doc or '').strip()}\n\nFlags:\n{_help(flag_values)}")
        return 0
    output.set_mode("json" if "--json" in argv[1:] else "text")  # before a wrong flag is reported
    try:
        arguments = flag_values([argv[0], *_named(flag_values, argv[1:])])[1:]
    except flags.Error as error:
        raise UsageError(f"{error} Run with --help to see every flag.") from error
    if isinstance(flag_values, Flags):
        output.set_mode("json" if flag_values.json else "quiet" if flag_values.quiet else "text")
    return main(arguments) or 0


def _help(flag_values: flags.FlagValues) -> str:
    """What each flag is for: the command's own flags in the order of definition, then those of all commands."""
    names = sorted(flag_values, key=lambda name: name in _OF_ALL)
    bare = getattr(flag_values, "arguments", ())
    return "\n".join(_help_of(flag_values[name], bare=name in bare) for name in names)


def _help_of(flag: flags.Flag, *, bare: bool) -> str:
    text = f"--{'[no]' if flag.boolean else ''}{flag.name}: {flag.help}"
    if bare:
        text += f" The name --{flag.name} may be left out."
    if flag.default is not None and flag.default is not False and flag.default not in ("", []):
        text += f" Default: {', '.join(flag.default) if isinstance(flag.default, list) else flag.default_unparsed}."
    return str(flags.text_wrap(text, indent="      ", firstline_indent="  "))


def _named(flag_values: flags.FlagValues, words: Sequence[str]) -> list[str]:
    """`words`, with the names of flags put before the values whose names were left out."""
    names = list(getattr(flag_values, "arguments", ()))
    found: list[str] = []
    rest: list[str] = []
    named = {word.lstrip("-").partition("=")[0] for word in words if word.startswith("-")}
    expects_value = False
    for number, word in enumerate(words):
        if word == "--":
            rest += words[number:]
            break
        if expects_value or word.startswith("-"):
            found.append(word)
            name = word.lstrip("-")
            expects_value = not expects_value and name in flag_values and not flag_values[name].boolean
        elif names and flag_values[names[0]].flag_type().startswith("comma separated") and len(names) == 1:
            rest.append(word)
        elif names:
            found.append(f"--{_once(names.pop(0), named, word)}={word}")
        else:
            rest.append(word)
    if names and rest and rest[0] != "--":
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(rest)  # as absl reads a list
        return [*found, f"--{_once(names[0], named, rest[0])}={line.getvalue()}"]
    return [*found, *rest]


def _once(name: str, named: Container[str], word: str) -> str:
    """`name`, the flag whose value is `word`; an error if the user gave this flag by its name too."""
    if name in named:
        raise UsageError(f"'{word}' is taken as --{name}, but --{name} is given too. Leave one of them out.")
    return name


def _report(error: TfodError) -> None:
    """Prints the error on standard error, one problem per line; with `--json` also as a document."""
    print(output.printable(str(error)), file=sys.stderr)
    problems = error.problems if isinstance(error, Problems) else [error]
    shown = [{"message": each.message, "path": each.path and str(each.path), "line": each.line} for each in problems]
    advice = error.advice if isinstance(error, Problems) else ""
    output.answer({"errors": shown, **({"advice": advice} if advice else {}), "exit_code": error.exit_code})


def no_arguments(arguments: Sequence[str]) -> None:
    """Raises UsageError if a command got an argument that it cannot use."""
    if arguments:
        raise UsageError(
            f"unexpected argument '{arguments[0]}'. Write flags as --name=value. Run with --help to see every flag."
        )
