"""Kubernetes, by JobSet (`jobset.x-k8s.io/v1alpha2`): one job a role, ended when the chief and the evaluator are done.

The cluster is known before anything runs, since JobSet gives pods names of their own:
`<jobset>-<role>-0-<index>.<jobset>`. What a pod learns at its start is its index.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cloud import kubectl, kubernetes_pods, submission, tf_config, words
from cloud.cluster import ClusterSpec
from cloud.job import TrainJob
from cloud.submission import RunStatus, Submission
from cloud.tf_config import PORT, Task

OPTIONS = kubernetes_pods.OPTIONS
FILE = "jobset.yaml"
KIND = "jobsets.jobset.x-k8s.io"
_BAD_INPUT = [1, 2]  # exit codes that another try would only repeat


def plan(job: TrainJob, cluster: ClusterSpec) -> Submission:
    """The JobSet.

    Raises:
      ConfigError: what `kubernetes_pods.check` refuses.
    """
    kubernetes_pods.check(job, cluster, "kubernetes_jobset")

    def render(name: str, run_id: str) -> dict[str, submission.Content]:
        return {FILE: document(name, run_id, job, cluster)}

    return submission.planned(
        "kubernetes_jobset",
        cluster,
        render,
        lambda name, run_id: kubernetes_pods.command(FILE),
        kubernetes_pods.notes(cluster),
    )


def document(name: str, run_id: str, job: TrainJob, cluster: ClusterSpec) -> dict[str, Any]:
    """The JobSet as the API server takes it."""
    decide = [role for role in ("chief", "evaluator") if role in cluster.roles]
    restarts = cluster.scheduling.restarts
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": kubernetes_pods.metadata(name, run_id, cluster),
        "spec": {
            "network": {"enableDNSHostnames": True, "subdomain": name, "publishNotReadyAddresses": True},
            "successPolicy": {"operator": "All", "targetReplicatedJobs": decide},
            "failurePolicy": {
                "maxRestarts": restarts,
                "rules": [{"action": "FailJobSet", "onJobFailureReasons": ["PodFailurePolicy"]}],
            },
            "replicatedJobs": [
                {"name": role, "replicas": 1, "template": {"spec": _job(role, name, job, cluster)}}
                for role in cluster.roles
            ],
        },
    }


def _job(role: str, name: str, job: TrainJob, cluster: ClusterSpec) -> dict[str, Any]:
    def address(task: Task) -> str:
        return f"{name}-{task.role}-0-{task.index}.{name}:{PORT}"

    count = cluster.roles[role].count
    members = json.dumps(tf_config.cluster(cluster.counts, address), separators=(",", ":"))
    env = [{"name": words.CLUSTER_VARIABLE, "value": members}, {"name": words.ROLE_VARIABLE, "value": role}]
    return {
        "parallelism": count,
        "completions": count,
        "completionMode": "Indexed",
        "backoffLimit": cluster.scheduling.restarts,
        "activeDeadlineSeconds": cluster.scheduling.time_limit_s,
        "podFailurePolicy": {
            "rules": [
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                {
                    "action": "FailJob",
                    "onExitCodes": {"containerName": kubernetes_pods.CONTAINER, "operator": "In", "values": _BAD_INPUT},
                },
            ]
        },
        "template": {"spec": {"restartPolicy": "Never", **kubernetes_pods.pod(role, job, cluster, "jobset", env)}},
    }


def submit(plan: Submission, cluster: ClusterSpec) -> str:
    """Creates the JobSet, unless it is there; returns its name."""
    return kubectl.create(plan, cluster, KIND)


def status(plan: Submission, cluster: ClusterSpec) -> RunStatus:
    """Where it is, from its conditions and its pods."""
    return kubectl.status(
        plan, cluster, KIND, "jobset.sigs.k8s.io/replicatedjob-name", "batch.kubernetes.io/job-completion-index"
    )


def logs(plan: Submission, cluster: ClusterSpec, *, follow: bool) -> Iterator[str]:
    """The logs of its pods."""
    return kubectl.logs(plan, cluster, f"jobset.sigs.k8s.io/jobset-name={plan.name}", follow=follow)


def cancel(plan: Submission, cluster: ClusterSpec) -> None:
    """Deletes it."""
    kubectl.delete(plan, cluster, KIND)
