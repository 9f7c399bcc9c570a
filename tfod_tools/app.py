"""How a command starts and ends: flags, help, one-line errors, exit codes. Knows nothing about detection.

A command module has a docstring (its help), a `FLAGS = flags.FlagValues()` of its own, and `main(args) -> int | None`.
It ends with `app.run(main, FLAGS, __doc__)` under `if __name__ == "__main__"`.

Exit codes: 0 fine, 1 usage, 2 bad input, 3 finished with skipped items, 4 the engine stopped with an error, 70 a bug,
with its traceback, 130 stopped by the user, 141 the reader of the output went away.
"""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

from absl import flags

from tfod_tools.base.errors import TfodError, UsageError

SKIPPED_ITEMS = 3
_BUG = 70
_NO_READER = 141

Main = Callable[[Sequence[str]], "int | None"]


def run(main: Main, flag_values: flags.FlagValues, doc: str | None, argv: Sequence[str] | None = None) -> NoReturn:
    """Parses the flags, runs `main` with the arguments that are left, and exits with its status.

    Args:
      main: the command; `None` counts as 0.
      flag_values: the command's own flags.
      doc: the command's docstring, shown by `--help`.
      argv: program name and arguments; those of the process by default.
    """
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
        print(error, file=sys.stderr)
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
        # The first line names the module, which is a path where it runs as a program.
        of_each_flag = flag_values.get_help(include_special_flags=False).lstrip("\n").partition("\n")[2]
        print(f"{(doc or '').strip()}\n\nFlags:\n{of_each_flag}")
        return 0
    try:
        arguments = flag_values(list(argv))[1:]
    except flags.Error as error:
        raise UsageError(f"{error} Run with --help to see every flag.") from error
    return main(arguments) or 0


def no_arguments(arguments: Sequence[str]) -> None:
    """Raises UsageError when a command that takes only flags was given something else."""
    if arguments:
        raise UsageError(f"unexpected argument '{arguments[0]}'. Flags are written --name=value; see --help.")
