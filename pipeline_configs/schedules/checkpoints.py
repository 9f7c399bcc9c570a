"""How far apart the checkpoints of a run are, where the user names no number.

It stands alone because every plan of a job needs it, and `run` loads much more.
"""

from __future__ import annotations

_MOST_STEPS = 1000


def default_checkpoint_every(steps: int) -> int:
    """Steps between two checkpoints of a run of `steps` steps, where the user names no number.

    It is a tenth of the run, at most 1000 steps. Above 10 it is a multiple of 10, because the TF2 training loop can
    then make ten steps at a time.
    """
    tenth = min(steps // 10, _MOST_STEPS)
    return max(1, tenth - tenth % 10 if tenth > 10 else tenth)
