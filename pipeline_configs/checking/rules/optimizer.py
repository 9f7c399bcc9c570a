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
# The TF2 loop's own: how many steps one call of its compiled function makes, and from one checkpoint to the next.
_STEPS_AT_ONCE = 100
_STEPS_BETWEEN_CHECKPOINTS = 1000


@rule(
    "OPT01",
    "note",
    "The engine's model_main_tf2 divides the rate by 1 + decay x step; tfod_tools.train does not.",
    source=_SOURCE,
    style="tf2",
)
def decaying_rms_prop(subject: Subject) -> Iterator[Evidence]:
    """RMSProp has a decay, 0.9 where none is set, that TF2 style takes for a decay of the learning rate.

    The field is the decay of the mean of squared gradients, as TF1 style has it. The engine hands it to Keras, whose
    argument of that name makes a rate of 0.004 to 0.0000044 by step 1,000, while the summaries go on showing 0.004.
    """
    optimizer = subject.config.train_config.optimizer
    if optimizer.HasField("rms_prop_optimizer") and optimizer.rms_prop_optimizer.decay:
        path = f"{_OPTIMIZER}.rms_prop_optimizer.decay"
        yield Evidence(path, f"{optimizer.rms_prop_optimizer.decay:g}", "training by tfod_tools.train, or 0")


@rule("OPT07", "warning", "The engine follows every gradient, however large.", source="model_lib.py")
def no_clipping(subject: Subject) -> Iterator[Evidence]:
    """A small batch is trained without a limit to the gradients.

    One odd image decides a gradient of a batch of few; without gradient_clipping_by_norm its step can be as long as it
    likes. The published configs for one GPU clip at 10.
    """
    train_config = subject.config.train_config
    if train_config.batch_size <= 8 and not train_config.gradient_clipping_by_norm:
        path = "train_config.gradient_clipping_by_norm"
        yield Evidence(path, f"none at batch size {train_config.batch_size}", "10", (Edit(path=path, value="10.0"),))


@rule(
    "OPT08",
    "error",
    "tfod_tools.train stops without --steps, and so does the engine.",
    source=_LOOP,
    style="tf2",
)
def no_steps(subject: Subject) -> Iterator[Evidence]:
    """num_steps is not set.

    Nothing says when training ends, nor how long its schedules are.
    """
    yield from _without_steps(subject)


@rule(
    "OPT17",
    "warning",
    "tfod_tools.train stops without --steps; the engine alone trains without end.",
    source="model_lib.py",
    style="tf1",
)
def no_end(subject: Subject) -> Iterator[Evidence]:
    """num_steps is not set in TF1 style.

    Nothing says when training ends, nor how long its schedules are. Configs of earlier years left it out to train until
    somebody stops it.
    """
    yield from _without_steps(subject)


def _without_steps(subject: Subject) -> Iterator[Evidence]:
    if subject.config.train_config.num_steps <= 0:
        yield Evidence(_STEPS, f"{subject.config.train_config.num_steps}", "how many steps to train")


@rule(
    "OPT09",
    "note",
    "The engine's model_main_tf2 goes on to the next hundred, and its evaluation never ends; tfod_tools does neither.",
    source=_LOOP,
    style="tf2",
)
def steps_beside_hundreds(subject: Subject) -> Iterator[Evidence]:
    """num_steps is not a multiple of 100.

    The TF2 loop makes 100 steps at a time. Its evaluation waits for the checkpoint of exactly num_steps.
    """
    steps = subject.config.train_config.num_steps
    if steps % _STEPS_AT_ONCE:
        yield Evidence(_STEPS, f"{steps}", "training by tfod_tools.train, or a multiple of 100")


@rule(
    "OPT10",
    "note",
    "The engine's model_main_tf2 does not save the last steps; tfod_tools.train does.",
    source=_LOOP,
    style="tf2",
)
def last_step_not_saved(subject: Subject) -> Iterator[Evidence]:
    """num_steps is not a multiple of 1,000.

    The TF2 loop saves every 1,000 steps and not at the end. A run of fewer steps leaves one checkpoint, of step 0,
    which holds no weights; evaluation scores random ones without a word.
    """
    steps = subject.config.train_config.num_steps
    if steps % _STEPS_BETWEEN_CHECKPOINTS:
        yield Evidence(_STEPS, f"{steps}", "training by tfod_tools.train, or --checkpoint_every_n that divides it")


@rule("OPT11", "error", "The engine stops as it starts.", source="builders/dataset_builder.py", style="tf2")
def batch_that_cannot_be_shared(subject: Subject) -> Iterator[Evidence]:
    """The GPUs cannot share the batch evenly.

    In TF2 style batch_size counts the images of a step on all GPUs of all machines. Looked for where --gpus is given.
    """
    batch, gpus = subject.config.train_config.batch_size, subject.start.gpus
    if gpus and batch % gpus:
        path, even = "train_config.batch_size", str(max(batch - batch % gpus, gpus))
        yield Evidence(path, f"{batch} for {gpus} GPUs", f"a multiple of {gpus}", (Edit(path=path, value=even),))


@rule("OPT12", "error", "Evaluation and export stop.", source="eval_util.py")
def averages_that_are_not_made(subject: Subject) -> Iterator[Evidence]:
    """Moving averages are to be evaluated, but training makes none.

    eval_config.use_moving_averages asks for them, train_config.optimizer.use_moving_average makes them.
    """
    if subject.config.eval_config.use_moving_averages and not subject.config.train_config.optimizer.use_moving_average:
        path = "eval_config.use_moving_averages"
        found = "true, with optimizer.use_moving_average: false"
        yield Evidence(path, found, "both or neither", (Edit(path=path, value="false"),))


@rule(
    "OPT13",
    "note",
    "They are made and not used; the engine's TF2 exporter never uses them, tfod_tools.export does "
    "where eval_config.use_moving_averages says so.",
    source="exporter_lib_v2.py",
    style="tf2",
)
def averages_that_are_not_used(subject: Subject) -> Iterator[Evidence]:
    """Training makes moving averages of the weights, but evaluation and export take the weights themselves.

    optimizer.use_moving_average is true by default. The averages cost memory, and mostly score a little better.
    """
    optimizer = subject.config.train_config.optimizer
    if optimizer.use_moving_average and not subject.config.eval_config.use_moving_averages:
        found = "true" if optimizer.HasField("use_moving_average") else "true by default"
        yield Evidence(f"{_OPTIMIZER}.use_moving_average", found, "eval_config.use_moving_averages: true, or false")


@rule(
    "OPT16",
    "warning",
    "Evaluation still uses the averages of the beginning, and may find nothing.",
    source="builders/hyperparams_builder.py",
)
def slow_batch_norm(subject: Subject) -> Iterator[Evidence]:
    """Batch normalisation's averages do not settle within the run.

    After n steps of decay d they have moved 1 - d^n of the way from their start: at 0.9997, 26 % after 1,000 steps, 95
    % after 10,000. Evaluation uses them, training does not, so that the loss falls while evaluation finds nothing.
    Silent where training starts from a checkpoint.
    """
    train_config = subject.config.train_config
    if train_config.fine_tune_checkpoint or not train_config.num_steps or not subject.architecture:
        return
    for path, batch_norm in nested.messages(subject.model, "BatchNorm", subject.model_path):
        if batch_norm.train and train_config.num_steps * (1 - batch_norm.decay) < 3:
            moved = 1 - batch_norm.decay**train_config.num_steps
            found = f"{batch_norm.decay:g} for {train_config.num_steps} steps, which moves them {moved:.0%} of the way"
            yield Evidence(f"{path}.decay", found, f"{_settling(train_config.num_steps)}more steps")


def _settling(steps: int) -> str:
    """The decay at which averages are 95 % there after `steps` steps, as an advice; "" where there is none."""
    return f"{1 - 3 / steps:.3g} or less, or " if steps > 3 else ""
