"""The document of the CustomJob."""

from __future__ import annotations

from typing import Any

from cloud import submission
from cloud.cluster import ClusterSpec, Role
from cloud.estimates import hardware
from cloud.job import TrainJob
from cloud.submission import LABEL, Submission
from cloud.tasks import words
from cloud.tasks.tf_config import ROLES

FILE = "custom_job.yaml"


def plan(job: TrainJob, cluster: ClusterSpec) -> Submission:
    """The CustomJob.

    Raises:
      ConfigError: vertex.project or vertex.region is missing, the job has secrets, the model_dir is not in a bucket, or
        no machine type has what a role needs.
    """
    project, region = (submission.option(cluster, "vertex", key) for key in ("project", "region"))
    submission.no_secrets(cluster, "vertex", "Give the service account of the job access to Secret Manager instead.")
    submission.remote(job, "vertex", "gs://", "/gcs/")
    document = spec(job, cluster)

    def command(name: str, run_id: str) -> tuple[str, ...]:
        return (
            *("gcloud", "ai", "custom-jobs", "create", f"--project={project}", f"--region={region}"),
            *(f"--display-name={name}", f"--labels={LABEL}={run_id}", f"--config={FILE}"),
        )

    return submission.planned("vertex", cluster, lambda name, run_id: {FILE: document}, command)


def spec(job: TrainJob, cluster: ClusterSpec) -> dict[str, Any]:
    """The CustomJobSpec, with the field names of its JSON form."""
    last = max(ROLES.index(role) for role in cluster.roles)
    pools = [
        _pool(role, cluster.roles[role], job, cluster) if role in cluster.roles else {} for role in ROLES[: last + 1]
    ]
    scheduling = {
        "timeout": f"{cluster.scheduling.time_limit_s}s",
        "strategy": "SPOT" if cluster.scheduling.spot else "STANDARD",
        **({} if cluster.scheduling.restarts else {"disableRetries": True}),
    }
    document: dict[str, Any] = {"workerPoolSpecs": pools, "scheduling": scheduling}
    for key, field in (("service_account", "serviceAccount"), ("network", "network")):
        if key in cluster.options:
            document[field] = cluster.options[key]
    return document


def _pool(role: str, wanted: Role, job: TrainJob, cluster: ClusterSpec) -> dict[str, Any]:
    machine: dict[str, Any] = {"machineType": hardware.machine(role, wanted).name}
    if wanted.accelerator:
        machine["acceleratorType"] = hardware.ACCELERATORS[wanted.accelerator].vertex
        machine["acceleratorCount"] = wanted.accelerators
    env = [{"name": name, "value": value} for name, value in cluster.environment.items()]
    return {
        "machineSpec": machine,
        "replicaCount": wanted.count,
        "diskSpec": {"bootDiskType": "pd-ssd", "bootDiskSizeGb": int(cluster.options.get("disk_gb", "100"))},
        "containerSpec": {
            "imageUri": cluster.image,
            "command": ["python"],
            "args": words.of_task(job),
            **({"env": env} if env else {}),
        },
    }
