"""TFJobs in a cluster."""

from __future__ import annotations

from cloud.backends._kubernetes import kubectl

_KIND = kubectl.Kind(
    name="tfjobs.kubeflow.org",
    job="training.kubeflow.org/job-name",
    role="training.kubeflow.org/replica-type",
    index="training.kubeflow.org/replica-index",
)
submit, status, logs, cancel = _KIND.submit, _KIND.status, _KIND.logs, _KIND.cancel
