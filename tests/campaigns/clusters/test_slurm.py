"""A real Slurm with four nodes on the loopback interface, and trainings of the real engine on it."""

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
from campaigns.clusters import slurm_cluster
from support import tiny_run

from cloud.backends.slurm import tasks
from record_builders.sources import shapes

_PATIENCE_S = 600
reason = slurm_cluster.missing()
pytestmark = [pytest.mark.long, pytest.mark.skipif(reason is not None, reason=reason or "")]


@pytest.fixture(scope="module")
def slurm() -> Iterator[Mapping[str, str]]:
    """The variables of the cluster. The user of munge can read its folder."""
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
        assert tasks.expand(text) == said(slurm, "scontrol", "show", "hostnames", text).split()


# Counts steps and saves each one, as training does. A server never ends. An evaluator waits for the last step.
TRAINER = """
import json, os, signal, sys, time
from pathlib import Path
flags = dict(word[2:].split("=", 1) for word in sys.argv[1:])
task = json.loads(os.environ.get("TF_CONFIG", '{"task": {"type": "chief"}}'))["task"]
model, last = Path(flags["model_dir"]), int(flags["steps"])
saved = model / "saved"
def send(event, **fields): print(json.dumps({"event": event, **fields}), flush=True)
def stop(*_):
    send("error", message="Stopped; its checkpoint is saved."); sys.exit(130)
signal.signal(signal.SIGINT, stop)
while task["type"] == "ps":
    time.sleep(60)
def at(): return int(saved.read_text() or 0) if saved.exists() else 0
step = at()
send("start", step=step, steps=last)
while step < last:
    time.sleep(0.5)
    step = step + 1 if task["type"] == "chief" else at()
    if task["type"] == "chief":
        saved.write_text(str(step))
    send("progress", step=step, losses={"total_loss": 1.0}, learning_rate=0.1)
send("result", step=step)
"""


class Run:
    """A job on the cluster, controlled with the same commands that a user has; `python` runs its tasks."""

    def __init__(
        self,
        slurm: Mapping[str, str],
        folder: Path,
        strategy: str,
        roles: str,
        steps: int,
        python: str = sys.executable,
    ) -> None:
        setup = f'"export PYTHONPATH={folder}:{tiny_run.ROOT}"'
        (folder / "job.yaml").write_text(
            f"name: cluster\nstrategy: {strategy}\nconfig: pipeline.config\nmodel_dir: {folder / 'model'}\n"
            f"steps: {steps}\ncheckpoint_every: 20\ncluster: {{{roles}}}\nscheduling: {{time_limit: 30m}}\n"
            f"slurm: {{partition: low, python: {python}, setup: {setup}}}\n"
        )
        self.model = folder / "model"
        self.environment = {**slurm, "PYTHONPATH": str(tiny_run.ROOT)}
        self._words = (sys.executable, "-m", "tfod_tools.submit")
        self._flags = (f"--job={folder / 'job.yaml'}", "--backend=slurm")

    def submit(self, action: str, expect: int = 0) -> str:
        return said(self.environment, *self._words, action, *self._flags, expect=expect)

    def wait(self, there: Callable[[str], bool]) -> str:
        deadline = time.monotonic() + _PATIENCE_S
        while not there(status := self.submit("status")):
            assert time.monotonic() < deadline, self.submit("logs")[-4000:]
            time.sleep(0.5)
        return status

    def starts(self) -> list[int]:
        """The steps at which the chief began, in order."""
        return [int(step) for step in re.findall(r"^chief-0: starts at step (\d+)", self.submit("logs"), re.MULTILINE)]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config in TF1 style beside the job file."""
    return tiny_run.make_config(tiny_run.make_records(tmp_path), "tf1", tmp_path / "pipeline.config")


@pytest.fixture
def python(tmp_path: Path) -> str:
    """A Python that runs TRAINER where the engine was asked for."""
    (tmp_path / "trainer.py").write_text(TRAINER)
    program = tmp_path / "python"
    program.write_text(f'#!/bin/bash\nexec {sys.executable} "${{@/#tfod_tools.engine.train/trainer}}"\n')
    program.chmod(0o755)
    return str(program)


LARGE, SMALL = "{cpus: 1, memory: 2Gi}", "{cpus: 1, memory: 1Gi}"


def preempt(slurm: Mapping[str, str], number: str) -> None:
    """Has a job of a higher tier take all nodes for a second, and `number` begin again without the usual delay."""
    high = ("--partition=high", "--nodes=4", "--exclusive", "--output=/dev/null", "--wrap=sleep 1")
    first = said(slurm, "sbatch", "--parsable", *high).strip()
    while first in said(slurm, "squeue", "--noheader", "--format=%i").split():
        time.sleep(0.3)
    subprocess.run(["scontrol", "update", f"JobId={number}", "StartTime=now"], env=slurm, check=False)


@pytest.mark.usefixtures("config")
def test_a_job_is_preempted_and_goes_on(slurm: Mapping[str, str], tmp_path: Path, python: str) -> None:
    """It goes back into the queue, and goes on from its last step."""
    roles = f"chief: {LARGE}, worker: {LARGE}, ps: {LARGE}, evaluator: {LARGE}"
    run = Run(slurm, tmp_path, "estimator", roles, 40, python)
    (number,) = re.findall(r": job (\d+)$", run.submit("run"), re.MULTILINE)
    assert "it was there already" in run.submit("run")
    run.wait(lambda status: "RUNNING, step" in status)
    preempt(slurm, number)
    status = run.wait(lambda status: "SUCCEEDED" in status)
    assert "SUCCEEDED, step 40 of 40; job" in status
    begun = run.starts()
    assert len(begun) == 2
    assert 0 == begun[0] < begun[1]
    log = run.submit("logs")
    assert "evaluator-0: done at step 40" in log
    assert not said(slurm, "squeue", "--noheader")


@pytest.mark.usefixtures("config")
def test_a_job_of_two_kinds_of_machines(slurm: Mapping[str, str], tmp_path: Path, python: str) -> None:
    """A heterogeneous job ends with its chief, although its parameter server never ends."""
    run = Run(slurm, tmp_path, "estimator", f"chief: {LARGE}, worker: {LARGE}, ps: {SMALL}", 4, python)
    run.submit("run")
    run.wait(lambda status: "SUCCEEDED, step 4 of 4" in status)
    clusters = set(re.findall(r'"cluster":(\{.*?\})', run.submit("logs")))
    assert len(clusters) == 1
    ports = [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", clusters.pop())]
    assert ports == list(range(ports[0], ports[0] + 3))


@pytest.mark.usefixtures("config")
def test_cancel(slurm: Mapping[str, str], tmp_path: Path, python: str) -> None:
    run = Run(slurm, tmp_path, "estimator", f"chief: {LARGE}", 400, python)
    said(run.environment, *run._words, "status", *run._flags, expect=2)
    run.submit("run")
    run.wait(lambda status: "RUNNING" in status)
    run.submit("cancel")
    run.wait(lambda status: "CANCELLED" in status)


def make_config(folder: Path, strategy: str) -> None:
    """A config beside the job file, with two shards of records, one for each trainer."""
    shapes.write_voc(folder / "voc", 12)
    flags = (f"--annotations={folder / 'voc'}", f"--output={folder / 'records'}", "--val_fraction=0.25", "--shards=2")
    tiny_run.tfod("make_records", *flags)
    tiny_run.make_config(folder / "records", "tf1" if strategy == "estimator" else "tf2", folder / "pipeline.config")


@pytest.mark.parametrize("strategy", ["estimator", "multi_worker_mirrored"])
def test_training_to_a_frozen_graph(strategy: str, slurm: Mapping[str, str], tmp_path: Path) -> None:
    make_config(tmp_path, strategy)
    roles = f"chief: {LARGE}, worker: {LARGE}"
    run = Run(
        slurm, tmp_path, strategy, f"{roles}, ps: {SMALL}, evaluator: {SMALL}" if strategy == "estimator" else roles, 60
    )
    run.submit("run")
    status = run.wait(lambda status: "SUCCEEDED" in status)
    assert re.search(r"SUCCEEDED, step 6\d of 60; job", status)
    log = run.submit("logs")
    if strategy == "estimator":
        assert re.search(r"evaluator-0: evaluated step 6\d", log)
    else:
        losses = [
            re.findall(rf"^{task}-0: step 60 of 60, loss (\S+),", log, re.MULTILINE) for task in ("chief", "worker")
        ]
        assert losses[0] == losses[1] != []
    tiny_run.tfod("export", f"--model_dir={run.model}", f"--output={tmp_path / 'out'}", "--format=frozen_graph")
    assert (tmp_path / "out" / "frozen_inference_graph.pb").stat().st_size > 1e6


def test_training_is_preempted_and_goes_on(slurm: Mapping[str, str], tmp_path: Path) -> None:
    """The engine saves a checkpoint when it is preempted, and goes on from there."""
    make_config(tmp_path, "estimator")
    run = Run(slurm, tmp_path, "estimator", f"chief: {LARGE}, worker: {LARGE}, ps: {LARGE}", 200)
    (number,) = re.findall(r": job (\d+)$", run.submit("run"), re.MULTILINE)
    run.wait(lambda status: any(run.model.glob("model.ckpt-[2-9][0-9].index")))
    preempt(slurm, number)
    status = run.wait(lambda status: "SUCCEEDED" in status)
    assert re.search(r"SUCCEEDED, step 20\d of 200; job", status)
    begun = run.starts()
    assert len(begun) == 2
    assert begun[0] == 0
    assert 20 <= begun[1] < 200
