"""Azure ML: a command job that `az ml job create` takes. The service sets TF_CONFIG; its worker 0 is the chief.

All nodes belong to one compute cluster, which the user has made before. So the CPUs, memory and GPUs of the roles do
not appear in the document.
"""

from __future__ import annotations

from cloud.backends import Facts

FACTS = Facts(block="azureml", options=("compute", "experiment"), mounts=("/mnt/",))
