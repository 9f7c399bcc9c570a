"""Rules about the learning rate and its schedule."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from pipeline_configs import extractors
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit
from pipeline_configs.schedules.schedule import Schedule
from pipeline_configs.schedules.schedule import of as schedule_of
from pipeline_configs.text import text_proto

_SOURCE = "utils/learning_schedules.py"


@rule("OPT02", "warning", "The learning rate never falls.", source=_SOURCE)
def never_decays(subject: Subject) -> Iterator[Evidence]:
    """The learning rate never falls during the run.

    Detectors gain much of their precision after the learning rate has fallen. Many published configs had their
    num_steps cut and kept the schedule of the longer run, so the first decay comes after the last step.
    """
    steps, schedule = subject.config.train_config.num_steps, schedule_of(subject.config)
    if schedule is None or not steps:
        return
    match schedule.kind:
        case "exponential_decay" if schedule.message.decay_steps > steps:
            path, field, first = f"{schedule.path}.decay_steps", "decay_steps", schedule.message.decay_steps
        case "manual_step" if schedule.message.schedule and schedule.message.schedule[0].step >= steps:
            path, field, first = f"{schedule.path}.schedule[0].step", "this step", schedule.message.schedule[0].step
        case _:
            return
    problem = f"The first decay is at step {first}, but the run ends at step {steps}."
    yield Evidence(path, problem, f"Set {field} below {steps}.")


@rule("OPT03", "error", "The learning rate becomes NaN (not a number), and so do the weights.", source=_SOURCE)
def divides_by_zero(subject: Subject) -> Iterator[Evidence]:
    """The schedule divides by zero.

    Exponential decay divides by decay_steps. Cosine decay divides by the number of steps that are left of total_steps
    after warm-up and hold.
    """
    match schedule_of(subject.config):
        case Schedule(path=path, kind="exponential_decay", message=message) if message.decay_steps == 0:
            problem = "decay_steps is 0, and the schedule divides by it."
            yield Evidence(f"{path}.decay_steps", problem, "Set it to 1 or more.")
        case Schedule(path=path, kind="cosine_decay", message=message):
            before = message.warmup_steps + message.hold_base_rate_steps
            if message.total_steps == before:
                problem = (
                    f"Warm-up and hold take all of the {before} steps, and the schedule divides by the 0 that are left."
                )
                yield Evidence(f"{path}.total_steps", problem, f"Set total_steps above {before}.")


@rule("OPT04", "error", "The engine stops before the first step.", source=_SOURCE)
def impossible_schedule(subject: Subject) -> Iterator[Evidence]:
    """The optimizer or its learning rate is missing, or the schedule contradicts itself.

    In a cosine schedule total_steps must be at least warmup_steps, and the warm-up must not start above the base rate.
    A manual schedule needs at least one entry. Its entries must be in rising order of steps, and the first must come
    after step 0.
    """
    optimizer = subject.config.train_config.optimizer
    schedule = schedule_of(subject.config)
    if schedule is None:
        chosen = optimizer.WhichOneof("optimizer")
        path = f"train_config.optimizer{f'.{chosen}.learning_rate' if chosen else ''}"
        choices = (getattr(optimizer, chosen).learning_rate if chosen else optimizer).DESCRIPTOR.oneofs[0].fields
        problem = f"{chosen} has no learning rate." if chosen else "The config has no optimizer."
        yield Evidence(path, problem, f"Set one of {', '.join(field.name for field in choices)}.")
    elif schedule.kind == "cosine_decay":
        yield from _contradictions_of_cosine(schedule)
    elif schedule.kind == "manual_step":
        yield from _contradictions_of_manual(schedule)


def _contradictions_of_cosine(schedule: Schedule) -> Iterator[Evidence]:
    message = schedule.message
    if message.total_steps < message.warmup_steps:
        problem = f"total_steps is {message.total_steps}, but the warm-up alone takes {message.warmup_steps} steps."
        yield Evidence(f"{schedule.path}.total_steps", problem, f"Set total_steps above {message.warmup_steps}.")
    if message.warmup_steps > 0 and message.warmup_learning_rate > message.learning_rate_base:
        base = f"{message.learning_rate_base:g}"
        problem = f"The warm-up starts at {message.warmup_learning_rate:g}, above learning_rate_base, which is {base}."
        yield Evidence(f"{schedule.path}.warmup_learning_rate", problem, f"Set it to {base} or less.")


def _contradictions_of_manual(schedule: Schedule) -> Iterator[Evidence]:
    steps = [entry.step for entry in schedule.message.schedule]
    if not steps:
        yield Evidence(f"{schedule.path}.schedule", "The schedule has no entry.", "Add an entry for each decay.")
    elif steps[0] == 0:
        advice = "Set initial_learning_rate to the rate of step 0, and remove the entry."
        problem = "The first entry is at step 0; it must be at step 1 or later."
        yield Evidence(f"{schedule.path}.schedule[0].step", problem, advice, _without_step_0(schedule))
    for index, (before, after) in enumerate(itertools.pairwise(steps), start=1):
        if after <= before:
            problem = f"This entry is at step {after}, but the entry before it is already at step {before}."
            advice = "Put the entries in rising order of steps."
            yield Evidence(f"{schedule.path}.schedule[{index}].step", problem, advice)


def _without_step_0(schedule: Schedule) -> tuple[Edit, ...]:
    """The edits that make the rate of the entry at step 0 the initial rate."""
    field = schedule.message.DESCRIPTOR.fields_by_name["schedule"]
    first, *rest = schedule.message.schedule
    entries = ", ".join(text_proto.value_to_text(entry, field) for entry in rest)
    return (
        Edit(path=f"{schedule.path}.initial_learning_rate", value=f"{first.learning_rate:g}"),
        Edit(path=f"{schedule.path}.schedule", value=f"[{entries}]"),
    )


@rule(
    "OPT05",
    "warning",
    "The learning rate is 0 for the rest of the run, or is still above 0 when the run ends.",
    source=_SOURCE,
)
def cosine_of_another_length(subject: Subject) -> Iterator[Evidence]:
    """The cosine schedule is not as long as the run.

    After total_steps the learning rate is 0, and the model learns nothing in the steps that are left. If total_steps is
    larger than num_steps, the run ends before the learning rate has fallen. The usual cause: somebody changed num_steps
    and not the schedule.
    """
    steps = subject.config.train_config.num_steps
    match schedule_of(subject.config):
        case Schedule(path=path, kind="cosine_decay", message=message) if steps and message.total_steps != steps:
            path = f"{path}.total_steps"
            fix = (Edit(path=path, value=str(steps)),) if steps > message.warmup_steps else ()
            problem = f"The schedule ends at step {message.total_steps}, but the run ends at step {steps}."
            meaning = (
                f"After step {message.total_steps} the learning rate is 0, and the model learns nothing more."
                if message.total_steps < steps
                else "The run ends before the learning rate has fallen to 0."
            )
            advice = f"Set total_steps to {steps}{'' if fix else ', and warmup_steps below it'}."
            yield Evidence(path, problem, advice, fix, meaning=meaning)


@rule("OPT06", "warning", "Training may diverge: the loss grows, or becomes NaN (not a number).", source=_SOURCE)
def high_rate(subject: Subject) -> Iterator[Evidence]:
    """The learning rate is high for the batch size.

    With momentum, a learning rate belongs to a batch size: half the batch needs half the rate. Published TF2 configs
    were made for batches of 64 to 512 on TPUs. On a GPU the batch has to be smaller, and the rate with it. The rule
    reports a rate that is more than one and a half times the highest rate of the published configs, scaled to this
    batch size.
    """
    schedule, train_config = schedule_of(subject.config), subject.config.train_config
    if schedule is None or not subject.extractor or not train_config.optimizer.HasField("momentum_optimizer"):
        return
    field, rate = _highest(schedule)
    published = extractors.of(subject.extractor).rate_per_image
    if rate > 1.5 * published * train_config.batch_size:
        usual = f"{published * train_config.batch_size:.2g}"
        problem = (
            f"The learning rate is {rate:g} at batch size {train_config.batch_size}. Published configs, scaled to this"
            f" batch size, have at most {usual}."
        )
        yield Evidence(f"{schedule.path}.{field}", problem, f"Set it to about {usual}, or use a larger batch.")


def _highest(schedule: Schedule) -> tuple[str, float]:
    """The field that holds the highest rate of the schedule, and that rate."""
    message = schedule.message
    if schedule.kind == "constant":
        return "learning_rate", message.learning_rate
    if schedule.kind == "cosine_decay":
        return "learning_rate_base", message.learning_rate_base
    entries = [("initial_learning_rate", message.initial_learning_rate)]
    if schedule.kind == "manual_step":
        entries += [(f"schedule[{i}].learning_rate", entry.learning_rate) for i, entry in enumerate(message.schedule)]
    return max(entries, key=lambda entry: entry[1])
