"""Azure ML: a command job that `az ml job create` takes. The service sets TF_CONFIG; its worker 0 is the chief.

All nodes are of one compute cluster, which is made beforehand, so that CPUs, memory and GPUs of the roles are not asked
for here.
"""

from __future__ import annotations

import shlex
from typing import Any

from cloud import submission
from cloud.cluster import ClusterSpec
from cloud.job import TrainJob
from cloud.submission import Submission
from cloud.tasks import words
from tfod_tools.base.errors import ConfigError

OPTIONS = "azureml"
FILE = "job.yaml"
_NOTE = "azureml takes the machines of the compute cluster as they are: see that they have what the roles ask for."


def plan(job: TrainJob, cluster: ClusterSpec) -> Submission:
    """The job.

    Raises:
      ConfigError: no image or compute, an evaluator, or a model_dir that the nodes cannot see.
    """
    submission.image(cluster, "azureml")
    submission.option(cluster, "azureml", "compute")
    submission.remote(job, "azureml", "/mnt/")
    submission.no_secrets(cluster, "azureml", "Let the workspace's Key Vault hold them.")
    if "evaluator" in cluster.roles:
        raise ConfigError("azureml knows no evaluator. Drop it, and run `tfod evaluate` on the model_dir.")

    def render(name: str, run_id: str) -> dict[str, submission.Content]:
        return {FILE: document(name, run_id, job, cluster)}

    return submission.planned(
        "azureml", cluster, render, lambda name, run_id: ("az", "ml", "job", "create", f"--file={FILE}"), (_NOTE,)
    )


def document(name: str, run_id: str, job: TrainJob, cluster: ClusterSpec) -> dict[str, Any]:
    """The job as Azure's schema has it."""
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
