"""The document of the job."""

from __future__ import annotations

import shlex
from typing import Any

from cloud import submission
from cloud.cluster import ClusterSpec
from cloud.job import TrainJob
from cloud.submission import Submission
from cloud.tasks import words
from tfod_tools.base.errors import ConfigError

FILE = "job.yaml"
_NOTE = "azureml uses the machines of the compute cluster as they are. Check that they have what the roles need."


def plan(job: TrainJob, cluster: ClusterSpec) -> Submission:
    """The job.

    Raises:
      ConfigError: azureml.compute is missing, or the job has an evaluator, secrets, or a model_dir that the nodes
        cannot see.
    """
    submission.option(cluster, "azureml", "compute")
    submission.remote(job, "azureml", "/mnt/")
    submission.no_secrets(cluster, "azureml", "Put them into the Key Vault of the workspace.")
    if "evaluator" in cluster.roles:
        raise ConfigError("azureml has no evaluator. Remove it, and run `tfod evaluate` with the model_dir.")

    def render(name: str, run_id: str) -> dict[str, submission.Content]:
        return {FILE: document(name, run_id, job, cluster)}

    return submission.planned(
        "azureml", cluster, render, lambda name, run_id: ("az", "ml", "job", "create", f"--file={FILE}"), (_NOTE,)
    )


def document(name: str, run_id: str, job: TrainJob, cluster: ClusterSpec) -> dict[str, Any]:
    """The job, in the form of Azure's schema."""
    servers = cluster.counts.get("ps", 0)
    distribution = {"type": "tensorflow", "worker_count": cluster.trainers, "parameter_server_count": servers}
    return {
        "$schema": "https://azuremlschemas.azureedge.net/latest/commandJob.schema.json",
        "type": "command",
        "name": name,
        "command": f"python {shlex.join(words.of_task(job))}",
        "environment": {"image": cluster.image},
        "environment_variables": dict(cluster.environment),
        "compute": cluster.options["compute"],
        "experiment_name": cluster.options.get("experiment", cluster.name),
        "resources": {"instance_count": cluster.trainers + servers},
        "distribution": distribution,
        "limits": {"timeout": cluster.scheduling.time_limit_s},
        "tags": {submission.LABEL: run_id},
    }
