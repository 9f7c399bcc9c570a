"""SkyPilot: a task that `sky jobs launch` takes. All nodes are alike, so there can only be a chief and workers.

The bucket with the records and the model_dir is mounted at /mnt/bucket in every cloud.
"""

from __future__ import annotations

from cloud.backends import Facts

FACTS = Facts(block="skypilot", options=("infra", "bucket"), mounts=("/mnt/",))
