"""Installs the engine with a chosen TensorFlow into the Python environment of this process."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

from tfod_tools.base import output
from tfod_tools.base.errors import EngineError, UsageError
from tfod_tools.engine import versions

Command = tuple[str, ...]


def plan(version: str, python: int = sys.version_info[1]) -> tuple[Command, Command]:
    """The two pip commands that install the engine's packages for TensorFlow `version` on Python 3.`python`.

    Raises:
      UsageError: the version is not supported, or has no build for that Python.
    """
    release = versions.find(version)
    if reason := versions.impossible(release, python):
        raise UsageError(reason)
    pip = (sys.executable, "-m", "pip", "install")
    return (*pip, *versions.resolved(release)), (*pip, "--no-deps", *versions.alone(release))


def run(commands: tuple[Command, ...]) -> None:
    """Runs the pip commands. What pip prints goes to the terminal; with `--json` or `--quiet`, to standard error.

    Raises:
      UsageError: there is no pip.
      EngineError: pip stopped with an error. It has printed the reason.
    """
    if importlib.util.find_spec("pip") is None:
        raise UsageError("this Python has no pip. Run: python -m ensurepip")
    for command in commands:
        out = None if output.mode() == "text" else sys.stderr
        status = subprocess.run(command, stdout=out, check=False).returncode
        if status:
            raise EngineError(f"pip stopped with status {status}. Its message is above.")
