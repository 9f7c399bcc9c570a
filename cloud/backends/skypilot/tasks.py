"""Finds the cluster and the task of this process from the addresses of the nodes."""

from __future__ import annotations

from collections.abc import Mapping

from cloud.tasks import tf_config, words
from cloud.tasks.tf_config import Cluster, Task


def find(environment: Mapping[str, str]) -> tuple[Cluster, Task]:
    """See `cloud.backends.Tasks`. The nodes are in the order of the ranks."""
    counts = words.read_counts(environment[words.COUNTS_VARIABLE])
    hosts = environment["SKYPILOT_NODE_IPS"].split()
    return tf_config.on_hosts(counts, hosts), tf_config.tasks(counts)[int(environment["SKYPILOT_NODE_RANK"])]
