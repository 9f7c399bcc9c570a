"""The plan of a Kubernetes job, and the pod of a role, for both kinds of jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloud import submission
from cloud.cluster import ClusterSpec, Role
from cloud.job import TrainJob
from cloud.submission import Submission
from cloud.tasks import words
from cloud.tasks.tf_config import PORT
from tfod_tools.base.errors import ConfigError

CONTAINER = "tensorflow"  # the controller of TFJob looks for this name
_REMOTE = ("gs://",)

Document = Callable[[str, str, TrainJob, ClusterSpec], dict[str, Any]]


def planned(
    backend: str, file: str, document: Document, job: TrainJob, cluster: ClusterSpec, notes: tuple[str, ...] = ()
) -> Submission:
    """The submission with one file, which `document` makes from name, run id, job and cluster.

    Raises:
      ConfigError: the model_dir is neither remote nor on the volume, or an option of the block kubernetes is missing or
        wrong.
    """
    _check(job, cluster, backend)

    def render(name: str, run_id: str) -> dict[str, submission.Content]:
        return {file: document(name, run_id, job, cluster)}

    command = ("kubectl", "create", f"--filename={file}")
    return submission.planned(backend, cluster, render, lambda name, run_id: command, (*_notes(cluster), *notes))


def metadata(name: str, run_id: str, cluster: ClusterSpec) -> dict[str, Any]:
    """Name, namespace and label of the job."""
    namespace = cluster.options.get("namespace", "default")
    return {"name": name, "namespace": namespace, "labels": {submission.LABEL: run_id}}


def pod(role: str, job: TrainJob, cluster: ClusterSpec, source: str, env: list[dict[str, Any]]) -> dict[str, Any]:
    """The spec of a pod of `role`.

    Args:
      role: of the pod.
      job: what the tasks do together.
      cluster: the cluster.
      source: where the launcher finds the cluster; see `cloud.tasks.discovery`.
      env: variables that come before those of the job file.
    """
    wanted = cluster.roles[role]
    resources = _resources(wanted)
    variables = [*env, *_environment(cluster)]
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": cluster.image,
        "command": ["python"],
        "args": words.of_task(job, source),
        **({"env": variables} if variables else {}),
        "ports": [{"name": "tfjob-port", "containerPort": PORT}],
        "resources": {"requests": resources, "limits": dict(resources)},
    }
    options = cluster.options
    spec: dict[str, Any] = {"containers": [container], "terminationGracePeriodSeconds": 120}
    if "service_account" in options:
        spec["serviceAccountName"] = options["service_account"]
    if selector := _selector(wanted, cluster):
        spec["nodeSelector"] = selector
    if "volume_claim" in options:
        container["volumeMounts"] = [{"name": "data", "mountPath": options["mount_path"]}]
        spec["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": options["volume_claim"]}}]
    return spec


def _check(job: TrainJob, cluster: ClusterSpec, backend: str) -> None:
    """Refuses a job that cannot run in pods."""
    options = cluster.options
    if ("volume_claim" in options) != ("mount_path" in options):
        raise ConfigError(
            "kubernetes.volume_claim and kubernetes.mount_path belong together. Give both, or leave out both."
        )
    submission.remote(job, backend, *_REMOTE, *([options["mount_path"]] if "mount_path" in options else []))
    if cluster.scheduling.spot and "spot_node_selector" not in options:
        raise ConfigError(
            "scheduling.spot needs kubernetes.spot_node_selector. Set it to KEY=VALUE, the label of the spot nodes."
        )


def _notes(cluster: ClusterSpec) -> tuple[str, ...]:
    """What the user should know before the job is sent."""
    kinds = {wanted.accelerator for wanted in cluster.roles.values() if wanted.accelerator}
    if kinds and "gpu_node_selector" not in cluster.options:
        return (
            "the pods may get any node with a GPU. To choose the kind of GPU, set kubernetes.gpu_node_selector to the "
            f"label of the nodes with {min(kinds)}.",
        )
    return ()


def _resources(wanted: Role) -> dict[str, str]:
    gpus = {"nvidia.com/gpu": str(wanted.accelerators)} if wanted.accelerators else {}
    return {"cpu": str(wanted.cpus), "memory": f"{round(wanted.memory_gib * 1024)}Mi", **gpus}


def _environment(cluster: ClusterSpec) -> list[dict[str, Any]]:
    plain = [{"name": name, "value": value} for name, value in cluster.environment.items()]
    kept = {name: reference.split("/", 1) for name, reference in cluster.secrets.items()}
    secret = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": store, "key": key}}}
        for name, (store, key) in kept.items()
    ]
    return [*plain, *secret]


def _selector(wanted: Role, cluster: ClusterSpec) -> dict[str, str]:
    keys = [
        *(["gpu_node_selector"] if wanted.accelerators else []),
        *(["spot_node_selector"] if cluster.scheduling.spot else []),
    ]
    found = {}
    for key in keys:
        if text := cluster.options.get(key):
            label, equal, value = text.partition("=")
            if not (label and equal and value):
                raise ConfigError(f"kubernetes.{key} is '{text}'. Write KEY=VALUE, a label of nodes.")
            found[label] = value
    return found
