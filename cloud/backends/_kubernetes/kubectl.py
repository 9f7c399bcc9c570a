"""Jobs of Kubernetes, through the user's own kubectl, which knows the address and the credentials of the cluster."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cloud import processes
from cloud.cluster import ClusterSpec
from cloud.submission import ENDED, RunStatus, State, Submission, TaskStatus
from cloud.tasks import progress_lines
from tfod_tools.base.errors import CheckpointError, ConfigError, EngineError, TfodError

_POLL_S = 2.0
_THERE = "AlreadyExists"
_MISSING = "NotFound"
_PODS: Mapping[str, State] = {
    "Pending": "QUEUED", "Running": "RUNNING", "Succeeded": "SUCCEEDED", "Failed": "FAILED", "Unknown": "UNKNOWN",
}  # fmt: skip
# The conditions of TFJob and of JobSet. The first one that holds decides.
_CONDITIONS: tuple[tuple[str, State], ...] = (
    ("Succeeded", "SUCCEEDED"), ("Completed", "SUCCEEDED"), ("Failed", "FAILED"), ("Suspended", "QUEUED"),
    ("Running", "RUNNING"), ("Restarting", "RUNNING"), ("Created", "QUEUED"),
)  # fmt: skip
_UNKNOWN_KIND = (
    "the cluster does not know this kind of job; install its operator, or use the other back-end for Kubernetes"
)
_SILENT = "the cluster does not answer; check the context of kubectl"
_ADVICE = (
    ('namespaces "', "check kubernetes.namespace in the job file"),
    ("exceeded quota", "the quota of the namespace is used up; wait, or ask for less"),
    ("Forbidden", "your account may not do that in this namespace; ask its owner for the role"),
    ("no matches for kind", _UNKNOWN_KIND),
    ("doesn't have a resource type", _UNKNOWN_KIND),
    ("connection refused", _SILENT),
    ("was refused", _SILENT),
    ("no such host", _SILENT),
    ("Unauthorized", "your credentials are not accepted; log in again"),
    ("waiting to start", "a pod has not started yet; look at `tfod submit status`, and try again"),
)
# Log lines of kubectl's libraries, which come before its message, often several times.
_NOISE = re.compile(r"^[IWEF]\d{4} \d\d:\d\d:\d\d.*$\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of Kubernetes object that runs jobs, and the labels that its operator gives to pods.

    Attributes:
      name: of the resource, with its group.
      job: the label with the name of the job.
      role: the label with the role.
      index: the label with the index among the pods of that role.
    """

    name: str
    job: str
    role: str
    index: str

    def submit(self, plan: Submission, cluster: ClusterSpec) -> str:
        """Creates the object of the plan, unless one with its name exists. Returns `kind/name`.

        Raises:
          EngineError, ConfigError: the cluster refuses the request.
        """
        (text,) = plan.files.values()
        done = processes.run([*_kubectl(cluster), "create", "--filename=-"], text)
        if done.status and _THERE in done.err:
            return f"{self._where(plan)} (it was there already)"
        if done.status:
            raise _error(done.err)
        return self._where(plan)

    def status(self, plan: Submission, cluster: ClusterSpec) -> RunStatus:
        """The state of the run, from the conditions of the object, its pods and the log of a trainer.

        Raises:
          CheckpointError: there is no object of this name.
          EngineError, ConfigError: the cluster refuses the request.
        """
        conditions = _got(cluster, self._where(plan)).get("status", {}).get("conditions") or []
        active = {c["type"]: c for c in conditions if c.get("status") == "True"}
        known: tuple[dict[str, Any], State] = next(
            ((active[name], state) for name, state in _CONDITIONS if name in active), ({}, "QUEUED")
        )
        pods = _got(cluster, "pods", f"--selector={self._pods_of(plan)}").get("items", [])
        tasks = tuple(self._task(pod) for pod in pods)
        state = known[1]
        if state == "QUEUED" and any(task.state == "RUNNING" for task in tasks):
            state = "RUNNING"
        # Pods that have not started have no log. The other facts are still of use.
        log = processes.run(self._log_words(plan, cluster, "--tail=200")).out if tasks else ""
        return RunStatus(
            state=state,
            where=self._where(plan),
            step=progress_lines.last_step(log),
            tasks=tasks,
            message=str(known[0].get("message", "")),
        )

    def logs(self, plan: Submission, cluster: ClusterSpec, *, follow: bool) -> Iterator[str]:
        """The logs of the pods; with `follow`, once all of them have started. Each line begins with its task.

        Raises:
          CheckpointError: there is no object of this name.
          EngineError, ConfigError: the cluster refuses the request.
        """
        while follow and not _started(self.status(plan, cluster)):
            time.sleep(_POLL_S)
        words = self._log_words(plan, cluster, "--tail=-1", *(["--follow"] if follow else []))
        yield from processes.lines(words, _error)

    def cancel(self, plan: Submission, cluster: ClusterSpec) -> None:
        """Deletes the object with its pods. Does nothing if there is no such object.

        Raises:
          EngineError, ConfigError: the cluster refuses the request.
        """
        done = processes.run([*_kubectl(cluster), "delete", self._where(plan), "--wait=false"])
        if done.status and _MISSING not in done.err:
            raise _error(done.err)

    def _where(self, plan: Submission) -> str:
        return f"{self.name}/{plan.name}"

    def _pods_of(self, plan: Submission) -> str:
        return f"{self.job}={plan.name}"

    def _log_words(self, plan: Submission, cluster: ClusterSpec, *flags: str) -> list[str]:
        many = ["--max-log-requests=100", "--all-containers"]
        return [*_kubectl(cluster), "logs", f"--selector={self._pods_of(plan)}", *many, *flags]

    def _task(self, pod: dict[str, Any]) -> TaskStatus:
        labels = pod["metadata"].get("labels", {})
        statuses = pod.get("status", {}).get("containerStatuses") or [{}]
        ended = statuses[0].get("state", {}).get("terminated") or {}
        return TaskStatus(
            task=f"{labels.get(self.role, 'pod').lower()}-{labels.get(self.index, 0)}",
            state=_PODS.get(pod.get("status", {}).get("phase", ""), "UNKNOWN"),
            restarts=int(statuses[0].get("restartCount", 0)),
            exit_code=ended.get("exitCode"),
        )


def _started(run: RunStatus) -> bool:
    """Whether there is a log of every task: kubectl cannot follow the others."""
    return run.state in ENDED or (bool(run.tasks) and all(task.state != "QUEUED" for task in run.tasks))


def _kubectl(cluster: ClusterSpec) -> list[str]:
    return ["kubectl", f"--namespace={cluster.options.get('namespace', 'default')}"]


def _got(cluster: ClusterSpec, *words: str) -> dict[str, Any]:
    done = processes.run([*_kubectl(cluster), "get", *words, "--output=json"])
    if done.status:
        raise _error(done.err)
    found: dict[str, Any] = json.loads(done.out)
    return found


def _error(said: str) -> TfodError:
    """The error in the words of kubectl, with advice if there is some."""
    said = _NOISE.sub("", said)
    message = said.removeprefix("Error from server ").strip() or "it failed without a message"
    advice = next((advice for words, advice in _ADVICE if words.lower() in said.lower()), None)
    if advice is None and _MISSING in said:
        return CheckpointError(f"the cluster has no job of this name: {message}. Start it with `tfod submit run`.")
    if advice is None and ("invalid" in said or "strict decoding" in said):
        return ConfigError(f"the cluster refuses the document: {message}")
    return EngineError(f"kubectl: {message}{f' ({advice})' if advice else ''}")
