"""The table of versions, setup.py, the README and what `make matrix` recorded say the same."""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
from contracts import sources
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfod_tools.engine import versions
from tfod_tools.engine.versions import Release

README = (sources.ROOT / "README.md").read_text(encoding="utf-8")
RECORD = json.loads((sources.ROOT / "tests" / "engine" / "matrix.json").read_text(encoding="utf-8"))
PAIRS = {f"{release.tensorflow}/3.{python}": (release, python) for release, python in versions.pairs()}


def declared() -> dict[str, Any]:
    """The constants of setup.py: `ENGINE`, and the keywords of `setup`."""
    tree = ast.parse((sources.ROOT / "setup.py").read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = ast.literal_eval(node.value)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            found.update({word.arg: word.value for word in node.value.keywords})
    return found


def allowed(*texts: str) -> dict[str, SpecifierSet]:
    return {requirement.name: requirement.specifier for requirement in map(Requirement, texts)}


@pytest.mark.parametrize("release", versions.RELEASES, ids=lambda release: release.tensorflow)
def test_setup_allows_each_row(release: Release) -> None:
    setup = allowed(*declared()["ENGINE"], *ast.literal_eval(declared()["install_requires"]))
    for text in (*versions.resolved(release), *versions.alone(release)):
        ours = Requirement(text)
        pinned = [spec.version for spec in ours.specifier if spec.operator == "=="]
        if ours.name in setup:
            assert all(version in setup[ours.name] for version in pinned), text
            assert pinned or ours.specifier == setup[ours.name], text


def test_setup_allows_no_other_tensorflow() -> None:
    spec = allowed(*declared()["ENGINE"])["tensorflow"]
    first, last = (Version(versions.RELEASES[index].tensorflow) for index in (0, -1))
    assert spec == SpecifierSet(f">={first},<{last.major}.{last.minor + 1}")


def test_setup_allows_the_pythons_of_the_table() -> None:
    oldest, newest = versions.PYTHONS
    assert ast.literal_eval(declared()["python_requires"]) == f">=3.{oldest},<3.{newest + 1}"


def test_the_lock_is_of_a_row() -> None:
    lock = (sources.ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = dict(line.split()[0].split("==") for line in lock.splitlines() if "==" in line)
    assert locked["tensorflow"] == versions.LOCKED
    release = versions.find(versions.LOCKED)
    assert locked["tf-keras"] == release.keras
    assert locked["tf-models-official"] == release.models


@pytest.mark.parametrize("release", versions.RELEASES, ids=lambda release: release.tensorflow)
def test_the_readme_shows_each_row(release: Release) -> None:
    pythons = f"3.{versions.PYTHONS[0]} to 3.{release.newest_python}"
    assert f"| {release.tensorflow} | {pythons} | {release.keras} | {release.models} |" in README


@pytest.mark.parametrize("pair", RECORD)
def test_each_recorded_pair_is_of_the_table(pair: str) -> None:
    release, python = PAIRS[pair]
    reason = versions.impossible(release, python)
    if reason is None:
        assert RECORD[pair]["outcome"] == "ok"
        assert RECORD[pair]["versions"]["tensorflow"] == release.tensorflow
        assert RECORD[pair]["versions"]["tf-models-official"] == release.models
    else:
        assert (RECORD[pair]["outcome"], RECORD[pair]["why"]) == ("cannot be had", reason)


@pytest.mark.parametrize("release", versions.RELEASES, ids=lambda release: release.tensorflow)
def test_the_readme_shows_what_was_tried(release: Release) -> None:
    tried = [f"3.{python}" for python in release.pythons() if f"{release.tensorflow}/3.{python}" in RECORD]
    (row,) = [line for line in README.splitlines() if line.startswith(f"| {release.tensorflow} |")]
    assert row.endswith(f"| {', '.join(tried) or 'not yet'} |")
