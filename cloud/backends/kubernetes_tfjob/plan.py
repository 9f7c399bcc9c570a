"""The document of the TFJob."""

from __future__ import annotations

from typing import Any

from cloud.backends._kubernetes import pods
from cloud.cluster import DAY_S, ClusterSpec
from cloud.job import TrainJob
from cloud.submission import Submission

FILE = "tfjob.yaml"
_TYPES = {"chief": "Chief", "worker": "Worker", "ps": "PS", "evaluator": "Evaluator"}
_EVALUATOR = (
    "the parameter servers go on after the chief is done, so that the evaluator sees the last checkpoint. The "
    "operator removes all pods a day later. kubernetes_jobset ends them at once."
)


def plan(job: TrainJob, cluster: ClusterSpec) -> Submission:
    """The TFJob.

    Raises:
      ConfigError: see `pods.planned`.
    """
    notes = (_EVALUATOR,) if {"ps", "evaluator"} <= cluster.roles.keys() else ()
    return pods.planned("kubernetes_tfjob", FILE, document, job, cluster, notes)


def document(name: str, run_id: str, job: TrainJob, cluster: ClusterSpec) -> dict[str, Any]:
    """The TFJob, in the form that the API server takes."""
    return {
        "apiVersion": "kubeflow.org/v1",
        "kind": "TFJob",
        "metadata": pods.metadata(name, run_id, cluster),
        "spec": {
            "runPolicy": {
                "cleanPodPolicy": "None" if "evaluator" in cluster.roles else "Running",
                "backoffLimit": cluster.scheduling.restarts,
                "activeDeadlineSeconds": cluster.scheduling.time_limit_s,
                "ttlSecondsAfterFinished": DAY_S,
            },
            "tfReplicaSpecs": {
                _TYPES[role]: {
                    "replicas": wanted.count,
                    "restartPolicy": "ExitCode",
                    "template": {
                        "metadata": {"annotations": {"sidecar.istio.io/inject": "false"}},
                        "spec": pods.pod(role, job, cluster, "tf_config", []),
                    },
                }
                for role, wanted in cluster.roles.items()
            },
        },
    }
