"""Slurm for real: four nodes on the loopback interface, and the engine's own training on them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import tiny_run
from clusters import slurm_cluster

from cloud import allocations
from record_builders import shapes

_PATIENCE_S = 600
reason = slurm_cluster.missing()
pytestmark = pytest.mark.skipif(reason is not None, reason=reason or "")


@pytest.fixture(scope="module")
def slurm() -> Iterator[Mapping[str, str]]:
    """The cluster's variables; its folder is one that the user of munge can reach."""
    folder = Path(tempfile.mkdtemp(prefix="tfod-slurm-"))
    try:
        with slurm_cluster.running(folder) as environment:
            yield {**os.environ, **environment}
    finally:
        shutil.rmtree(folder)


def said(environment: Mapping[str, str], *words: str, expect: int = 0) -> str:
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def test_node_lists_are_read_as_slurm_reads_them(slurm: Mapping[str, str]) -> None:
    for text in ("n[08-10],gpu3", "r[1-2]n[0-1]", "n[9,11,10]", "node-a[001-002,010],b"):
        assert allocations.expand(text) == said(slurm, "scontrol", "show", "hostnames", text).split()


class Run:
    """A job on the cluster, driven as a user does."""

    def __init__(self, slurm: Mapping[str, str], folder: Path, style: str, roles: str, records: Path) -> None:
        tiny_run.make_config(records, "tf1" if style == "estimator" else "tf2", folder / "pipeline.config")
        setup = f'"export PYTHONPATH={tiny_run.ROOT}"'
        slurm_block = f"{{partition: low, python: {sys.executable}, setup: {setup}}}"
        (folder / "job.yaml").write_text(
            f"name: cluster\nstyle: {style}\nconfig: pipeline.config\nmodel_dir: {folder / 'model'}\nsteps: 60\n"
            f"checkpoint_every: 20\ncluster: {{{roles}}}\nslurm: {slurm_block}\n"
        )
        self.model = folder / "model"
        self.environment = {**slurm, "PYTHONPATH": str(tiny_run.ROOT)}
        self._words = (sys.executable, "-m", "tfod_tools.submit")
        self._flags = (f"--job={folder / 'job.yaml'}", "--backend=slurm")

    def submit(self, action: str) -> str:
        return said(self.environment, *self._words, action, *self._flags)

    def wait(self, there: Callable[[str], bool]) -> str:
        deadline = time.monotonic() + _PATIENCE_S
        while not there(status := self.submit("status")):
            assert "FAILED" not in status, self.submit("logs")[-4000:]
            assert time.monotonic() < deadline, self.submit("logs")[-4000:]
            time.sleep(1)
        return status


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    shapes.write_voc(folder / "voc", 12)
    flags = (f"--annotations={folder / 'voc'}", f"--output={folder / 'records'}", "--val_fraction=0.25", "--shards=2")
    tiny_run.tfod("make_records", *flags)
    return folder / "records"


@pytest.mark.engine
def test_an_estimator_with_a_preemption(slurm: Mapping[str, str], records: Path, tmp_path: Path) -> None:
    """A heterogeneous job of all four roles; a job of a higher tier takes its nodes, and it goes on afterwards."""
    small, large = "{cpus: 1, memory: 1Gi}", "{cpus: 1, memory: 2Gi}"
    roles = f"chief: {large}, worker: {large}, ps: {small}, evaluator: {small}"
    run = Run(slurm, tmp_path, "estimator", roles, records)
    (number,) = re.findall(r": job (\d+)$", run.submit("run"), re.MULTILINE)
    assert "it was there already" in run.submit("run")
    run.wait(lambda status: "RUNNING, step" in status and any(run.model.glob("model.ckpt-2*.index")))
    high = [
        "sbatch",
        "--parsable",
        "--partition=high",
        "--nodes=4",
        "--exclusive",
        "--output=/dev/null",
        "--wrap=sleep 3",
    ]
    first = said(slurm, *high).strip()
    while first in said(slurm, "squeue", "--noheader", "--format=%i"):
        time.sleep(0.5)
    subprocess.run(["scontrol", "update", f"JobId={number}", "StartTime=now"], env=slurm, check=False)
    status = run.wait(lambda status: "SUCCEEDED" in status)
    assert re.search(r"SUCCEEDED, step 6\d of 60; job", status)
    log = run.submit("logs")
    starts = [int(step) for step in re.findall(r"^chief-0: starts at step (\d+)", log, re.MULTILINE)]
    assert len(starts) >= 2, log[-4000:]
    assert starts[-1] >= 20
    assert re.search(r"evaluator-0: evaluated step 6\d", log)
    assert not said(slurm, "squeue", "--noheader")
    out = run.model / "export"
    tiny_run.tfod("export", f"--model_dir={run.model}", f"--output={out}", "--format=frozen_graph")
    assert (out / "frozen_inference_graph.pb").stat().st_size > 1e6


@pytest.mark.engine
def test_mirrored_trainers(slurm: Mapping[str, str], records: Path, tmp_path: Path) -> None:
    roles = "chief: {cpus: 1, memory: 2Gi}, worker: {cpus: 1, memory: 2Gi}"
    run = Run(slurm, tmp_path, "multi_worker_mirrored", roles, records)
    run.submit("run")
    assert "SUCCEEDED, step 60 of 60" in run.wait(lambda status: "SUCCEEDED" in status)
    log = run.submit("logs")
    losses = [
        re.findall(rf"^{task}: step 60 of 60, loss (\S+),", log, re.MULTILINE) for task in ("chief-0", "worker-0")
    ]
    assert losses[0] == losses[1] != []
    out = run.model / "export"
    tiny_run.tfod("export", f"--model_dir={run.model}", f"--output={out}", "--format=frozen_graph")
    assert (out / "frozen_inference_graph.pb").stat().st_size > 1e6
