"""Slurm: a script for sbatch. Roles that need different machines are components of a heterogeneous job.

Each role is its own job step, so the script can wait for the chief and the evaluator and then end. Slurm ends the other
steps with the script; a parameter server never ends by itself. TF_CONFIG comes from the allocation. After a preemption
Slurm puts the job back in the queue, and it goes on from the last checkpoint.
"""

from __future__ import annotations

from cloud.backends import Facts

FACTS = Facts(
    block="slurm",
    options=("partition", "account", "qos", "python", "setup"),
    on_these_disks=True,
    needs_image=False,
)
