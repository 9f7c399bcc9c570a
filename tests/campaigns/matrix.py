"""Tries the table of versions: installs each TensorFlow on each Python of this machine, and makes a frozen graph.

    make matrix [ARGS="2.17.1/3.12 ..."]

Each pair is tried in an environment of its own, which is removed afterwards. It is installed by the plan of `tfod
engine --install` (with uv, which keeps its downloads), then tests/support/smoke.py runs in it. After each pair, the
result is written to tests/engine/matrix.json. A pair that worked with the same shims is not tried again, unless it is
named.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tfod_tools.base import tables
from tfod_tools.engine import versions
from tfod_tools.engine.versions import Release

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "tests" / "engine" / "matrix.json"
_SMOKE_LIMIT_S = 3600


def main(wanted: list[str]) -> int:
    """Tries the named pairs, or all that did not work yet. Returns 1 if one failed."""
    pairs = {f"{release.tensorflow}/3.{python}": (release, python) for release, python in versions.pairs()}
    if unknown := set(wanted) - set(pairs):
        print(f"No such pair: {', '.join(sorted(unknown))}. Known: {', '.join(pairs)}", file=sys.stderr)
        return 1
    for name in wanted or [name for name in pairs if not is_done(name)]:
        if result := outcome(*pairs[name]):
            write({**read(), name: result})
            print(f"{name}: {result['outcome']}", file=sys.stderr, flush=True)
    recorded = read()
    rows = [
        [f"{release.tensorflow}", *(_cell(recorded.get(f"{release.tensorflow}/3.{python}")) for python in _pythons())]
        for release in versions.RELEASES
    ]
    print(*tables.lines(["TensorFlow", *(f"Python 3.{python}" for python in _pythons())], rows), sep="\n")
    return int(any(result["outcome"] == "failed" for result in recorded.values()))


def is_done(pair: str) -> bool:
    """Whether a pair works, or cannot exist, with the present shims."""
    recorded = read().get(pair, {"outcome": "failed"})
    return recorded["outcome"] != "failed" and recorded["shims_hash"] == shims_hash()


def outcome(release: Release, python: int) -> dict[str, Any] | None:
    """The result of a pair; None if this machine has no such Python."""
    if reason := versions.impossible(release, python):
        return {"outcome": "cannot be had", "why": reason, "shims_hash": shims_hash()}
    interpreter = find_python(python)
    if interpreter is None:
        print(f"Python 3.{python} is not installed here.", file=sys.stderr)
        return None
    started, before = time.monotonic(), shims_hash()
    with tempfile.TemporaryDirectory(prefix="tfod-matrix-") as folder:
        try:
            environment = install(release, interpreter, Path(folder))
            said = _run([environment, "-m", "support.smoke"], ROOT / "tests", timeout=_SMOKE_LIMIT_S)
            result = {"outcome": "ok", **json.loads(said.splitlines()[-1])}
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            result = {"outcome": "failed", "why": str(error.stdout or error)[-600:]}
    return {**result, "seconds": round(time.monotonic() - started), "shims_hash": before}


def install(release: Release, interpreter: str, folder: Path) -> str:
    """Makes an environment in `folder` with this package and what the installer installs; returns its Python."""
    uv, python = _uv(), str(folder / "venv" / "bin" / "python")
    _run([uv, "venv", "--quiet", "--python", interpreter, str(folder / "venv")], folder)
    pip = [uv, "pip", "install", "--quiet", "--python", python]
    # Not from the project's folder: the settings of uv in pyproject.toml are for the lock.
    _run([*pip, "--editable", str(ROOT), *versions.resolved(release)], folder)
    _run([*pip, "--no-deps", *versions.alone(release)], folder)
    return python


def find_python(python: int) -> str | None:
    """An interpreter of Python 3.`python` on this machine; pyenv is searched too."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    if kept := sorted(pyenv.glob(f"3.{python}.*/bin/python")):
        return str(kept[-1])
    command = [_uv(), "python", "find", "--no-python-downloads", "--no-project", f"3.{python}"]
    found = subprocess.run(command, cwd=tempfile.gettempdir(), capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def shims_hash() -> str:
    """A hash of the shims and the table of versions."""
    engine, total = ROOT / "tfod_tools" / "engine", hashlib.sha256()
    for path in [engine / "versions.py", *sorted((engine / "shims").rglob("*.py"))]:
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


def read() -> dict[str, Any]:
    """The recorded result of each pair."""
    return json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}


def write(results: dict[str, Any]) -> None:
    """Records the pairs in the order of the table."""
    names = [f"{release.tensorflow}/3.{python}" for release, python in versions.pairs()]
    ordered = {name: results[name] for name in names if name in results}
    RECORD.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


def _run(command: list[str], folder: Path, timeout: float = 1800) -> str:
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True, timeout=timeout,
        env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    return done.stdout


def _uv() -> str:
    return (
        shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])) or "uv"
    )


def _pythons() -> range:
    return range(versions.PYTHONS[0], versions.PYTHONS[1] + 1)


def _cell(result: dict[str, Any] | None) -> str:
    if result is None:
        return "not tried"
    return f"ok ({result['seconds']} s)" if result["outcome"] == "ok" else result["outcome"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m campaigns.matrix")
    parser.add_argument("pairs", nargs="*", help="such as 2.17.1/3.12 (default: all that did not work yet)")
    sys.exit(main(parser.parse_args().pairs))
