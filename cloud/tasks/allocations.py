"""Who is in the cluster, as each back-end tells a task at its start: from the environment to a cluster and a task."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from cloud.tasks import tf_config, words
from cloud.tasks.tf_config import Cluster, Task

Environment = Mapping[str, str]

_FIRST_PORT, _PORTS_PER_JOB, _JOBS = 15000, 32, 500
_SAGEMAKER_FILE = "/opt/ml/input/config/resourceconfig.json"


def load(source: str, environment: Environment) -> tuple[Cluster, Task]:
    """Cluster and task as `source` tells them.

    Raises:
      ValueError, KeyError: the environment does not hold what the source promises.
    """
    return SOURCES[source](environment)


def from_tf_config(environment: Environment) -> tuple[Cluster, Task]:
    """From a TF_CONFIG that the back-end has set; without one, a chief that is alone."""
    return tf_config.parse(environment.get("TF_CONFIG"))


def from_jobset(environment: Environment) -> tuple[Cluster, Task]:
    """The cluster is part of the plan; the index is that of the pod in its job."""
    members = json.loads(environment[words.CLUSTER_VARIABLE])
    return members, Task(environment[words.ROLE_VARIABLE], int(environment["JOB_COMPLETION_INDEX"]))


def from_slurm(environment: Environment) -> tuple[Cluster, Task]:
    """From the nodes of the allocation: a task a node, the roles one after the other, in each component of the job.

    Ports follow from the job's number, so that jobs can share nodes, and from the rank, so that nodes can share
    a machine.
    """
    groups = [_counts(text) for text in environment[words.COUNTS_VARIABLE].split(";")]
    hosts: dict[Task, str] = {}
    for index, counts in enumerate(groups):
        variable = "SLURM_JOB_NODELIST" if len(groups) == 1 else f"SLURM_JOB_NODELIST_HET_GROUP_{index}"
        nodes = expand(environment[variable])
        tasks = tf_config.tasks(counts)
        if len(nodes) < len(tasks):
            raise ValueError(f"{variable} names {len(nodes)} nodes for {len(tasks)} tasks")
        hosts.update(zip(tasks, nodes, strict=False))
    number = int(environment.get("SLURM_HET_JOB_ID") or environment["SLURM_JOB_ID"])
    port = _FIRST_PORT + number % _JOBS * _PORTS_PER_JOB
    totals = {role: count for counts in groups for role, count in counts.items()}
    ranked = tf_config.tasks(totals)
    members = tf_config.on_hosts(totals, [hosts[task] for task in ranked], port)
    return members, Task(environment[words.ROLE_VARIABLE], int(environment["SLURM_PROCID"]))


def from_skypilot(environment: Environment) -> tuple[Cluster, Task]:
    """From the addresses of the nodes, by rank."""
    counts = _counts(environment[words.COUNTS_VARIABLE])
    hosts = environment["SKYPILOT_NODE_IPS"].split()
    return tf_config.on_hosts(counts, hosts), tf_config.tasks(counts)[int(environment["SKYPILOT_NODE_RANK"])]


def from_sagemaker(environment: Environment) -> tuple[Cluster, Task]:
    """From the file that the service leaves in the container; an instance group has the name of its role."""
    described = json.loads(Path(environment.get("TFOD_SAGEMAKER_FILE", _SAGEMAKER_FILE)).read_text(encoding="utf-8"))
    groups = {
        group["instance_group_name"]: sorted(group["hosts"], key=_by_number) for group in described["instance_groups"]
    }
    placed = {Task(role, index): host for role, hosts in groups.items() for index, host in enumerate(hosts)}
    counts = {role: len(hosts) for role, hosts in groups.items()}
    members = tf_config.on_hosts(counts, [placed[task] for task in tf_config.tasks(counts)])
    return members, next(task for task, host in placed.items() if host == described["current_host"])


SOURCES: Mapping[str, Callable[[Environment], tuple[Cluster, Task]]] = {
    "tf_config": from_tf_config,
    "jobset": from_jobset,
    "slurm": from_slurm,
    "skypilot": from_skypilot,
    "sagemaker": from_sagemaker,
}


def expand(nodes: str) -> list[str]:
    """The names in a node list of Slurm, in their order: `n[08-10],gpu3` is n08, n09, n10, gpu3."""
    parts = re.findall(r"(?:[^,\[]|\[[^\]]*\])+", nodes)
    return [name for part in parts for name in _expand(part)]


def _expand(part: str) -> Iterator[str]:
    match = re.search(r"\[([^\]]*)\]", part)
    if match is None:
        yield part
        return
    for item in match[1].split(","):
        first, _, last = item.partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield from _expand(f"{part[: match.start()]}{number:0{len(first)}d}{part[match.end() :]}")


def _counts(text: str) -> dict[str, int]:
    pairs = (item.partition("=") for item in text.split(","))
    return {role: int(count) for role, _, count in pairs}


def _by_number(host: str) -> tuple[str, int]:
    """`algo-10` after `algo-9`."""
    match = re.fullmatch(r"(.*?)(\d*)", host)
    return (match[1], int(match[2] or 0)) if match else (host, 0)
