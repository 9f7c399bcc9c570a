"""The request that creates the training job."""

from __future__ import annotations

from typing import Any

from cloud import submission
from cloud.cluster import ClusterSpec, Role
from cloud.estimates.hardware import Machine
from cloud.job import TrainJob
from cloud.submission import Submission
from cloud.tasks import words
from tfod_tools.base.errors import ConfigError

FILE = "training_job.yaml"
MODEL_DIR, RECORDS = "/opt/ml/checkpoints", "/opt/ml/input/data/records"
_LONGEST_LIMIT_S = 28 * 86400
_SIZES = {"xlarge": 4, "2xlarge": 8, "4xlarge": 16, "8xlarge": 32, "12xlarge": 48, "16xlarge": 64, "24xlarge": 96}

# The instances of these families in EC2. 12xlarge of g4dn and g6 have four GPUs.
_INSTANCES = (
    *(
        Machine(f"ml.m5.{size}", _SIZES[size], _SIZES[size] * 4.0)
        for size in ("xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge")
    ),
    *(
        Machine(f"ml.{family}.{size}", _SIZES[size], _SIZES[size] * 4.0, gpu, 4 if size == "12xlarge" else 1)
        for family, gpu in (("g4dn", "T4"), ("g6", "L4"))
        for size in ("xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge")
    ),
    Machine("ml.g6.48xlarge", 192, 768, "L4", 8),
    Machine("ml.p3.2xlarge", 8, 61, "V100", 1),
    Machine("ml.p3.8xlarge", 32, 244, "V100", 4),
    Machine("ml.p3.16xlarge", 64, 488, "V100", 8),
    Machine("ml.p4d.24xlarge", 96, 1152, "A100", 8),
    Machine("ml.p5.48xlarge", 192, 2048, "H100", 8),
)


def plan(job: TrainJob, cluster: ClusterSpec) -> Submission:
    """The request.

    Raises:
      ConfigError: an option is missing, the model_dir is not the folder that the service copies, the config is not in
        S3, the job has secrets, or no instance has what a role needs.
    """
    submission.remote(job, "sagemaker", MODEL_DIR)
    submission.no_secrets(cluster, "sagemaker", "Give the role of the job access to Secrets Manager instead.")
    submission.option(cluster, "sagemaker", "role_arn")
    submission.option(cluster, "sagemaker", "bucket")
    if words.CONFIG_VARIABLE in cluster.environment:
        raise ConfigError(
            "the config is on this machine, and sagemaker cannot send it. Copy it to BUCKET/records, and set config to "
            f"{RECORDS}/pipeline.config."
        )

    def render(name: str, run_id: str) -> dict[str, submission.Content]:
        return {FILE: document(name, run_id, job, cluster)}

    region = f" --region={cluster.options['region']}" if "region" in cluster.options else ""
    line = f'aws sagemaker create-training-job{region} --cli-input-yaml "$(cat {FILE})"'
    return submission.planned("sagemaker", cluster, render, lambda name, run_id: ("sh", "-c", line))


def document(name: str, run_id: str, job: TrainJob, cluster: ClusterSpec) -> dict[str, Any]:
    """The request, in the form that botocore knows."""
    schedule = cluster.scheduling
    limit = min(schedule.time_limit_s, _LONGEST_LIMIT_S)
    bucket = cluster.options["bucket"].rstrip("/")
    groups = [
        {"InstanceGroupName": role, "InstanceType": _instance(role, wanted), "InstanceCount": wanted.count}
        for role, wanted in cluster.roles.items()
    ]
    return {
        "TrainingJobName": name,
        "RoleArn": cluster.options["role_arn"],
        "AlgorithmSpecification": {
            "TrainingImage": cluster.image,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python"],
            "ContainerArguments": words.of_task(job, "sagemaker"),
        },
        "InputDataConfig": [
            {
                "ChannelName": "records",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"{bucket}/records",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        "CheckpointConfig": {"S3Uri": f"{bucket}/model", "LocalPath": MODEL_DIR},
        "OutputDataConfig": {"S3OutputPath": f"{bucket}/output"},
        "ResourceConfig": {"InstanceGroups": groups, "VolumeSizeInGB": int(cluster.options.get("volume_gb", "100"))},
        "StoppingCondition": {
            "MaxRuntimeInSeconds": limit,
            **({"MaxWaitTimeInSeconds": limit} if schedule.spot else {}),
        },
        "EnableManagedSpotTraining": schedule.spot,
        **({"RetryStrategy": {"MaximumRetryAttempts": schedule.restarts}} if schedule.restarts else {}),
        "Environment": dict(cluster.environment),
        "Tags": [{"Key": submission.LABEL, "Value": run_id}],
    }


def _instance(role: str, wanted: Role) -> str:
    fits = [
        found
        for found in _INSTANCES
        if found.accelerator == wanted.accelerator and found.accelerators == wanted.accelerators
        and found.cpus >= wanted.cpus and found.memory_gib >= wanted.memory_gib
    ]  # fmt: skip
    if not fits:
        gpus = f" and {wanted.accelerators} {wanted.accelerator}" if wanted.accelerator else ""
        raise ConfigError(f"cluster.{role}: no instance has {wanted.cpus} CPUs, {wanted.memory_gib:g} GiB{gpus}.")
    return min(fits, key=lambda found: (found.cpus, found.memory_gib)).name
