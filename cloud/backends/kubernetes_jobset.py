"""Kubernetes, by JobSet (`jobset.x-k8s.io/v1alpha2`): one job a role, ended when the chief and the evaluator are done.

The cluster is known before anything runs, since JobSet gives pods names of their own:
`<jobset>-<role>-0-<index>.<jobset>`. What a pod learns at its start is its index.
"""

from __future__ import annotations

import json
from typing import Any

from cloud import kubectl, kubernetes_pods
from cloud.cluster import ClusterSpec
from cloud.job import TrainJob
from cloud.submission import Submission
from cloud.tasks import tf_config, words
from cloud.tasks.tf_config import PORT, Task

OPTIONS = kubernetes_pods.OPTIONS
FILE = "jobset.yaml"
_KIND = kubectl.Kind(
    name="jobsets.jobset.x-k8s.io",
    job="jobset.sigs.k8s.io/jobset-name",
    role="jobset.sigs.k8s.io/replicatedjob-name",
    index="batch.kubernetes.io/job-completion-index",
)
submit, status, logs, cancel = _KIND.submit, _KIND.status, _KIND.logs, _KIND.cancel

_BAD_INPUT = [1, 2]  # exit codes that another try would only repeat


def plan(job: TrainJob, cluster: ClusterSpec) -> Submission:
    """The JobSet.

    Raises:
      ConfigError: what `kubernetes_pods.planned` refuses.
    """
    return kubernetes_pods.planned("kubernetes_jobset", FILE, document, job, cluster)


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
