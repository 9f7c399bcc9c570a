"""The words with which every task of a cluster starts: our launcher, and after `--` the words of the job."""

from __future__ import annotations

from typing import Literal

from cloud.cluster import ClusterSpec
from cloud.job import TrainJob

# Where the launcher learns who is in the cluster; see `cloud.tasks.launch`.
Source = Literal["tf_config", "jobset", "slurm", "skypilot", "sagemaker"]

CONFIG_VARIABLE = "TFOD_PIPELINE_CONFIG"
CLUSTER_VARIABLE = "TFOD_CLUSTER"
ROLE_VARIABLE = "TFOD_ROLE"
COUNTS_VARIABLE = "TFOD_ROLES"


def of_task(job: TrainJob, source: Source = "tf_config", *, restarts: int = 0) -> list[str]:
    """Arguments of `python`.

    Args:
      job: what the task takes part in.
      source: where the launcher finds the cluster.
      restarts: how often the launcher itself starts the engine again, where the back-end would not.
    """
    flags = [f"--cluster={source}", *([f"--restarts={restarts}"] if restarts else [])]
    return ["-m", "cloud.tasks.launch", *flags, "--", *job.argv()]


def counts(cluster: ClusterSpec) -> str:
    """The number of tasks by role, as `TFOD_ROLES` has it: `chief=1,worker=5`."""
    return ",".join(f"{role}={count}" for role, count in cluster.counts.items())
