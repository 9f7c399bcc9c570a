"""Finds the cluster and the task of this process from a file that the service writes into the container."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from cloud.tasks import tf_config
from cloud.tasks.tf_config import Cluster, Task

_FILE = "/opt/ml/input/config/resourceconfig.json"


def find(environment: Mapping[str, str]) -> tuple[Cluster, Task]:
    """See `cloud.backends.Tasks`. The name of an instance group is that of its role."""
    described = json.loads(Path(environment.get("TFOD_SAGEMAKER_FILE", _FILE)).read_text(encoding="utf-8"))
    groups = {
        group["instance_group_name"]: sorted(group["hosts"], key=_by_number) for group in described["instance_groups"]
    }
    placed = {Task(role, index): host for role, hosts in groups.items() for index, host in enumerate(hosts)}
    counts = {role: len(hosts) for role, hosts in groups.items()}
    members = tf_config.on_hosts(counts, [placed[task] for task in tf_config.tasks(counts)])
    return members, next(task for task, host in placed.items() if host == described["current_host"])


def _by_number(host: str) -> tuple[str, int]:
    """Sorts `algo-10` after `algo-9`."""
    match = re.fullmatch(r"(.*?)(\d*)", host)
    return (match[1], int(match[2] or 0)) if match else (host, 0)
