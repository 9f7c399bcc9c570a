"""Kubernetes by the user's own kubectl, which has the cluster's address and credentials."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cloud import processes, progress_lines
from cloud.cluster import ClusterSpec
from cloud.submission import RunStatus, State, Submission, TaskStatus
from tfod_tools.base.errors import CheckpointError, ConfigError, EngineError

_THERE = "AlreadyExists"
_MISSING = "NotFound"
_PODS: Mapping[str, State] = {
    "Pending": "QUEUED", "Running": "RUNNING", "Succeeded": "SUCCEEDED", "Failed": "FAILED", "Unknown": "UNKNOWN",
}  # fmt: skip
# The conditions of TFJob and of JobSet, the last word first.
_CONDITIONS: tuple[tuple[str, State], ...] = (
    ("Succeeded", "SUCCEEDED"), ("Completed", "SUCCEEDED"), ("Failed", "FAILED"), ("Suspended", "QUEUED"),
    ("Running", "RUNNING"), ("Restarting", "RUNNING"), ("Created", "QUEUED"),
)  # fmt: skip
_ADVICE = (
    ("NotFound", "not there"),
    ("exceeded quota", "the namespace's quota is used up; wait, or ask for less"),
    ("Forbidden", "your account may not do that in this namespace; ask its owner for the role"),
    (
        "no matches for kind",
        "the cluster does not know this kind of job; install its operator, or take the other back-end",
    ),
    ("connection refused", "the cluster does not answer; check the context of kubectl"),
    ("Unauthorized", "your credentials are not accepted; log in again"),
)


def create(plan: Submission, cluster: ClusterSpec, kind: str) -> str:
    """Creates what the plan holds, unless something of its name is there; returns `kind/name`.

    Raises:
      EngineError, ConfigError: the cluster refuses it.
    """
    (text,) = plan.files.values()
    done = processes.run([*_kubectl(cluster), "create", "--filename=-"], text)
    if done.status and _THERE in done.err:
        return f"{kind}/{plan.name} (it was there already)"
    if done.status:
        raise _error(done.err)
    return f"{kind}/{plan.name}"


def status(plan: Submission, cluster: ClusterSpec, kind: str, role_label: str, index_label: str) -> RunStatus:
    """Where it is, from its own conditions, its pods and the chief's log.

    Raises:
      CheckpointError: nothing of that name is there.
      EngineError, ConfigError: the cluster refuses to tell.
    """
    done = processes.run([*_kubectl(cluster), "get", f"{kind}/{plan.name}", "--output=json"])
    if done.status:
        raise _error(done.err)
    conditions = json.loads(done.out).get("status", {}).get("conditions") or []
    active = {c["type"]: c for c in conditions if c.get("status") == "True"}
    known: tuple[dict[str, Any], State] = next(
        ((active[name], state) for name, state in _CONDITIONS if name in active), ({}, "QUEUED")
    )
    pods = _pods(plan, cluster, _selector(kind, plan))
    tasks = tuple(_task(pod, role_label, index_label) for pod in pods)
    state = known[1]
    if state == "QUEUED" and any(task.state == "RUNNING" for task in tasks):
        state = "RUNNING"
    log = "\n".join(logs(plan, cluster, _selector(kind, plan), follow=False, tail=200)) if tasks else ""
    message = str(known[0].get("message", ""))
    return RunStatus(
        state=state, where=f"{kind}/{plan.name}", step=progress_lines.last_step(log), tasks=tasks, message=message
    )


def logs(plan: Submission, cluster: ClusterSpec, selector: str, *, follow: bool, tail: int = -1) -> Iterator[str]:
    """The logs of the pods that `selector` selects; the launcher has put the task before each of its lines."""
    many = ["--max-log-requests=100", f"--tail={tail}", "--all-containers"]
    words = [*_kubectl(cluster), "logs", f"--selector={selector}", *many, *(["--follow"] if follow else [])]
    return processes.lines(words)


def delete(plan: Submission, cluster: ClusterSpec, kind: str) -> None:
    """Deletes it with its pods; nothing happens where it is not there.

    Raises:
      EngineError, ConfigError: the cluster refuses.
    """
    done = processes.run([*_kubectl(cluster), "delete", f"{kind}/{plan.name}", "--wait=false"])
    if done.status and _MISSING not in done.err:
        raise _error(done.err)


def _kubectl(cluster: ClusterSpec) -> list[str]:
    return ["kubectl", f"--namespace={cluster.options.get('namespace', 'default')}"]


def _selector(kind: str, plan: Submission) -> str:
    label = "training.kubeflow.org/job-name" if kind.startswith("tfjobs") else "jobset.sigs.k8s.io/jobset-name"
    return f"{label}={plan.name}"


def _pods(plan: Submission, cluster: ClusterSpec, selector: str) -> list[dict[str, Any]]:
    done = processes.run([*_kubectl(cluster), "get", "pods", f"--selector={selector}", "--output=json"])
    if done.status:
        raise _error(done.err)
    items: list[dict[str, Any]] = json.loads(done.out).get("items", [])
    return items


def _task(pod: dict[str, Any], role_label: str, index_label: str) -> TaskStatus:
    labels = pod["metadata"].get("labels", {})
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    ended = statuses[0].get("state", {}).get("terminated") or {}
    return TaskStatus(
        task=f"{labels.get(role_label, 'pod').lower()}-{labels.get(index_label, 0)}",
        state=_PODS.get(pod.get("status", {}).get("phase", ""), "UNKNOWN"),
        restarts=int(statuses[0].get("restartCount", 0)),
        exit_code=ended.get("exitCode"),
    )


def _error(said: str) -> EngineError | ConfigError | CheckpointError:
    """What kubectl said, with what to do where that is known."""
    message = said.removeprefix("Error from server ").strip() or "kubectl failed without a word"
    advice = next((advice for words, advice in _ADVICE if words.lower() in said.lower()), None)
    if advice == "not there":
        return CheckpointError(f"nothing of that name is in the cluster: {message}. `submit run` starts it.")
    if "invalid" in said or "strict decoding" in said:
        return ConfigError(f"the cluster refuses the document: {message}")
    return EngineError(f"kubectl: {message}{f' ({advice})' if advice else ''}")
