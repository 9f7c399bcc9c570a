"""How a command starts and ends: flags, help, one-line errors, exit codes. Knows nothing about detection.

A command module has a docstring (its help), `FLAGS = app.Flags()`, and `main(args) -> int | None`. It ends with
`app.run(main, FLAGS, __doc__)` under `if __name__ == "__main__"`. Every command has `--json` and `--quiet`; what it has
to say goes through `base.output`, which heeds them.

Exit codes: 0 fine, 1 usage, 2 bad input, 3 finished with skipped items, 4 the engine stopped with an error, 70 a bug,
with its traceback, 130 stopped by the user, 141 the reader of the output went away.
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
from tfod_tools.base.errors import Problems, TfodError, UsageError

SKIPPED_ITEMS = 3
_BUG = 70
_NO_READER = 141

_OF_ALL = ("json", "quiet", "overwrite")

Main = Callable[[Sequence[str]], "int | None"]


class Flags(flags.FlagValues):  # type: ignore[misc]
    """The flags of one command, `--json` and `--quiet` among them."""

    def __init__(self, *arguments: str, writes: bool = False) -> None:
        """Defines the flags that all commands have.

        Args:
          arguments: names of flags whose values may stand without a name, in this order; the last one may be a list,
            which takes all that are left.
          writes: whether the command writes files that the user names, and so has `--overwrite`.
        """
        super().__init__()
        self.__dict__["arguments"] = arguments  # FlagValues takes any other assignment for that of a flag
        flags.DEFINE_bool("json", False, "Print one JSON document, for programs.", flag_values=self)
        flags.DEFINE_bool("quiet", False, "Print errors only.", flag_values=self)
        if writes:
            flags.DEFINE_bool("overwrite", False, "Replace files that are there already.", flag_values=self)


def run(main: Main, flag_values: flags.FlagValues, doc: str | None, argv: Sequence[str] | None = None) -> NoReturn:
    """Parses the flags, runs `main` with the arguments that are left, and exits with its status.

    Args:
      main: the command; `None` counts as 0.
      flag_values: the command's own flags.
      doc: the command's docstring, shown by `--help`.
      argv: program name and arguments; those of the process by default.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a character that the terminal lacks must not stop a command
    code = status(main, flag_values, doc, sys.argv if argv is None else argv)
    # On its way out Python searches all objects for garbage, again and again. Only TensorFlow's may wait for that.
    if "tensorflow" not in sys.modules:
        gc.freeze()
    sys.exit(code)


def status(main: Main, flag_values: flags.FlagValues, doc: str | None, argv: Sequence[str]) -> int:
    """The exit code of running `main` with `argv`; errors of the user's making are printed as one line each."""
    code = _NO_READER
    try:
        code = _status(main, flag_values, doc, argv)
        sys.stdout.flush()  # what is still held back fails here, and not on the way out
        return code
    except TfodError as error:
        _tell(error)
        return error.exit_code
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output went away, as `| head` does; nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return code
    except OSError as error:
        if error.filename is None:
            traceback.print_exc()
            return _BUG
        print(f"{error.filename}: {error.strerror}. Check the path and its permissions.", file=sys.stderr)
        return TfodError.exit_code
    except Exception:  # noqa: BLE001 - Python's own status for a crash is 1, which means usage here
        traceback.print_exc()
        return _BUG


def _status(main: Main, flag_values: flags.FlagValues, doc: str | None, argv: Sequence[str]) -> int:
    if any(argument in ("--help", "-help", "-h", "--helpfull") for argument in argv[1:]):
        print(f"{(doc or '').strip()}\n\nFlags:\n{_help(flag_values)}")
        return 0
    output.set_mode("text")
    try:
        arguments = flag_values([argv[0], *_named(flag_values, argv[1:])])[1:]
    except flags.Error as error:
        raise UsageError(f"{error} Run with --help to see every flag.") from error
    if isinstance(flag_values, Flags):
        output.set_mode("json" if flag_values.json else "quiet" if flag_values.quiet else "text")
    return main(arguments) or 0


def _help(flag_values: flags.FlagValues) -> str:
    """What each flag is for: those of the command in the order of their definition, then those of all commands."""
    names = sorted(flag_values, key=lambda name: name in _OF_ALL)
    return "\n".join(_help_of(flag_values[name]) for name in names)


def _help_of(flag: flags.Flag) -> str:
    text = f"--{'[no]' if flag.boolean else ''}{flag.name}: {flag.help}"
    if flag.default is not None and flag.default is not False and flag.default not in ("", []):
        text += f" Default: {', '.join(flag.default) if isinstance(flag.default, list) else flag.default_unparsed}."
    return str(flags.text_wrap(text, indent="      ", firstline_indent="  "))


def _named(flag_values: flags.FlagValues, words: Sequence[str]) -> list[str]:
    """`words`, with the names of flags before those that stand without, as far as the command takes such."""
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
    """The name of the flag whose value stands without one, unless the flag is named as well."""
    if name in named:
        raise UsageError(f"'{word}' stands where --{name} may stand without its name, and --{name} is given too.")
    return name


def _tell(error: TfodError) -> None:
    """Prints the error: a line each on standard error; with `--json` also as a document."""
    print(output.printable(str(error)), file=sys.stderr)
    problems = error.problems if isinstance(error, Problems) else [error]
    shown = [{"message": each.message, "path": each.path and str(each.path), "line": each.line} for each in problems]
    output.answer({"errors": shown, "exit_code": error.exit_code})


def no_arguments(arguments: Sequence[str]) -> None:
    """Raises UsageError when a command that takes only flags was given something else."""
    if arguments:
        raise UsageError(f"unexpected argument '{arguments[0]}'. Flags are written --name=value; see --help.")
