"""The end of a training run whose loss is not a number any more."""

from tfod_tools.base.errors import EngineError


def error(step: int) -> EngineError:
    """What to say of it: `step` is the last one whose loss was looked at."""
    return EngineError(
        f"the loss is not a number at step {step}. Lower the learning rate, set train_config.gradient_clipping_by_norm,"
        " look for broken boxes in the records, and start again in a new --model_dir: the last checkpoint may be"
        " spoilt."
    )
