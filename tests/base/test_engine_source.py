"""TFOD_ENGINE: a checkout of tensorflow/models in the place of the package.

There is no checkout to test with; one is made of the package: its files, with `.proto` files in place of the compiled
ones.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import proto_source

from tfod_tools.base import engine_source
from tfod_tools.base.errors import TfodError, UsageError

ROOT = Path(__file__).parents[2]
PACKAGE = Path(importlib.util.find_spec("object_detection").origin).parent
READS_A_CONFIG = """
from pipeline_configs import extractors
from pipeline_configs.text import schema
config = schema.parse('model { ssd { feature_extractor { type: "ssd_mobilenet_v2" } } }')
from object_detection.protos import pipeline_pb2
print(extractors.style_of(config), pipeline_pb2.__file__)
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a checkout of tensorflow/models whose protos are not compiled."""
    from object_detection.protos import input_reader_pb2, pipeline_pb2, string_int_label_map_pb2

    root = tmp_path_factory.mktemp("checkout") / "models"
    research = root / "research"
    ignored = shutil.ignore_patterns("*_pb2.py", "__pycache__")
    shutil.copytree(PACKAGE, research / "object_detection", ignore=ignored)
    shutil.copytree(PACKAGE.parent / "nets", research / "slim" / "nets", ignore=ignored)
    for module in (pipeline_pb2, string_int_label_map_pb2, input_reader_pb2):
        proto_source.write(module.DESCRIPTOR, research)
    return root


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(engine_source.VARIABLE, raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))


def run(code: str, engine: Path | str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), engine_source.VARIABLE: str(engine)}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)


def listing(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*") if "__pycache__" not in str(path))


def test_without_the_variable_nothing_changes() -> None:
    before = list(sys.path)
    engine_source.activate()
    assert sys.path == before
    assert engine_source.package() == PACKAGE


def test_the_installed_engine_is_the_tested_one() -> None:
    assert engine_source.digest(PACKAGE) == engine_source.TESTED_DIGEST


def test_an_edited_engine_is_told_from_the_tested_one(models: Path, tmp_path: Path) -> None:
    copy = tmp_path / "object_detection"
    shutil.copytree(models / "research" / "object_detection", copy)
    assert engine_source.digest(copy) == engine_source.TESTED_DIGEST
    (copy / "model_lib.py").write_text("# edited\n")
    assert engine_source.digest(copy) != engine_source.TESTED_DIGEST


@pytest.mark.parametrize("below", ["", "research"])
def test_a_config_is_read_with_the_protos_of_the_checkout(models: Path, tmp_path: Path, below: str) -> None:
    before = listing(models)
    done = run(READS_A_CONFIG, models / below)
    style, _, file = done.stdout.strip().partition(" ")
    assert style == "tf1", done.stderr
    assert Path(file).is_relative_to(tmp_path / "cache" / "tfod-tools")
    assert listing(models) == before


def test_compiled_protos_are_used_as_they_are(models: Path, tmp_path: Path) -> None:
    copy = tmp_path / "models"
    shutil.copytree(models, copy)
    for path in (PACKAGE / "protos").glob("*_pb2.py"):
        shutil.copy(path, copy / "research" / "object_detection" / "protos")
    done = run(READS_A_CONFIG, copy)
    assert str(copy) in done.stdout, done.stderr
    assert not (tmp_path / "cache").exists()


def test_protos_are_compiled_once(models: Path, tmp_path: Path) -> None:
    assert run(READS_A_CONFIG, models).returncode == 0
    before = listing(tmp_path / "cache")
    assert run(READS_A_CONFIG, models).returncode == 0
    assert listing(tmp_path / "cache") == before


def test_a_changed_proto_is_compiled(models: Path, tmp_path: Path) -> None:
    copy = tmp_path / "models"
    shutil.copytree(models, copy)
    assert run(READS_A_CONFIG, copy).returncode == 0
    proto = copy / "research" / "object_detection" / "protos" / "ssd.proto"
    proto.write_text(proto.read_text().replace("message Ssd {", "message Ssd {\noptional int32 of_my_own = 999;", 1))
    done = run("from pipeline_configs.text import schema; schema.parse('model { ssd { of_my_own: 3 } }')", copy)
    assert done.returncode == 0, done.stderr


def test_a_proto_that_cannot_be_compiled(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "models"
    shutil.copytree(models, copy)
    (copy / "research" / "object_detection" / "protos" / "ssd.proto").write_text("message {")
    monkeypatch.setenv(engine_source.VARIABLE, str(copy))
    with pytest.raises(TfodError, match=r"protos: protoc cannot compile the protos: .*ssd\.proto:1:"):
        engine_source.activate()
    assert not list((tmp_path / "cache" / "tfod-tools").iterdir())


def test_without_protoc(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engine_source.VARIABLE, str(models))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "grpc_tools", None)
    protobuf = importlib.metadata.version("protobuf")
    with pytest.raises(UsageError, match=rf"Run: pip install grpcio-tools protobuf=={protobuf}$"):
        engine_source.activate()


@pytest.mark.parametrize("named", ["no such folder", ""])
def test_a_folder_that_is_no_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv(engine_source.VARIABLE, str(tmp_path / named))
    with pytest.raises(UsageError, match=r"holds no object_detection and slim/nets\. Name a checkout of") as caught:
        engine_source.checkout()
    assert caught.value.exit_code == 1


@pytest.mark.engine
@pytest.mark.parametrize("style", ["tf1", "tf2"])
def test_both_styles_run_the_checkout(models: Path, tmp_path: Path, style: str) -> None:
    from tfod_tools.base import engine_process

    log = tmp_path / "log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(engine_source.VARIABLE, str(models))
        result = engine_process.run(["tfod_tools.engine.probe", f"--style={style}"], log=log)
    assert Path(result["engine"]).is_relative_to(tmp_path / "cache")
