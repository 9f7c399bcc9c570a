"""Show the engine: what is installed, whether it goes together, which styles work here, and which shims they need.

    python -m tfod_tools.engine

With --install, installs the engine's packages for a chosen TensorFlow into the environment that runs this, by pip; a
pair of TensorFlow and Python that cannot be had is refused before anything is downloaded:

    python -m tfod_tools.engine --install=2.20 [--dry_run]

A checkout of tensorflow/models takes the place of the PyPI package for all commands when TFOD_ENGINE names its folder.

Exit codes: 0 both styles work, or installed; 1 usage, no such pair, or TFOD_ENGINE is no checkout; 2 its protos cannot
be compiled; 4 a style does not work, or pip stopped with an error.
"""

from __future__ import annotations

import importlib.metadata
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from tfod_tools import app
from tfod_tools.base import engine_process, engine_source, tables
from tfod_tools.base.errors import EngineError, Interrupted, TfodError
from tfod_tools.engine import installation, versions

FLAGS = app.Flags()
_INSTALL = flags.DEFINE_string(
    "install", None, "Install the engine for this TensorFlow, such as 2.20 or 2.20.0.", flag_values=FLAGS
)
_DRY_RUN = flags.DEFINE_bool(
    "dry_run", False, "With --install: show the pip commands; without: start no engine.", flag_values=FLAGS
)

STYLES = ("tf1", "tf2")
_SHOWN = (
    *("tensorflow", "tf-keras", "tf-models-official", versions.ENGINE, "tensorflow-estimator", "tf-slim"),
    *("protobuf", "numpy", "pillow"),
)


def main(arguments: Sequence[str]) -> int:
    """Installs, or shows what is there."""
    app.no_arguments(arguments)
    if _INSTALL.value:
        commands = installation.plan(_INSTALL.value)
        print("\n".join(shlex.join(command) for command in commands), flush=True)
        if not _DRY_RUN.value:
            installation.run(commands)
        return 0
    print("\n".join(_installed()))
    print(f"\nengine: {_engine()}\n")
    if _DRY_RUN.value:
        return 0
    works = [_try(style) for style in STYLES]
    return 0 if all(works) else EngineError.exit_code


def _installed() -> list[str]:
    """The versions of the stack beside those that are tested together, and what that means for the pair."""
    release = _release()
    tested = {} if release is None else _pins(release)
    rows = [(name, _version(name), tested.get(name, "any")) for name in _SHOWN]
    python = sys.version_info[1]
    if release is None:
        found = _version("tensorflow")
        says = f"TensorFlow {found} is not supported." if found else "TensorFlow is not installed."
    elif reason := versions.impossible(release, python):
        says = reason
    else:
        says = f"TensorFlow {release.minor} on Python 3.{python}: supported."
    return [*tables.lines(("package", "installed", "tested"), rows), "", says]


def _pins(release: versions.Release) -> dict[str, str]:
    """What `release` asks for, by package."""
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
    """Where the engine is, and whether its files are those that are tested."""
    folder = engine_source.package()
    if folder is None:
        return f"not installed. Run: python -m tfod_tools.engine --install={versions.LOCKED}"
    named = os.environ.get(engine_source.VARIABLE)
    source = f"{engine_source.VARIABLE}={named}" if named else f"the package in {folder}"
    same = engine_source.digest(folder) == engine_source.TESTED_DIGEST
    return f"{source}; {'its files are the tested ones' if same else 'its files differ from the tested ones'}"


def _try(style: str) -> bool:
    """Shows whether a style works, and its shims; returns whether it does."""
    shims: list[engine_process.Event] = []
    folder = Path(tempfile.mkdtemp(prefix="tfod-engine-"))
    try:
        engine_process.run(["tfod_tools.engine.probe", f"--style={style}"], log=folder / "log", on_event=shims.append)
        shutil.rmtree(folder)
        says = "works"
    except Interrupted:
        raise
    except TfodError as error:  # its message names the log
        says = f"does not work: {error}"
    print(f"{style.upper()} style {says}\n")
    rows = [(shim["name"], shim["needed_on"], shim["reason"] or "not needed here") for shim in shims]
    if rows:
        tables.show(("shim", "needed on", "here"), rows)
        print()
    return says == "works"


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
