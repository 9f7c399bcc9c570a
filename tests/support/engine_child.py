"""Runs a piece of Python in a child process that has the shims of a style."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(
    style: str, code: str, *, without: Collection[str] = (), timeout_s: float = 300
) -> subprocess.CompletedProcess[str]:
    """The finished child. `code` runs after the shims of `style` were applied, except those in `without`."""
    prelude = f"from tfod_tools.engine import shims\nshims.apply({style!r}, without={list(without)!r})\n"
    return subprocess.run(
        [sys.executable, "-c", prelude + code],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONPATH": str(ROOT)},
        check=False,
    )
