"""This machine: the tasks of the cluster as processes, under a supervisor that outlives the command.

What a run leaves is in `MODEL_DIR/.runs/NAME`: the plan, the state, and a log for each task.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cloud import local_runs, submission
from cloud.cluster import ClusterSpec
from cloud.job import TrainJob
from cloud.submission import RunStatus, Submission
from cloud.tasks import tf_config, words
from tfod_tools.base.errors import UsageError

OPTIONS = "local"
FILE = "run.json"
_FIRST_PORT, _PORTS = 15000, 16000


def plan(job: TrainJob, cluster: ClusterSpec) -> Submission:
    """The processes, each with its words and its TF_CONFIG.

    Raises:
      ConfigError: the model_dir is not on this machine.
    """
    submission.remote(job, "local", "/")

    def render(name: str, run_id: str) -> dict[str, submission.Content]:
        return {FILE: json.dumps(document(name, run_id, job, cluster), indent=1) + "\n"}

    notes = []
    if any(wanted.accelerators for wanted in cluster.roles.values()):
        notes.append("local shares the GPUs of this machine among all tasks; memory and CPUs are not limited either.")
    return submission.planned("local", cluster, render, notes=tuple(notes))


def document(name: str, run_id: str, job: TrainJob, cluster: ClusterSpec) -> dict[str, Any]:
    """What the supervisor reads. Ports follow from the run id, so that two jobs seldom meet."""
    port = _FIRST_PORT + int(run_id or "0", 16) % _PORTS
    members = tf_config.on_hosts(cluster.counts, ["127.0.0.1"] * len(cluster.tasks), port)
    tasks = []
    for task in cluster.tasks:
        text = tf_config.dump(members, task)
        tasks.append(
            {"task": str(task), "words": words.of_task(job), "environment": {"TF_CONFIG": text} if text else {}}
        )
    schedule = cluster.scheduling
    return {
        "name": name,
        "run_id": run_id,
        "folder": str(Path(job.model_dir, ".runs", name)),
        "restarts": schedule.restarts,
        "time_limit_s": schedule.time_limit_s,
        "environment": dict(cluster.environment),
        "tasks": tasks,
    }


def submit(plan: Submission, cluster: ClusterSpec) -> str:
    """Starts the supervisor, unless one of this plan is at work; returns the folder of the run.

    Raises:
      UsageError: a secret is not in the environment of this command, from which the tasks have it.
    """
    missing = [name for name in cluster.secrets if name not in os.environ]
    if missing:
        raise UsageError(f"{', '.join(missing)}: a secret that local takes from your environment. Set it there.")
    return local_runs.start(_folder(plan), plan.files[FILE])


def status(plan: Submission, cluster: ClusterSpec) -> RunStatus:
    """Where the run is."""
    return local_runs.status(_folder(plan))


def logs(plan: Submission, cluster: ClusterSpec, *, follow: bool) -> Iterator[str]:
    """The logs of the tasks, each line with its task before it."""
    return local_runs.logs(_folder(plan), follow=follow)


def cancel(plan: Submission, cluster: ClusterSpec) -> None:
    """Ends the run; trainers save a checkpoint."""
    local_runs.cancel(_folder(plan))


def _folder(plan: Submission) -> Path:
    return Path(json.loads(plan.files[FILE])["folder"])
