"""Where the engine's code comes from: the PyPI package, or the user's own checkout named by TFOD_ENGINE.

TFOD_ENGINE is a checkout of tensorflow/models, or its folder `research`. It is never written to: where its protos are
not compiled, a view of it in the user's cache folder is used, which has links to its files and the compiled protos.
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

# Of the Python files of `object_detection` in tf-object-detection-api 0.1, as `digest` makes it.
TESTED_DIGEST = "790262d3e8e949b14d20a939ad8dd32d7b45b28e8661af8e907004dbba78e8f2"

_PROTOS = "object_detection/protos"


def activate() -> None:
    """Puts the checkout that TFOD_ENGINE names first on this process's module path; without one, changes nothing.

    Raises:
      UsageError: TFOD_ENGINE is no checkout, or its protos are not compiled and nothing is there to compile them.
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
    """The folder `research` that TFOD_ENGINE names; None where it is not set.

    Raises:
      UsageError: it is not such a folder.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    for folder in (Path(named) / "research", Path(named)):
        if (folder / "object_detection").is_dir() and (folder / "slim" / "nets").is_dir():
            return folder.resolve()
    raise UsageError(
        f"{VARIABLE}={named} holds no object_detection and slim/nets. Expected a checkout of tensorflow/models, or its "
        "folder research."
    )


def package() -> Path | None:
    """The folder `object_detection` that `activate` leads to, found without importing it; None where there is none."""
    activate()
    spec = importlib.util.find_spec("object_detection")
    return Path(next(iter(spec.submodule_search_locations))) if spec and spec.submodule_search_locations else None


def digest(package: Path) -> str:
    """SHA-256 of the names and contents of the Python files below `package`, without compiled protos."""
    total = hashlib.sha256()
    for path in sorted(package.rglob("*.py"), key=lambda path: path.relative_to(package).as_posix()):
        if not path.stem.endswith("_pb2"):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{path.relative_to(package).as_posix()} {content}\n".encode())
    return total.hexdigest()


def _view(research: Path) -> Path:
    """A folder whose `object_detection` is that of `research`, with compiled protos."""
    sources = sorted((research / _PROTOS).glob("*.proto"))
    if not sources:
        raise UsageError(f"{research / _PROTOS} holds neither protos nor compiled ones. Expected a whole checkout.")
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
        raise ConfigError(f"protoc cannot compile them: {errors[0]}", path=research / _PROTOS)


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
    import importlib.metadata  # a tenth of the time that planning a job takes, and seldom needed

    return importlib.metadata.version("protobuf")
