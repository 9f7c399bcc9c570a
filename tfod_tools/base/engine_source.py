"""Where the engine's code comes from: the PyPI package, or the user's own checkout named by TFOD_ENGINE.

TFOD_ENGINE names a checkout of tensorflow/models, or its folder `research`. The checkout is never changed. If its
protos are not compiled, a folder in the user's cache is used, with links to its files and with compiled protos.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tfod_tools.base.errors import ConfigError, UsageError

VARIABLE = "TFOD_ENGINE"

# `digest` of the folder `object_detection` in tf-object-detection-api 0.1.
TESTED_DIGEST = "790262d3e8e949b14d20a939ad8dd32d7b45b28e8661af8e907004dbba78e8f2"

_PROTOS = "object_detection/protos"


def activate() -> None:
    """Puts the checkout of TFOD_ENGINE first on this process's module path. Without TFOD_ENGINE, changes nothing.

    Raises:
      UsageError: TFOD_ENGINE names no checkout, or its protos are not compiled and there is no protoc.
      ConfigError: its protos cannot be compiled.
    """
    research = checkout()
    if research is None:
        return
    engine = research if (research / _PROTOS / "pipeline_pb2.py").is_file() else _view(research)
    wanted = [str(engine), str(research / "slim")]
    if sys.path[:2] != wanted:
        sys.path[:0] = wanted


def checkout() -> Path | None:
    """The folder `research` of the checkout that TFOD_ENGINE names; None if it is not set.

    Raises:
      UsageError: it names no such folder.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    for folder in (Path(named) / "research", Path(named)):
        if (folder / "object_detection").is_dir() and (folder / "slim" / "nets").is_dir():
            return folder.resolve()
    raise UsageError(
        f"{VARIABLE}={named} holds no object_detection and slim/nets. Name a checkout of tensorflow/models, or its "
        "folder research."
    )


def package() -> Path | None:
    """The folder `object_detection` that will be imported; None if there is none. It is not imported here."""
    activate()
    spec = importlib.util.find_spec("object_detection")
    return Path(next(iter(spec.submodule_search_locations))) if spec and spec.submodule_search_locations else None


def digest(package: Path) -> str:
    """SHA-256 of the names and contents of the Python files below `package`. Compiled protos are left out."""
    total = hashlib.sha256()
    for path in sorted(package.rglob("*.py"), key=lambda path: path.relative_to(package).as_posix()):
        if not path.stem.endswith("_pb2"):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{path.relative_to(package).as_posix()} {content}\n".encode())
    return total.hexdigest()


def _view(research: Path) -> Path:
    """A folder in the cache with the files of `research` and compiled protos."""
    sources = sorted((research / _PROTOS).glob("*.proto"))
    if not sources:
        raise UsageError(f"{research / _PROTOS} holds no protos. The checkout is not complete. Clone it again.")
    key = hashlib.sha256(f"{research} {_protobuf()}".encode())
    for path in [*sources, *sorted((research / "object_detection").iterdir())]:
        key.update(f"{path.name} {path.read_bytes().hex() if path.suffix == '.proto' else ''}".encode())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tfod-tools"
    view = cache / f"engine-{key.hexdigest()[:16]}"
    if not view.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            made = Path(folder) / "view"
            _make_view(research, sources, made)
            if not view.is_dir():
                made.rename(view)
    return view


def _make_view(research: Path, sources: list[Path], view: Path) -> None:
    protos = view / _PROTOS
    protos.mkdir(parents=True)
    for folder in (research / "object_detection", research / _PROTOS):
        for path in folder.iterdir():
            if path.name not in ("protos", "__pycache__"):
                (view / path.relative_to(research)).symlink_to(path)
    command = [*_protoc(), f"-I{research}", f"--python_out={view}", *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if ".proto:" in line] or [done.stderr[-300:]]
        raise ConfigError(f"protoc cannot compile the protos: {errors[0]}", path=research / _PROTOS)


def _protoc() -> list[str]:
    if importlib.util.find_spec("grpc_tools"):
        return [sys.executable, "-m", "grpc_tools.protoc"]
    if found := shutil.which("protoc"):
        return [found]
    raise UsageError(
        f"the protos of {VARIABLE} are not compiled, and there is no protoc. Run: pip install grpcio-tools "
        f"protobuf=={_protobuf()}"
    )


def _protobuf() -> str:
    import importlib.metadata  # slow to import, and seldom needed

    return importlib.metadata.version("protobuf")
