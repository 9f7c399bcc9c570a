"""The command of each task of a cluster: our launcher, and after `--` the command of the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cloud.cluster import ClusterSpec
    from cloud.job import TrainJob

CONFIG_VARIABLE = "TFOD_PIPELINE_CONFIG"
CLUSTER_VARIABLE = "TFOD_CLUSTER"
ROLE_VARIABLE = "TFOD_ROLE"
COUNTS_VARIABLE = "TFOD_ROLES"


def of_task(job: TrainJob, source: str = "tf_config", *, restarts: int = 0) -> list[str]:
    """Arguments of `python`.

    Args:
      job: what the tasks do together.
      source: where the launcher finds the cluster; see `cloud.tasks.discovery`.
      restarts: how often the launcher itself starts the engine again, if the back-end does not.
    """
    flags = [f"--cluster={source}", *([f"--restarts={restarts}"] if restarts else [])]
    return ["-m", "cloud.tasks.launch", *flags, "--", *job.argv()]


def counts(cluster: ClusterSpec) -> str:
    """The number of tasks of each role, as in TFOD_ROLES: `chief=1,worker=5`."""
    return ",".join(f"{role}={count}" for role, count in cluster.counts.items())


def read_counts(text: str) -> dict[str, int]:
    """The number of tasks by role, from the text that `counts` makes."""
    pairs = (item.partition("=") for item in text.split(","))
    return {role: int(count) for role, _, count in pairs}
