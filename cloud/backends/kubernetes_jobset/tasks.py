"""Finds the cluster and the task of this process: the plan has the cluster, and the pod has its index."""

from __future__ import annotations

import json
from collections.abc import Mapping

from cloud.tasks import words
from cloud.tasks.tf_config import Cluster, Task


def find(environment: Mapping[str, str]) -> tuple[Cluster, Task]:
    """See `cloud.backends.Tasks`."""
    members = json.loads(environment[words.CLUSTER_VARIABLE])
    return members, Task(environment[words.ROLE_VARIABLE], int(environment["JOB_COMPLETION_INDEX"]))
