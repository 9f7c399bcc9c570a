"""Kubernetes, with JobSet (`jobset.x-k8s.io/v1alpha2`): one job per role.

JobSet ends all jobs when the chief and the evaluator are done. It gives each pod a known host name,
`<jobset>-<role>-0-<index>.<jobset>`, so the plan already holds the addresses of the cluster. A pod reads its index when
it starts.
"""

from __future__ import annotations

from cloud.backends._kubernetes import FACTS as FACTS
