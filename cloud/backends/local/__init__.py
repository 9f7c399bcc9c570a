"""This machine: each task of the cluster is a process. A supervisor runs them, also after the command has ended.

The files of a run are in `MODEL_DIR/.runs/NAME`: the plan, the state, and a log for each task.
"""

from __future__ import annotations

from cloud.backends import Facts

FACTS = Facts(block="local", on_these_disks=True, needs_image=False)
