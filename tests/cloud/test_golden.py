"""Golden files: the plans of the standard jobs on every back-end, or the error of a back-end that refuses them.

A changed plan has another run id, so `status` no longer finds a running job. If you mean the change, write the
golden files again with `TFOD_GOLDEN=write pytest tests/cloud/test_golden.py`, and look at the difference.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from pathlib import Path

import pytest

from cloud import backends, planning
from cloud.estimates import prices
from cloud.job_files import job_file
from tfod_tools.base.errors import ConfigError

DATA = Path(__file__).parents[1] / "data" / "cloud"
JOBS = sorted((DATA / "jobs").glob("*.yaml"))
# The folder where the machines of a back-end find the bucket gs://bucket of the job files.
BUCKET = {"slurm": "/mnt/bucket", "local": "/mnt/bucket", "azureml": "/mnt/bucket", "skypilot": "/mnt/bucket"}


def read(path: Path, backend: str) -> job_file.JobFile:
    text = path.read_text(encoding="utf-8")
    if backend == "sagemaker":
        text = text.replace("gs://bucket/lemons/model", "/opt/ml/checkpoints")
        text = text.replace("gs://bucket/lemons", "/opt/ml/input/data/records")
    text = text.replace("gs://bucket/lemons", f"{BUCKET.get(backend, 'gs://bucket')}/lemons")
    return job_file.parse(text, path.name)


def plan(path: Path, backend: str) -> planning.Planned:
    return planning.plan(read(path, backend), backend, None, prices.load())


def planned(path: Path, backend: str) -> str:
    try:
        made = plan(path, backend)
        return "\n".join([*planning.lines(made, made.warnings), ""])
    except ConfigError as error:
        return f"{error}\n"


@pytest.mark.parametrize("backend", backends.names())
@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_plan(path: Path, backend: str) -> None:
    golden = DATA / "golden" / f"{path.stem}.{backend}.txt"
    found = planned(path, backend)
    if os.environ.get("TFOD_GOLDEN") == "write":
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")


def test_every_golden_file_has_its_job_and_back_end() -> None:
    expected = {f"{path.stem}.{backend}.txt" for path in JOBS for backend in backends.names()}
    assert {path.name for path in (DATA / "golden").iterdir()} == expected


@pytest.mark.parametrize("backend", backends.names())
@pytest.mark.parametrize("path", JOBS, ids=lambda path: path.stem)
def test_planning_changes_nothing(path: Path, backend: str) -> None:
    file = read(path, backend)
    before = repr(file)
    for _ in range(2):
        with contextlib.suppress(ConfigError):
            planning.plan(file, backend, None, prices.load())
        assert repr(file) == before


@pytest.mark.parametrize("backend", backends.names())
def test_the_run_id_is_that_of_the_plan(backend: str) -> None:
    """The same plan has the same run id, and another plan has another. The name of the job ends with it."""
    path = next(path for path in JOBS if " on " in planned(path, backend).splitlines()[0])
    file = read(path, backend)
    ids = []
    for steps in (file.steps, file.steps, 4711):
        made = planning.plan(dataclasses.replace(file, steps=steps), backend, None, prices.load()).submission
        assert made.name == f"{file.cluster.name}-{made.run_id}"
        assert len(made.run_id) == 12
        ids.append(made.run_id)
    assert ids[0] == ids[1] != ids[2]
