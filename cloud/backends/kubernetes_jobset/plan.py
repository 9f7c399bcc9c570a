"""The document of the JobSet."""

from __future__ import annotations

import json
from typing import Any

from cloud.backends._kubernetes import pods
from cloud.cluster import ClusterSpec
from cloud.job import TrainJob
from cloud.submission import Submission
from cloud.tasks import tf_config, words
from cloud.tasks.tf_config import PORT, Task

FILE = "jobset.yaml"
SOURCE = "kubernetes_jobset"
_BAD_INPUT = [1, 2]  # exit codes after which another try cannot help


def plan(job: TrainJob, cluster: ClusterSpec) -> Submission:
    """The JobSet.

    Raises:
      ConfigError: see `pods.planned`.
    """
    return pods.planned(SOURCE, FILE, document, job, cluster)


def document(name: str, run_id: str, job: TrainJob, cluster: ClusterSpec) -> dict[str, Any]:
    """The JobSet, in the form that the API server takes."""
    decide = [role for role in ("chief", "evaluator") if role in cluster.roles]
    restarts = cluster.scheduling.restarts
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": pods.metadata(name, run_id, cluster),
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
                    "onExitCodes": {"containerName": pods.CONTAINER, "operator": "In", "values": _BAD_INPUT},
                },
            ]
        },
        "template": {"spec": {"restartPolicy": "Never", **pods.pod(role, job, cluster, SOURCE, env)}},
    }
