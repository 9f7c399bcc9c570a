"""Every command answers `--help` at once: nothing slow is loaded for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from contracts import sources

from tfod_tools.__main__ import commands

SLOW = ("tensorflow", "numpy", "PIL", "object_detection", "pandas", "polars", "google.protobuf", "rich", "lxml")

# Runs a module as `python -m` does, then tells which modules are loaded.
CODE = """
import atexit, json, runpy, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def loaded(folder: Path, *words: str) -> set[str]:
    """The modules that a fresh process has loaded at the end of `python -m <words>`."""
    environment = {**os.environ, "PYTHONPATH": str(sources.ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", CODE, *words],
        cwd=folder, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout
    # Without the last line, standard error is what the command wrote.
    *written, modules = done.stderr.splitlines()
    assert not written
    return set(json.loads(modules))


@pytest.mark.parametrize("command", commands())
def test_help_loads_nothing_slow(tmp_path: Path, command: str) -> None:
    assert not loaded(tmp_path, f"tfod_tools.{command}", "--help") & set(SLOW)
    assert not any(tmp_path.iterdir())


def test_the_list_of_commands_loads_no_command(tmp_path: Path) -> None:
    modules = loaded(tmp_path, "tfod_tools")
    assert not modules & {*SLOW, "absl", *(f"tfod_tools.{command}" for command in commands())}
