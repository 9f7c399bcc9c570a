"""Finds the cluster and the task of this process from the allocation of a job."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping

from cloud import processes
from cloud.tasks import tf_config, words
from cloud.tasks.tf_config import Cluster, Task

_FIRST_PORT, _PORTS_PER_JOB, _JOBS = 15000, 32, 500


def find(environment: Mapping[str, str]) -> tuple[Cluster, Task]:
    """See `cloud.backends.Tasks`. The addresses are such that the network can find them."""
    members, task = allocated(environment)
    return {role: [_address(host) for host in hosts] for role, hosts in members.items()}, task


def allocated(environment: Mapping[str, str]) -> tuple[Cluster, Task]:
    """The cluster with the names of nodes as addresses, and the task.

    Each node has one task. In each component of the job, the roles follow each other in the order of the nodes. The
    number of the job decides the first port, so that several jobs can share nodes. The rank of a task is added, so that
    several nodes can share a machine.

    Raises:
      ValueError, KeyError: the environment is not that of a task.
    """
    groups = [words.read_counts(text) for text in environment[words.COUNTS_VARIABLE].split(";")]
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


def _address(host_and_port: str) -> str:
    """The same with the node's own address, if the network does not know its name in Slurm."""
    node, _, port = host_and_port.rpartition(":")
    try:
        socket.getaddrinfo(node, None)
    except OSError:
        done = processes.run(["scontrol", "--oneliner", "show", "node", node])
        match = re.search(r" NodeAddr=(\S+)", done.out)
        return f"{match[1]}:{port}" if match else host_and_port
    return host_and_port
