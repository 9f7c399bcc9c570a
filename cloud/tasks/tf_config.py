"""TF_CONFIG: the addresses of a cluster, and which of its tasks a process is.

TensorFlow's clusters have no other interface: `{"cluster": {role: ["host:port", ...]}, "task": {"type": role,
"index": i}}`. These rules hold on every back-end:

- Tasks have ranks: the chief is 0, then come the workers, the parameter servers and the evaluator, each by index.
- The evaluator is a task, but it is never in the cluster. It only reads checkpoints.
- The role is called `chief`; AI Platform called it `master`. Without a chief, worker 0 is the chief.
- A process that is alone has no TF_CONFIG.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ROLES = ("chief", "worker", "ps", "evaluator")
IN_CLUSTER = ("chief", "worker", "ps")
TRAINERS = ("chief", "worker")
PORT = 2222

Counts = Mapping[str, int]
Cluster = dict[str, list[str]]


@dataclass(frozen=True, slots=True, order=True)
class Task:
    """One process of a job: its role, and its index within that role, from 0."""

    role: str
    index: int

    def __str__(self) -> str:
        """Its name in status and logs."""
        return f"{self.role}-{self.index}"


def tasks(counts: Counts) -> tuple[Task, ...]:
    """Every task of a job, by rank.

    Args:
      counts: how many there are, by role. A missing role has none.
    """
    return tuple(Task(role, index) for role in ROLES for index in range(counts.get(role, 0)))


def cluster(counts: Counts, address: Callable[[Task], str]) -> Cluster:
    """The addresses of the tasks in the cluster, by role and in the order of their indices.

    Args:
      counts: as for `tasks`.
      address: the `host:port` of a task.
    """
    found: Cluster = {}
    for task in tasks(counts):
        if task.role in IN_CLUSTER:
            found.setdefault(task.role, []).append(address(task))
    return found


def on_hosts(counts: Counts, hosts: Sequence[str], port: int = PORT) -> Cluster:
    """The cluster whose task of rank r runs on `hosts[r]`. Its port is `port` + r, so tasks can share a host.

    Raises:
      ValueError: there are fewer hosts than tasks.
    """
    ranked = tasks(counts)
    if len(hosts) < len(ranked):
        raise ValueError(f"{len(ranked)} tasks on {len(hosts)} hosts")
    where = {task: f"{hosts[rank]}:{port + rank}" for rank, task in enumerate(ranked)}
    return cluster(counts, where.__getitem__)


def dump(members: Mapping[str, Sequence[str]], task: Task) -> str | None:
    """The text of TF_CONFIG for `task`; None if the process is alone."""
    alone = sum(map(len, members.values())) == 1
    if alone and task.role != "evaluator":
        return None
    described = {"cluster": {role: list(hosts) for role, hosts in members.items()}}
    return json.dumps({**described, "task": {"type": task.role, "index": task.index}}, separators=(",", ":"))


def parse(text: str | None) -> tuple[Cluster, Task]:
    """Cluster and task of a TF_CONFIG from another program, changed to follow the rules above.

    Args:
      text: the environment variable. An empty text, or one without a cluster, means a chief that is alone.

    Raises:
      ValueError: the text is not a TF_CONFIG.
    """
    document: Any = json.loads(text or "{}")
    members = document.get("cluster") or {}
    task = document.get("task") or {"type": "chief", "index": 0}
    roles = {"chief" if role == "master" else role: list(hosts) for role, hosts in members.items()}
    named = Task("chief" if task["type"] == "master" else str(task["type"]), int(task.get("index") or 0))
    if "chief" not in roles and roles.get("worker"):
        roles = {"chief": roles["worker"][:1], "worker": roles["worker"][1:], "ps": roles.get("ps", [])}
        if named.role == "worker":
            named = Task("worker", named.index - 1) if named.index else Task("chief", 0)
    if named.role not in ROLES:
        raise ValueError(f"the task's type is '{named.role}', and the known ones are {', '.join(ROLES)}")
    return {role: roles[role] for role in IN_CLUSTER if roles.get(role)}, named


def num_workers(counts: Counts) -> int:
    """How many processes train: the chief and the workers. `model_main_tf2 --num_workers` takes this number."""
    return sum(counts.get(role, 0) for role in TRAINERS)
