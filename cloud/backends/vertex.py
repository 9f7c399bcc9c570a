"""Vertex AI (also called Gemini Enterprise Agent Platform training): a CustomJob.

The service sets TF_CONFIG, and ends the other tasks when the chief is done. Pools are numbered: 0 the chief, 1 workers,
2 parameter servers, 3 evaluators; one that is skipped is an empty block. `custom_job.yaml` is a CustomJobSpec, what
`gcloud ai custom-jobs create --config` takes; gcloud itself checks nothing in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cloud import submission
from cloud.cluster import ClusterSpec, Role
from cloud.estimates import hardware
from cloud.job import TrainJob
from cloud.submission import LABEL, RunStatus, Submission
from cloud.tasks import words
from cloud.tasks.tf_config import ROLES

OPTIONS = "vertex"
FILE = "custom_job.yaml"


def plan(job: TrainJob, cluster: ClusterSpec) -> Submission:
    """The CustomJob.

    Raises:
      ConfigError: no image, project or region; a secret; a role that no machine type carries.
    """
    project, region = (submission.option(cluster, "vertex", key) for key in ("project", "region"))
    submission.no_secrets(cluster, "vertex", "Give the job's service account access to Secret Manager instead.")
    submission.remote(job, "vertex", "gs://", "/gcs/")
    document = spec(job, cluster)

    def command(name: str, run_id: str) -> tuple[str, ...]:
        return (
            *("gcloud", "ai", "custom-jobs", "create", f"--project={project}", f"--region={region}"),
            *(f"--display-name={name}", f"--labels={LABEL}={run_id}", f"--config={FILE}"),
        )

    return submission.planned("vertex", cluster, lambda name, run_id: {FILE: document}, command)


def spec(job: TrainJob, cluster: ClusterSpec) -> dict[str, Any]:
    """The CustomJobSpec, with the names of its JSON form."""
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
            "imageUri": submission.image(cluster, "vertex"),
            "command": ["python"],
            "args": words.of_task(job),
            **({"env": env} if env else {}),
        },
    }


def submit(plan: Submission, cluster: ClusterSpec) -> str:
    """Creates the job, unless one of this plan is under way; returns its resource name."""
    from cloud import vertex_jobs

    return vertex_jobs.Jobs.of(cluster).submit(plan)


def status(plan: Submission, cluster: ClusterSpec) -> RunStatus:
    """Where the latest job of this plan is."""
    from cloud import vertex_jobs

    return vertex_jobs.Jobs.of(cluster).status(plan)


def logs(plan: Submission, cluster: ClusterSpec, *, follow: bool) -> Iterator[str]:
    """What Cloud Logging has of it."""
    from cloud import vertex_jobs

    return vertex_jobs.Jobs.of(cluster).logs(plan, follow=follow)


def cancel(plan: Submission, cluster: ClusterSpec) -> None:
    """Asks the service to end it."""
    from cloud import vertex_jobs

    vertex_jobs.Jobs.of(cluster).cancel(plan)
