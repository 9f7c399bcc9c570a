"""Kubernetes, by TFJob (`kubeflow.org/v1`) of the Kubeflow Training Operator v1; its successor knows no TensorFlow.

The operator sets TF_CONFIG. Once the chief is done it takes the job for done; `cleanPodPolicy: Running` then ends the
parameter servers, and would end an evaluator before it has seen the last checkpoint, so that with one it is `None`.
"""

from __future__ import annotations

from typing import Any

from cloud import kubectl, kubernetes_pods
from cloud.cluster import DAY_S, ClusterSpec
from cloud.job import TrainJob
from cloud.submission import Submission

OPTIONS = kubernetes_pods.OPTIONS
FILE = "tfjob.yaml"
_KIND = kubectl.Kind(
    name="tfjobs.kubeflow.org",
    job="training.kubeflow.org/job-name",
    role="training.kubeflow.org/replica-type",
    index="training.kubeflow.org/replica-index",
)
submit, status, logs, cancel = _KIND.submit, _KIND.status, _KIND.logs, _KIND.cancel

_TYPES = {"chief": "Chief", "worker": "Worker", "ps": "PS", "evaluator": "Evaluator"}
_EVALUATOR = (
    "the parameter servers run on after the chief is done, so that the evaluator sees the last checkpoint; the "
    "operator removes all pods a day later. kubernetes_jobset ends them at once."
)


def plan(job: TrainJob, cluster: ClusterSpec) -> Submission:
    """The TFJob.

    Raises:
      ConfigError: what `kubernetes_pods.planned` refuses.
    """
    notes = (_EVALUATOR,) if {"ps", "evaluator"} <= cluster.roles.keys() else ()
    return kubernetes_pods.planned("kubernetes_tfjob", FILE, document, job, cluster, notes)


def document(name: str, run_id: str, job: TrainJob, cluster: ClusterSpec) -> dict[str, Any]:
    """The TFJob as the API server takes it."""
    return {
        "apiVersion": "kubeflow.org/v1",
        "kind": "TFJob",
        "metadata": kubernetes_pods.metadata(name, run_id, cluster),
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
                        "spec": kubernetes_pods.pod(role, job, cluster, "tf_config", []),
                    },
                }
                for role, wanted in cluster.roles.items()
            },
        },
    }
