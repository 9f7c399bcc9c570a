"""Kubernetes, with TFJob (`kubeflow.org/v1`) of the Kubeflow Training Operator v1. Its successor has no TensorFlow.

The operator sets TF_CONFIG. When the chief is done, the operator takes the whole job as done. `cleanPodPolicy: Running`
then ends the parameter servers. It would also end an evaluator before the evaluator has seen the last checkpoint, so
with an evaluator the policy is `None`.
"""

from __future__ import annotations

from cloud.backends._kubernetes import FACTS as FACTS
