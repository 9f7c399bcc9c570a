"""Shared by the back-ends for Kubernetes: their facts, the pods, and the calls of kubectl."""

from __future__ import annotations

from cloud.backends import Facts

FACTS = Facts(
    block="kubernetes",
    options=(
        *("namespace", "service_account", "gpu_node_selector", "spot_node_selector", "volume_claim", "mount_path"),
    ),
    mount_option="mount_path",
)
