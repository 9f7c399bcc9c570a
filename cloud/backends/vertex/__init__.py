"""Vertex AI (now also called Gemini Enterprise Agent Platform training): a CustomJob.

The service sets TF_CONFIG, and ends the other tasks when the chief is done. Worker pools are numbered: 0 the chief, 1
workers, 2 parameter servers, 3 evaluators. An unused pool is an empty block. `custom_job.yaml` is a CustomJobSpec for
`gcloud ai custom-jobs create --config`. gcloud does not check it.
"""

from __future__ import annotations

from cloud.backends import Facts

FACTS = Facts(
    block="vertex",
    options=("project", "region", "service_account", "network", "disk_gb"),
    google_machines=True,
    mounts=("/gcs/",),
)
