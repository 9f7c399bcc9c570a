"""Show the engine: the installed packages, the styles that work here, and the shims that they need.

    tfod engine

With --install, pip installs the engine's packages for the given TensorFlow into the Python environment that runs this
command. A TensorFlow that does not exist for this Python is refused before anything is downloaded:

    tfod engine --install=2.20 [--dry_run]

If TFOD_ENGINE names a checkout of tensorflow/models, all commands use it in the place of the package from PyPI.

--json prints `packages` (package, installed, tested), `verdict`, `engine`, and `styles` (style, works, error, shims);
with --install, `commands`, the words of each pip command.

Exit codes: 0 both styles work, or installed; 1 usage, no such TensorFlow, or TFOD_ENGINE is no checkout; 2 its protos
cannot be compiled; 4 a style does not work, or pip stopped with an error.
"""

from __future__ import annotations

import importlib.metadata
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import flags

from tfod_tools import app
from tfod_tools.base import engine_process, engine_source, output, tables
from tfod_tools.base.errors import EngineError, Interrupted, TfodError
from tfod_tools.engine import installation, versions

FLAGS = app.Flags()
_INSTALL = flags.DEFINE_string(
    "install", None, "Install the engine for this TensorFlow, such as 2.20 or 2.20.0.", flag_values=FLAGS
)
_DRY_RUN = flags.DEFINE_bool(
    "dry_run", False, "With --install: only show the pip commands. Else: do not start the engine.", flag_values=FLAGS
)

STYLES = ("tf1", "tf2")
_SHOWN = (
    *("tensorflow", "tf-keras", "tf-models-official", versions.ENGINE, "tensorflow-estimator", "tf-slim"),
    *("protobuf", "numpy", "pillow"),
)


def main(arguments: Sequence[str]) -> int:
    """Installs the engine, or shows what is installed."""
    app.no_arguments(arguments)
    if _INSTALL.value:
        return _install(_INSTALL.value, dry_run=_DRY_RUN.value)
    packages, verdict, engine = _packages(), _verdict(), _engine()
    rows = [(each["package"], each["installed"], each["tested"]) for each in packages]
    output.say(*tables.lines(("package", "installed", "tested"), rows), "", verdict, f"\nengine: {engine}\n")
    styles = [] if _DRY_RUN.value else [_tried(style) for style in STYLES]
    output.answer({"packages": packages, "verdict": verdict, "engine": engine, "styles": styles})
    return 0 if all(style["works"] for style in styles) else EngineError.exit_code


def _install(version: str, *, dry_run: bool) -> int:
    commands = installation.plan(version)
    output.say(*(shlex.join(command) for command in commands))
    sys.stdout.flush()  # before pip prints
    if not dry_run:
        installation.run(commands)
    output.answer({"commands": [list(command) for command in commands]})
    return 0


def _packages() -> list[dict[str, str | None]]:
    """The installed version of each package, and the version that was tested with this TensorFlow."""
    release = _release()
    tested = {} if release is None else _pins(release)
    return [{"package": name, "installed": _version(name), "tested": tested.get(name, "any")} for name in _SHOWN]


def _verdict() -> str:
    """Whether this TensorFlow on this Python is supported."""
    release, python = _release(), sys.version_info[1]
    if release is None:
        found = _version("tensorflow")
        return f"TensorFlow {found} is not supported." if found else "TensorFlow is not installed."
    return versions.impossible(release, python) or f"TensorFlow {release.minor} on Python 3.{python}: supported."


def _pins(release: versions.Release) -> dict[str, str]:
    """The version of each package that was tested with `release`."""
    pinned = (text.partition("==") for text in (*versions.resolved(release), *versions.alone(release)))
    return {name: version for name, equal, version in pinned if equal}


def _release() -> versions.Release | None:
    """The row of the installed TensorFlow's minor version."""
    minor = ".".join((_version("tensorflow") or "").split(".")[:2])
    return next((release for release in versions.RELEASES if release.minor == minor), None)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _engine() -> str:
    """Where the engine is, and whether its files are the tested ones."""
    folder = engine_source.package()
    if folder is None:
        return f"not installed. Run: tfod engine --install={versions.LOCKED}"
    named = os.environ.get(engine_source.VARIABLE)
    source = f"{engine_source.VARIABLE}={named}" if named else f"the package in {folder}"
    same = engine_source.digest(folder) == engine_source.TESTED_DIGEST
    return f"{source}; {'its files are the tested ones' if same else 'its files differ from the tested ones'}"


def _tried(style: str) -> dict[str, Any]:
    """Tries a style and shows the result. Returns style, works, error (None if it works) and its shims."""
    shims: list[Mapping[str, Any]] = []
    folder = Path(tempfile.mkdtemp(prefix="tfod-engine-"))
    problem: str | None = None
    try:
        engine_process.run(["tfod_tools.engine.probe", f"--style={style}"], log=folder / "log", on_event=shims.append)
        shutil.rmtree(folder)
        output.say(f"{style.upper()} style works\n")
    except Interrupted:
        raise
    except TfodError as error:  # its message names the log
        problem = str(error)
        output.error(f"{style.upper()} style does not work: {problem}\n")
    rows = [(shim["name"], shim["needed_on"], shim["reason"] or "not needed here") for shim in shims]
    if rows:
        output.say(*tables.lines(("shim", "needed on", "here"), rows), "")
    kept = [{key: shim[key] for key in ("name", "needed_on", "reason")} for shim in shims]
    return {"style": style, "works": problem is None, "error": problem, "shims": kept}


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
