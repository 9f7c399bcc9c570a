"""Runs one of upstream's test modules with the shims of a style, in a process of its own.

    python -m campaigns.upstream.child STYLE MODULE EVENTS

Writes one JSON line for each test to the file EVENTS as soon as the test has ended. So a crash or a time limit loses
only the tests that it hits. The output of the tests goes to the output of this process.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import sysconfig
import time
import traceback
import unittest
from pathlib import Path
from typing import Any, TextIO

from absl import flags
from campaigns.upstream import own_calls, unmarked

from tfod_tools.engine import shims


class Events(unittest.TestResult):
    """Writes the outcome of each test."""

    def __init__(self, out: TextIO) -> None:
        """Writes to `out`."""
        super().__init__()
        self._out = out
        self._started = time.monotonic()
        self._subtest_failed = False

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._started = time.monotonic()
        self._subtest_failed = False
        self._write(test, "started")

    def addSuccess(self, test: unittest.TestCase) -> None:
        if not self._subtest_failed:
            self._write(test, "passed")

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        self._write(test, "passed")

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        self._write(test, "failed", "passes, where upstream expects a failure")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        self._write(test, "skipped", reason)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        self._failed(test, err)

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        self._failed(test, err)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        if err is not None:
            self._subtest_failed = True
            self._failed(test, err)

    def _failed(self, test: unittest.TestCase, err: Any) -> None:
        print(f"---- {_name(test)}", file=sys.stderr)
        traceback.print_exception(*err)
        self._write(test, "failed", _summary(err[1]))

    def _write(self, test: unittest.TestCase, outcome: str, why: str = "") -> None:
        event = {"test": _name(test), "outcome": outcome, "seconds": round(time.monotonic() - self._started, 2)}
        self._out.write(json.dumps({**event, "why": why} if why else event) + "\n")
        self._out.flush()


def _name(test: unittest.TestCase) -> str:
    # The holder of an error in setUpClass is no test and has no method.
    method = getattr(test, "_testMethodName", None)
    return f"{type(test).__name__}.{method}" if method else str(test)


def _summary(error: BaseException) -> str:
    lines = [line.strip() for line in _without_folders(str(error)).splitlines() if line.strip()] or [""]
    # Where the engine's code was compiled, the reason comes after a traceback.
    line = lines[-1] if lines[0] == "in user code:" else lines[0]
    return f"{type(error).__name__}: {line[:200]}".rstrip(": ")


def _without_folders(text: str) -> str:
    """`text`, with paths relative to the packages' folder or to the current one."""
    for folder in (sysconfig.get_path("purelib"), str(Path.cwd())):
        text = text.replace(f"{folder}/", "")
    return text


def main(style: str, module: str, events: str) -> None:
    """Runs the tests of `module`."""
    temporary = Path("tmp").resolve()
    temporary.mkdir(exist_ok=True)
    os.environ["TEST_TMPDIR"] = str(temporary)
    with Path(events).open("w", encoding="utf-8") as out:
        report = Events(out)
        try:
            shims.apply(style)  # type: ignore[arg-type]
            own_calls.provide()
            tests = unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(module))
            flags.FLAGS([module])
        except Exception as error:  # noqa: BLE001 - any error of an import is the result of this file
            traceback.print_exc()
            out.write(json.dumps({"test": "import", "outcome": "failed", "why": _summary(error)}) + "\n")
            return
        if style == "tf1":
            unmarked.skip(tests)
        tests.run(report)


if __name__ == "__main__":
    main(*sys.argv[1:])
