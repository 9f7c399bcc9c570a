"""How a task finds the cluster: from TF_CONFIG, if the back-end sets it, or with the `tasks.py` of its back-end."""

from __future__ import annotations

from collections.abc import Mapping

from cloud import backends
from cloud.tasks import tf_config
from cloud.tasks.tf_config import Cluster, Task

TF_CONFIG = "tf_config"


def sources() -> tuple[str, ...]:
    """What `find` accepts as `source`."""
    return (TF_CONFIG, *backends.with_tasks())


def find(source: str, environment: Mapping[str, str]) -> tuple[Cluster, Task]:
    """The cluster, and the task that this process is. Loads no other back-end than `source`.

    Args:
      source: "tf_config", or the name of a back-end that does not set TF_CONFIG.
      environment: of this process. Without TF_CONFIG, the source "tf_config" means a chief that is alone.

    Raises:
      ValueError, KeyError: the environment is not that of a task.
    """
    if source == TF_CONFIG:
        return tf_config.parse(environment.get("TF_CONFIG"))
    return backends.tasks(source).find(environment)
