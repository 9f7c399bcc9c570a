"""`tfod engine`: what it shows, what it refuses, and what it would install."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support import tiny_run

from tfod_tools.base.errors import EngineError, UsageError
from tfod_tools.engine import installation, versions
from tfod_tools.engine.versions import Release

ROOT = Path(__file__).parents[2]


def test_what_is_installed_is_shown_beside_what_is_tested() -> None:
    said = tiny_run.tfod("engine", "--dry_run")
    for package in ("tensorflow", "tf-keras", "protobuf", "numpy", versions.ENGINE):
        assert re.search(rf"^{package} +{re.escape(importlib.metadata.version(package))} ", said, re.MULTILINE)
    assert re.search(r"TensorFlow 2\.\d\d on Python 3\.\d\d: supported\.", said)
    assert "its files are the tested ones" in said


def test_what_is_installed_as_json() -> None:
    answer = json.loads(tiny_run.tfod("engine", "--dry_run", "--json"))
    assert answer["packages"][0]["package"] == "tensorflow"
    assert answer["packages"][0]["installed"] == importlib.metadata.version("tensorflow")
    assert (answer["verdict"].endswith(": supported."), answer["styles"]) == (True, [])
    assert "its files are the tested ones" in answer["engine"]
    answer = json.loads(tiny_run.tfod("engine", "--install=2.20", "--dry_run", "--json"))
    assert [tuple(command) for command in answer["commands"]] == list(installation.plan("2.20"))
    assert tiny_run.tfod("engine", "--dry_run", "--quiet") == ""


def test_a_bad_checkout_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFOD_ENGINE", str(tmp_path))
    said = tiny_run.tfod("engine", "--dry_run", expect=1)
    assert said.splitlines()[-1].startswith(f"TFOD_ENGINE={tmp_path} holds no object_detection")
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("version", "python", "expected"),
    [
        ("2.15", 12, "TensorFlow 2.15.1 has no build for Python 3.12. Use Python 3.10 to 3.11, or TensorFlow 2.16.2, "),
        ("2.19.1", 13, "no build for Python 3.13. Use Python 3.10 to 3.12, or TensorFlow 2.20.0, 2.21.0."),
        ("2.20", 14, "Python 3.14 is not supported. Use Python 3.10 to 3.13."),
        ("2.20", 9, "Python 3.9 is not supported."),
        ("2.17.0", 11, "TensorFlow 2.17.0 is not tested. Pass 2.17.1, which is tested, or 2.17."),
        ("2.14", 11, "TensorFlow 2.14 is not supported. Supported are 2.15.1, 2.16.2, "),
        ("2.2", 11, "TensorFlow 2.2 is not supported."),
        ("new", 11, "TensorFlow new is not supported."),
    ],
)
def test_a_pair_that_cannot_be_had_is_refused_in_one_line(version: str, python: int, expected: str) -> None:
    with pytest.raises(UsageError, match=re.escape(expected)) as caught:
        installation.plan(version, python)
    assert "\n" not in str(caught.value)


def test_refusing_starts_no_pip() -> None:
    assert tiny_run.tfod("engine", "--install=2.14", expect=1).count("\n") == 1


@pytest.mark.parametrize("release", versions.RELEASES, ids=lambda release: release.tensorflow)
def test_a_version_is_named_by_its_minor_or_its_patch(release: Release) -> None:
    assert versions.find(release.minor) is versions.find(release.tensorflow) is release


def test_the_plan_for_a_version() -> None:
    together, alone = installation.plan("2.20", 13)
    assert together[:4] == alone[:4] == (sys.executable, "-m", "pip", "install")
    assert together[4:6] == ("tensorflow==2.20.0", "tf-keras==2.20.1")
    assert alone[4:] == (
        "--no-deps", "tf-object-detection-api==0.1", "tf-models-official==2.20.0", "lvis==0.5.3",
    )  # fmt: skip


def test_dry_run_shows_the_commands_of_the_plan() -> None:
    said = tiny_run.tfod("engine", "--install=2.20", "--dry_run")
    assert [tuple(shlex.split(line)) for line in said.splitlines()] == list(installation.plan("2.20"))


@pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="this environment has no pip")
def test_pip_that_fails() -> None:
    with pytest.raises(EngineError, match="pip stopped with status 3"):
        installation.run(((sys.executable, "-c", "raise SystemExit(3)"),))


def test_an_environment_without_pip(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    code = "from tfod_tools.engine import installation; installation.run((('false',),))"
    done = subprocess.run(
        [tmp_path / "bare" / "bin" / "python", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "this Python has no pip. Run: python -m ensurepip" in done.stderr


def test_tensorflow_need_not_be_installed(tmp_path: Path) -> None:
    """`tfod engine` is where somebody starts who has installed only the core."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    absl, rich = (Path(importlib.metadata.distribution(name).locate_file("")) for name in ("absl-py", "rich"))
    core = tmp_path / "core"
    core.mkdir()
    for folder, name in ((absl, "absl"), (rich, "rich"), (rich, "pygments"), (rich, "markdown_it"), (rich, "mdurl")):
        (core / name).symlink_to(folder / name)
    done = subprocess.run(
        [tmp_path / "bare" / "bin" / "python", "-m", "tfod_tools.engine", "--dry_run"],
        cwd=ROOT, capture_output=True, text=True, env={"PYTHONPATH": str(core)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "TensorFlow is not installed." in done.stdout
    assert "engine: not installed. Run: tfod engine --install=2.20.0" in done.stdout


@pytest.mark.engine
def test_the_shims_of_both_styles_are_shown() -> None:
    said = tiny_run.tfod("engine")
    assert said.count("style works") == 2
    assert len(re.findall(r"^contrib +TensorFlow >= 2\.0 +there is no tensorflow\.contrib$", said, re.MULTILINE)) == 2


@pytest.mark.engine
def test_a_style_that_does_not_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here because of a broken checkout: its model_lib has been edited; TF2 style imports that too."""
    import shutil

    from tfod_tools.base import engine_source

    package = engine_source.package()
    research = tmp_path / "research"
    shutil.copytree(package, research / "object_detection")
    (research / "slim").mkdir()
    (research / "slim" / "nets").symlink_to(package.parent / "nets")
    (research / "object_detection" / "model_lib.py").write_text("raise ValueError('edited')\n")
    monkeypatch.setenv("TFOD_ENGINE", str(tmp_path))
    said = tiny_run.tfod("engine", expect=4)
    assert "its files differ from the tested ones" in said
    assert said.count("style does not work: the engine stopped with ValueError: edited") == 2
    (log,) = set(re.findall(r"The engine's log: (\S+)", said.partition("TF2 style")[0]))
    assert "edited" in Path(log).read_text()
