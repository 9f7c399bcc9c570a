"""Amazon SageMaker: the request of `aws sagemaker create-training-job`, with an instance group for each role.

TensorFlow does not read S3 by itself. The service copies `BUCKET/records` to the machines before the start. During
training it copies new checkpoints to `BUCKET/model`, where the next run finds them.
"""

from __future__ import annotations

from cloud.backends import Facts

FACTS = Facts(block="sagemaker", options=("role_arn", "bucket", "region", "volume_gb"), mounts=("/opt/ml/",))
