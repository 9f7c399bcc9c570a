"""How an entry talks to the command that started it: events on standard output, signals, exit codes."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from absl import flags, logging

from tfod_tools.base.engine_process import ENDS_WITH_STDIN
from tfod_tools.base.errors import EngineError, Interrupted, MissingPackageError, TfodError, UsageError


class Channel:
    """Sends events as JSON lines on the standard output of the process.

    Everything that the engine prints goes to standard error, so that it cannot mix with the events.
    """

    def __init__(self) -> None:
        """Keeps standard output for the events."""
        self._out = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
        os.dup2(2, 1)
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]

    def send(self, event: str, **fields: Any) -> None:
        """Sends one event. A number that is not finite arrives as null."""
        self._out.write(json.dumps({"event": event, **fields}) + "\n")
        self._out.flush()


def serve(main: Callable[[Channel], None], flag_values: flags.FlagValues) -> NoReturn:
    """Runs an entry: parses its flags, runs `main`, reports errors as events, and exits.

    The exit codes are those of the commands. An exception of the engine is reported in one line as an EngineError. Its
    traceback is in the log.
    """
    channel = Channel()
    # Without this, TensorFlow and lvis each add a handler, and each line of the log appears several times.
    logging.use_absl_handler()
    _end_with_parent()
    try:
        flag_values(sys.argv)
        main(channel)
        status = 0
    except TfodError as error:
        channel.send("error", message=str(error))
        status = error.exit_code
    except flags.Error as error:
        channel.send("error", message=str(error))
        status = UsageError.exit_code
    except KeyboardInterrupt:
        channel.send("error", message="Stopped.")
        status = Interrupted.exit_code
    except ModuleNotFoundError as error:
        traceback.print_exc()
        missing = MissingPackageError((error.name or str(error)).partition(".")[0], "train")
        channel.send("error", message=str(missing))
        status = missing.exit_code
    except Exception as error:  # noqa: BLE001 - the boundary: the engine may raise anything
        traceback.print_exc()
        channel.send("error", message=f"the engine stopped with {_summary(error)}")
        status = EngineError.exit_code
    sys.stdout.flush()
    sys.stderr.flush()
    # TensorFlow's own threads can keep a finished process alive or crash it on the way out.
    os._exit(status)


def stop_requests() -> threading.Event:
    """An event that SIGINT and SIGTERM set from now on. For entries that save something before they end."""
    requested = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: requested.set())
    return requested


def _end_with_parent() -> None:
    """Ends this process at once when standard input closes, which happens when the parent process ends.

    Does so only when a command started this process: under a batch system, standard input means nothing.
    """
    if not os.environ.get(ENDS_WITH_STDIN):
        return

    def watch() -> None:
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _summary(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}{' ...' if len(text) > 300 else ''}"
