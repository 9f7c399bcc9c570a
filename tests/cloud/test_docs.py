"""Each job file in docs/cloud.md is valid, and its back-end can plan it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cloud import backends, planning
from cloud.ai_platform import machines as legacy_machines
from cloud.cluster import STYLES
from cloud.estimates import prices
from cloud.estimates.fit import Facts
from cloud.job import Plan, train_job
from cloud.job_config import JobConfig
from cloud.job_files import job_file

DOCS = (Path(__file__).parents[2] / "docs" / "cloud.md").read_text(encoding="utf-8")
JOBS = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
FOR = ("vertex", "local", "slurm", "kubernetes_jobset", "vertex", "sagemaker")


def test_each_back_end_that_sends_has_one() -> None:
    assert len(JOBS) == len(FOR)
    whole = {name for name in backends.names() if backends.load(name).jobs}
    assert set(FOR) | {"kubernetes_tfjob"} >= whole
    assert all(f"| `{name}` |" in DOCS for name in backends.names())


@pytest.mark.parametrize("index", range(len(FOR)))
def test_it_can_be_planned(index: int, tmp_path: Path) -> None:
    file = job_file.parse(JOBS[index].replace("model_dir: model", f"model_dir: {tmp_path}"), "job.yaml")
    job = train_job(
        config="pipeline.config",
        model_dir=file.model_dir,
        style=STYLES[file.cluster.strategy],
        steps=file.steps or 1000,
        checkpoint_every=None,
        extension=None,
    )
    plan = Plan(job=job, config="model {}\n", batch_size=8)
    config = JobConfig(plan=plan, facts=Facts(steps=1000, batch_size=8))
    here = file.steps is None or "://" not in file.config
    planned = planning.plan(
        file, FOR[index], None if file.config.startswith("/") or not here else config, prices.load()
    )
    assert planned.submission.files


def test_every_legacy_machine_is_in_its_table() -> None:
    table = DOCS.partition("| AI Platform |")[2]
    for name in legacy_machines.MACHINES:
        stem, _, size = name.partition("_model_")
        assert name in table or (f"complex_model_{size.partition('_')[0]}" in name and f"_{size}" in table), stem
