"""Kubernetes, by TFJob (`kubeflow.org/v1`) of the Kubeflow Training Operator v1; its successor knows no TensorFlow.

The operator sets TF_CONFIG. Once the chief is done it takes the job for done; `cleanPodPolicy: Running` then ends the
parameter servers, and would end an evaluator before it has seen the last checkpoint, so that with one it is `None`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cloud import kubectl, kubernetes_pods, submission
from cloud.cluster import DAY_S, ClusterSpec
from cloud.job import TrainJob
from cloud.submission import RunStatus, Submission

OPTIONS = kubernetes_pods.OPTIONS
FILE = "tfjob.yaml"
KIND = "tfjobs.kubeflow.org"
_TYPES = {"chief": "Chief", "worker": "Worker", "ps": "PS", "evaluator": "Evaluator"}
_EVALUATOR = (
    "the parameter servers run on after the chief is done, so that the evaluator sees the last checkpoint; the "
    "operator removes all pods a day later. kubernetes_jobset ends them at once."
)


def plan(job: TrainJob, cluster: ClusterSpec) -> Submission:
    """The TFJob.

    Raises:
      ConfigError: what `kubernetes_pods.check` refuses.
    """
    kubernetes_pods.check(job, cluster, "kubernetes_tfjob")

    def render(name: str, run_id: str) -> dict[str, submission.Content]:
        return {FILE: document(name, run_id, job, cluster)}

    notes = (*kubernetes_pods.notes(cluster), *([_EVALUATOR] if {"ps", "evaluator"} <= cluster.roles.keys() else []))
    return submission.planned(
        "kubernetes_tfjob", cluster, render, lambda name, run_id: kubernetes_pods.command(FILE), notes
    )


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


def submit(plan: Submission, cluster: ClusterSpec) -> str:
    """Creates the TFJob, unless it is there; returns its name."""
    return kubectl.create(plan, cluster, KIND)


def status(plan: Submission, cluster: ClusterSpec) -> RunStatus:
    """Where it is, from its conditions and its pods."""
    return kubectl.status(
        plan, cluster, KIND, "training.kubeflow.org/replica-type", "training.kubeflow.org/replica-index"
    )


def logs(plan: Submission, cluster: ClusterSpec, *, follow: bool) -> Iterator[str]:
    """The logs of its pods."""
    return kubectl.logs(plan, cluster, f"training.kubeflow.org/job-name={plan.name}", follow=follow)


def cancel(plan: Submission, cluster: ClusterSpec) -> None:
    """Deletes it."""
    kubectl.delete(plan, cluster, KIND)
