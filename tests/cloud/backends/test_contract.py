"""Each back-end has the parts that `cloud.backends` describes, and a task loads only its own back-end."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cloud import backends
from cloud.backends import Facts, Jobs, Plan, Tasks
from cloud.tasks import discovery

ROOT = Path(__file__).parents[3]
FOLDER = Path(backends.__file__).parent


def test_the_registry_is_the_folder() -> None:
    folders = {path.parent.name for path in FOLDER.glob("[a-z]*/__init__.py")}
    assert set(backends.names()) == folders
    assert not list(FOLDER.glob("[a-z]*.py"))


@pytest.mark.parametrize("name", backends.names())
def test_what_a_back_end_has(name: str) -> None:
    backend = backends.load(name)
    assert backend.name == name
    assert isinstance(backend.facts, Facts)
    assert backend.facts.mount_option in (None, *backend.facts.options)
    assert parameters(backend.plan) == parameters(Plan.__call__)[1:]
    for function in ("submit", "status", "logs", "cancel") if backend.jobs else ():
        assert parameters(getattr(backend.jobs, function)) == parameters(getattr(Jobs, function))[1:], function
    if name in backends.with_tasks():
        assert parameters(backends.tasks(name).find) == parameters(Tasks.find)[1:]


def parameters(function: object) -> list[tuple[str, object]]:
    assert callable(function)
    return [(name, parameter.kind) for name, parameter in inspect.signature(function).parameters.items()]


@pytest.mark.parametrize("name", backends.names())
def test_the_files_of_a_back_end_are_those_that_are_looked_for(name: str) -> None:
    """A file with a wrong name, such as `job.py`, would not be found. Only `local` has further files."""
    more = {"runs", "supervisor"} if name == "local" else set()
    assert {path.stem for path in (FOLDER / name).glob("*.py")} <= {"__init__", "plan", "jobs", "tasks"} | more


def test_blocks_belong_to_one_back_end_or_share_their_keys() -> None:
    keys: dict[str, tuple[str, ...]] = {}
    for facts in backends.all_facts().values():
        assert keys.setdefault(facts.block, facts.options) == facts.options


@pytest.mark.parametrize("source", discovery.sources())
def test_a_task_loads_only_its_own_back_end(source: str) -> None:
    code = (
        "import json, sys\nfrom cloud.tasks import launch\nlaunch.main(['launch', '--cluster=' + sys.argv[1]])\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('cloud.')]), file=sys.stderr)"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TF_CONFIG": "{"}
    done = subprocess.run(
        [sys.executable, "-c", code, source], env=environment, capture_output=True, text=True, check=True
    )
    loaded = json.loads(done.stderr.splitlines()[-1])
    found = {name.removeprefix("cloud.backends.") for name in loaded if name.startswith("cloud.backends.")}
    if source == discovery.TF_CONFIG:
        assert not found
    else:
        assert {f"{source}", f"{source}.tasks"} <= found <= {source, f"{source}.tasks", "_kubernetes"}
    assert not any(name.startswith(("cloud.planning", "cloud.job_files", "cloud.estimates")) for name in loaded)
