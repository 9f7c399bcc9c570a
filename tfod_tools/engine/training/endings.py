"""The errors with which a training run of either style ends before its last step."""

from __future__ import annotations

from tfod_tools.base.errors import EngineError, Interrupted


def stopped(step: int, steps: int) -> Interrupted:
    """The user stopped the run at `step` of `steps`, and its checkpoint is saved."""
    return Interrupted(
        f"Stopped at step {step} of {steps}. The checkpoint of this step is saved. Run the same command again to go on."
    )


def diverged(step: int) -> EngineError:
    """The loss is not a number any more at `step`, the last step whose loss was read."""
    return EngineError(
        f"the loss is not a number at step {step}. Lower the learning rate, set train_config.gradient_clipping_by_norm,"
        " or look for broken boxes in the records. Then start again in a new --model_dir, because the last checkpoint"
        " may be damaged."
    )
