"""Clusters of the real engine on this machine, from a job file to a frozen graph. One worker is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from support import tiny_run

from record_builders.sources import shapes

pytestmark = pytest.mark.long

_PATIENCE_S = 600
ROLES = {
    "estimator": ("tf1", "chief", "worker", "ps", "evaluator"),
    "multi_worker_mirrored": ("tf2", "chief", "worker"),
}


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards, one for each trainer."""
    folder = tmp_path_factory.mktemp("data")
    shapes.write_voc(folder / "voc", 12)
    flags = (f"--annotations={folder / 'voc'}", f"--output={folder / 'records'}", "--val_fraction=0.25", "--shards=2")
    tiny_run.tfod("make_records", *flags)
    return folder / "records"


class Run:
    """A cluster in `folder`, controlled with the same commands that a user has."""

    def __init__(self, records: Path, folder: Path, strategy: str, steps: int, checkpoint_every: int) -> None:
        style, *roles = ROLES[strategy]
        tiny_run.make_config(records, style, folder / "pipeline.config")
        cluster = ", ".join(f"{role}: {{cpus: 1, memory: 2Gi}}" for role in roles)
        (folder / "job.yaml").write_text(
            f"name: cluster\nstrategy: {strategy}\nconfig: pipeline.config\nmodel_dir: model\nsteps: {steps}\n"
            f"checkpoint_every: {checkpoint_every}\ncluster: {{{cluster}}}\n"
        )
        self.model = folder / "model"
        self._flags = (f"--job={folder / 'job.yaml'}", "--backend=local")

    def submit(self, action: str, *flags: str, expect: int = 0) -> str:
        return tiny_run.tfod("submit", action, *self._flags, *flags, expect=expect)

    def states(self) -> dict[str, tuple[str, int]]:
        """State and restarts of each task."""
        (state,) = self.model.glob(".runs/*/state.json")
        return {task["task"]: (task["state"], task["restarts"]) for task in json.loads(state.read_text())["tasks"]}

    def log(self, task: str) -> str:
        return "".join(path.read_text(errors="replace") for path in self.model.glob(f".runs/*/{task}.log"))

    def wait(self, there: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not there():
            assert "is RUNNING" in f"is {self.run_state()}", self.submit("logs")[-4000:]
            assert time.monotonic() < deadline, self.submit("logs")[-4000:]
            time.sleep(0.3)

    def run_state(self) -> str:
        (state,) = self.model.glob(".runs/*/state.json")
        return str(json.loads(state.read_text())["state"])

    def end(self) -> str:
        """Waits for the end. Returns the status."""
        deadline = time.monotonic() + _PATIENCE_S
        while self.run_state() == "RUNNING":
            assert time.monotonic() < deadline, self.submit("logs")[-4000:]
            time.sleep(0.5)
        return self.submit("status")

    def kill(self, task: str) -> None:
        """Kills the launcher of a task and its engine, as if the machine failed."""
        (state,) = self.model.glob(".runs/*/state.json")
        (process,) = [entry["pid"] for entry in json.loads(state.read_text())["tasks"] if entry["task"] == task]
        engines = psutil.Process(process).children(recursive=True)
        os.kill(process, signal.SIGKILL)
        for engine in engines:
            engine.kill()

    def last_step(self, task: str) -> int:
        steps = re.findall(rf"^{task}: step (\d+) of", self.log(task), re.MULTILINE)
        return int(steps[-1]) if steps else 0


def frozen_graph(run: Run) -> Path:
    """The graph that `export` writes."""
    out = run.model / "export"
    tiny_run.tfod("export", f"--model_dir={run.model}", f"--output={out}", "--format=frozen_graph")
    return out / "frozen_inference_graph.pb"


@pytest.mark.parametrize("strategy", ROLES)
def test_a_worker_is_killed_and_replaced(strategy: str, records: Path, tmp_path: Path) -> None:
    steps = 200 if strategy == "estimator" else 60  # with estimator, the others go on without the worker
    run = Run(records, tmp_path, strategy, steps=steps, checkpoint_every=20)
    run.submit("run")
    assert "it was running already" in run.submit("run")
    # Asynchronous workers can miss the exact step. The first checkpoint is that of step 0.
    saved = "model.ckpt-[2-9][0-9].index" if strategy == "estimator" else "ckpt-2.index"
    run.wait(lambda: any(run.model.glob(saved)))
    if strategy == "estimator":
        run.wait(lambda: "worker-0: starts" in run.log("worker-0"))
    run.kill("worker-0")
    status = run.end()
    reached = re.search(r"SUCCEEDED, step (\d+) of", status)
    assert reached, run.submit("logs")[-4000:]
    assert steps <= int(reached[1]) <= steps + 2
    states = run.states()
    assert {state for state, _ in states.values()} == {"SUCCEEDED"}
    assert states["worker-0"][1] >= 1
    assert run.log("worker-0").count("worker-0: starts at step") >= 2
    starts = [int(step) for step in re.findall(r"^worker-0: starts at step (\d+)", run.log("worker-0"), re.MULTILINE)]
    assert starts[0] == 0
    assert starts[-1] >= 20
    if strategy == "estimator":
        assert re.search(r"evaluator-0: evaluated step 20\d", run.log("evaluator-0"))
        assert "worker-0: step" in run.log("worker-0").rpartition("worker-0: starts at step")[2]
        assert states["chief-0"][1] == 0
    assert not list(run.model.glob("temp_worker_*"))
    assert frozen_graph(run).stat().st_size > 1e6
