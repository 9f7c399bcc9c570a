"""The processes of a run, as JSON for the supervisor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cloud import submission
from cloud.cluster import ClusterSpec
from cloud.job import TrainJob
from cloud.submission import Submission
from cloud.tasks import tf_config, words

FILE = "run.json"
_FIRST_PORT, _PORTS = 15000, 16000


def plan(job: TrainJob, cluster: ClusterSpec) -> Submission:
    """The processes, each with its command and its TF_CONFIG.

    Raises:
      ConfigError: the model_dir is not on this machine.
    """
    submission.remote(job, "local", "/")

    def render(name: str, run_id: str) -> dict[str, submission.Content]:
        return {FILE: json.dumps(document(name, run_id, job, cluster), indent=1) + "\n"}

    notes = []
    if any(wanted.accelerators for wanted in cluster.roles.values()):
        notes.append("all tasks share the GPUs of this machine, and local limits neither their memory nor their CPUs.")
    return submission.planned("local", cluster, render, notes=tuple(notes))


def document(name: str, run_id: str, job: TrainJob, cluster: ClusterSpec) -> dict[str, Any]:
    """What the supervisor reads. The ports depend on the run id, so two jobs rarely have the same ones."""
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
