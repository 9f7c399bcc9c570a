"""Rules about the optimizer, moving averages and the number of steps."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches import nested
from pipeline_configs.patches.patch import Edit

_OPTIMIZER = "train_config.optimizer"
_SOURCE = "builders/optimizer_builder.py"
_LOOP = "model_lib_v2.py"
_STEPS = "train_config.num_steps"
# What the TF2 training loop has by default: the steps in one call of its compiled function, and between checkpoints.
_STEPS_AT_ONCE = 100
_STEPS_BETWEEN_CHECKPOINTS = 1000


@rule(
    "OPT01",
    "note",
    "The engine's model_main_tf2 divides the learning rate by (1 + decay * step); tfod train does not.",
    source=_SOURCE,
    style="tf2",
)
def decaying_rms_prop(subject: Subject) -> Iterator[Evidence]:
    """In TF2 style the engine lowers the learning rate by the decay of RMSProp, which is 0.9 by default.

    The field is meant as the decay of the mean of squared gradients, and TF1 style uses it so. In TF2 style the engine
    gives it to Keras, and Keras uses an argument of that name to lower the learning rate: 0.004 becomes 0.0000044 by
    step 1,000. The summaries still show 0.004.
    """
    optimizer = subject.config.train_config.optimizer
    if optimizer.HasField("rms_prop_optimizer") and optimizer.rms_prop_optimizer.decay:
        path = f"{_OPTIMIZER}.rms_prop_optimizer.decay"
        problem = f"The decay of RMSProp is {optimizer.rms_prop_optimizer.decay:g}."
        yield Evidence(path, problem, "Train with tfod train, or set decay to 0.")


@rule("OPT07", "warning", "One unusual image can then change the weights without limit.", source="model_lib.py")
def no_clipping(subject: Subject) -> Iterator[Evidence]:
    """A small batch is trained without gradient clipping.

    In a batch of few images one unusual image decides the gradient. Without gradient_clipping_by_norm there is no limit
    to its size. The published configs for one GPU clip at 10.
    """
    train_config = subject.config.train_config
    if train_config.batch_size <= 8 and not train_config.gradient_clipping_by_norm:
        path = "train_config.gradient_clipping_by_norm"
        problem = f"The batch size is {train_config.batch_size}, and gradients are not clipped."
        advice = "Set it to 10, as the published configs for one GPU do."
        yield Evidence(path, problem, advice, (Edit(path=path, value="10.0"),))


@rule(
    "OPT08",
    "error",
    "tfod train stops unless you pass --steps; the engine alone stops too.",
    source=_LOOP,
    style="tf2",
)
def no_steps(subject: Subject) -> Iterator[Evidence]:
    """num_steps is not set.

    Nothing says when training ends and how long its schedules are.
    """
    yield from _without_steps(subject)


@rule(
    "OPT17",
    "warning",
    "tfod train stops unless you pass --steps; the engine alone trains without end.",
    source="model_lib.py",
    style="tf1",
)
def no_end(subject: Subject) -> Iterator[Evidence]:
    """num_steps is not set in TF1 style.

    Nothing says when training ends and how long its schedules are. Older configs left num_steps out, and training went
    on until somebody stopped it.
    """
    yield from _without_steps(subject)


def _without_steps(subject: Subject) -> Iterator[Evidence]:
    if subject.config.train_config.num_steps <= 0:
        yield Evidence(_STEPS, "num_steps is 0 or not set.", "Set it to the number of steps to train.")


@rule(
    "OPT09",
    "note",
    "The engine's model_main_tf2 trains on to the next hundred, and its evaluation never ends.",
    source=_LOOP,
    style="tf2",
)
def steps_not_in_hundreds(subject: Subject) -> Iterator[Evidence]:
    """num_steps is not a multiple of 100.

    The TF2 training loop makes 100 steps at a time, and the engine's evaluation waits for a checkpoint of exactly
    num_steps. tfod train stops at num_steps, and tfod evaluate does not wait.
    """
    steps = subject.config.train_config.num_steps
    if steps % _STEPS_AT_ONCE:
        problem = f"num_steps is {steps}, which is not a multiple of 100."
        yield Evidence(_STEPS, problem, "Train with tfod train, or set num_steps to a multiple of 100.")


@rule(
    "OPT10",
    "note",
    "The engine's model_main_tf2 saves only every 1000 steps, and loses the steps after that; tfod train does not.",
    source=_LOOP,
    style="tf2",
)
def last_step_not_saved(subject: Subject) -> Iterator[Evidence]:
    """num_steps is not a multiple of 1,000.

    The TF2 training loop saves every 1,000 steps and not at the end. A run of fewer steps leaves one checkpoint, of
    step 0, and that one holds no weights. The engine then evaluates random weights, and does not say so.
    """
    steps = subject.config.train_config.num_steps
    if steps % _STEPS_BETWEEN_CHECKPOINTS:
        problem = f"num_steps is {steps}, which is not a multiple of 1000."
        advice = "Train with tfod train, or give model_main_tf2 a --checkpoint_every_n that divides num_steps."
        yield Evidence(_STEPS, problem, advice)


@rule("OPT11", "error", "The engine stops before it trains.", source="builders/dataset_builder.py", style="tf2")
def batch_that_cannot_be_shared(subject: Subject) -> Iterator[Evidence]:
    """The GPUs cannot share the batch evenly.

    In TF2 style batch_size is the number of images in one step on all GPUs of all machines. This is checked only if
    --gpus is given.
    """
    batch, gpus = subject.config.train_config.batch_size, subject.start.gpus
    if gpus and batch % gpus:
        path, even = "train_config.batch_size", str(max(batch - batch % gpus, gpus))
        problem = f"batch_size is {batch}, and {gpus} GPUs cannot share it evenly."
        yield Evidence(path, problem, f"Set it to a multiple of {gpus}.", (Edit(path=path, value=even),))


@rule(
    "OPT12",
    "error",
    "Training makes no averages, so evaluation and export do not find them and stop.",
    source="eval_util.py",
)
def averages_that_are_not_made(subject: Subject) -> Iterator[Evidence]:
    """Evaluation asks for moving averages, but training makes none.

    eval_config.use_moving_averages asks for moving averages of the weights. train_config.optimizer.use_moving_average
    makes them.
    """
    if subject.config.eval_config.use_moving_averages and not subject.config.train_config.optimizer.use_moving_average:
        path = "eval_config.use_moving_averages"
        problem = "This is true, but train_config.optimizer.use_moving_average is false."
        yield Evidence(path, problem, "Set both to the same value.", (Edit(path=path, value="false"),))


@rule(
    "OPT13",
    "note",
    "Training makes averages that nothing uses.",
    source="exporter_lib_v2.py",
    style="tf2",
)
def averages_that_are_not_used(subject: Subject) -> Iterator[Evidence]:
    """Training makes moving averages of the weights, but evaluation and export take the weights themselves.

    optimizer.use_moving_average is true by default. The averages take memory, and they usually score a little better
    than the weights. The engine's TF2 exporter never uses them. tfod evaluate and tfod export use them if
    eval_config.use_moving_averages is true.
    """
    optimizer = subject.config.train_config.optimizer
    if optimizer.use_moving_average and not subject.config.eval_config.use_moving_averages:
        value = "true" if optimizer.HasField("use_moving_average") else "true by default"
        problem = f"This is {value}, but eval_config.use_moving_averages is false."
        advice = (
            "Set both to true if tfod evaluate and tfod export are to use the averages; otherwise set both to false."
        )
        yield Evidence(f"{_OPTIMIZER}.use_moving_average", problem, advice)


@rule(
    "OPT16",
    "warning",
    "Evaluation uses averages that have not settled, and may find nothing.",
    source="builders/hyperparams_builder.py",
)
def slow_batch_norm(subject: Subject) -> Iterator[Evidence]:
    """The averages of batch normalisation do not settle within the run.

    Batch normalisation keeps a moving average of mean and variance. After n steps with decay d the averages have moved
    by 1 - d^n of the way from their starting values: with 0.9997, 26 % after 1,000 steps, and 95 % after 10,000.
    Evaluation uses them and training does not. So the loss falls, while evaluation finds nothing. Runs that start from
    a checkpoint are not reported.
    """
    train_config = subject.config.train_config
    if train_config.fine_tune_checkpoint or not train_config.num_steps or not subject.architecture:
        return
    for path, batch_norm in nested.messages(subject.model, "BatchNorm", subject.model_path):
        if batch_norm.train and train_config.num_steps * (1 - batch_norm.decay) < 3:
            moved = 1 - batch_norm.decay**train_config.num_steps
            problem = (
                f"With decay {batch_norm.decay:g}, the {train_config.num_steps} steps of the run move the averages only"
                f" {moved:.0%} of the way from their starting values."
            )
            yield Evidence(f"{path}.decay", problem, _settling(train_config.num_steps))


def _settling(steps: int) -> str:
    """Advice: more steps, or the decay with which `steps` steps move the averages 95 % of the way, if there is one."""
    return f"Set decay to {1 - 3 / steps:.3g} or less, or train more steps." if steps > 3 else "Train more steps."
