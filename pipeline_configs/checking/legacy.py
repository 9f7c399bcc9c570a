"""Fields that only the engine's legacy trainer and evaluator read, which tfod does not use."""

from __future__ import annotations

# In train_config. Source: legacy/trainer.py.
TRAINER = ("sync_replicas", "replicas_to_aggregate", "startup_delay_steps", "bias_grad_multiplier")
QUEUES = ("batch_queue_capacity", "num_batch_queue_threads", "prefetch_queue_capacity")
# In eval_config. Source: legacy/evaluator.py, eval_util.py.
EVALUATION = ("num_examples", "max_evals", "eval_interval_secs")
