"""JobSets in a cluster."""

from __future__ import annotations

from cloud.backends._kubernetes import kubectl

_KIND = kubectl.Kind(
    name="jobsets.jobset.x-k8s.io",
    job="jobset.sigs.k8s.io/jobset-name",
    role="jobset.sigs.k8s.io/replicatedjob-name",
    index="batch.kubernetes.io/job-completion-index",
)
submit, status, logs, cancel = _KIND.submit, _KIND.status, _KIND.logs, _KIND.cancel
