"""The document of the task."""

from __future__ import annotations

import shlex
from typing import Any

from cloud import submission
from cloud.cluster import ClusterSpec
from cloud.job import TrainJob
from cloud.submission import Submission
from cloud.tasks import words
from tfod_tools.base.errors import ConfigError

FILE = "task.yaml"
MOUNT = "/mnt/bucket"


def plan(job: TrainJob, cluster: ClusterSpec) -> Submission:
    """The task.

    Raises:
      ConfigError: skypilot.bucket is missing, the model_dir is not in the bucket, or the job has other roles than
        chief and worker.
    """
    submission.option(cluster, "skypilot", "bucket")
    submission.remote(job, "skypilot", MOUNT)
    if extra := cluster.roles.keys() - {"chief", "worker"}:
        raise ConfigError(
            f"skypilot has nodes of only one kind. It cannot run {' and '.join(sorted(extra))}. Use another back-end."
        )

    def render(name: str, run_id: str) -> dict[str, submission.Content]:
        return {FILE: document(name, job, cluster)}

    return submission.planned(
        "skypilot", cluster, render, lambda name, run_id: ("sky", "jobs", "launch", f"--name={name}", FILE)
    )


def document(name: str, job: TrainJob, cluster: ClusterSpec) -> dict[str, Any]:
    """The task, in the form that SkyPilot reads. Secrets are only named; `sky jobs launch` gets their values."""
    wanted = cluster.roles["chief"]
    gpus = {"accelerators": f"{wanted.accelerator}:{wanted.accelerators}"} if wanted.accelerator else {}
    schedule = cluster.scheduling
    return {
        "name": name,
        "num_nodes": cluster.trainers,
        "resources": {
            **({"infra": cluster.options["infra"]} if "infra" in cluster.options else {}),
            **gpus,
            "cpus": f"{wanted.cpus}+",
            "memory": f"{wanted.memory_gib:g}+",
            "use_spot": schedule.spot,
            "image_id": f"docker:{cluster.image}",
            "job_recovery": {"strategy": "FAILOVER", "max_restarts_on_errors": schedule.restarts},
        },
        "file_mounts": {MOUNT: {"source": cluster.options["bucket"], "mode": "MOUNT"}},
        "envs": {**cluster.environment, words.COUNTS_VARIABLE: words.counts(cluster)},
        **({"secrets": dict.fromkeys(cluster.secrets)} if cluster.secrets else {}),
        "run": f"timeout {schedule.time_limit_s} python {shlex.join(words.of_task(job, 'skypilot'))}\n",
    }
