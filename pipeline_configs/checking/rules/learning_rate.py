"""Rules about the optimizer's learning rate and how it goes down."""

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


@rule("OPT02", "warning", "The rate stays, all but, as it is to the end.", source=_SOURCE)
def never_decays(subject: Subject) -> Iterator[Evidence]:
    """The learning rate never goes down during the run.

    Detectors gain much of their precision after the learning rate has dropped. Published configs were often cut short
    in num_steps and kept the schedule of the longer run, so that its first drop lies beyond the last step.
    """
    steps, schedule = subject.config.train_config.num_steps, schedule_of(subject.config)
    if schedule is None or not steps:
        return
    match schedule.kind:
        case "exponential_decay" if schedule.message.decay_steps > steps:
            path, first = f"{schedule.path}.decay_steps", schedule.message.decay_steps
        case "manual_step" if schedule.message.schedule and schedule.message.schedule[0].step >= steps:
            path, first = f"{schedule.path}.schedule[0].step", schedule.message.schedule[0].step
        case _:
            return
    yield Evidence(path, f"{first}, the first drop of a run of {steps} steps", "drops before its last step")


@rule("OPT03", "error", "The rate becomes not a number, and so do the weights.", source=_SOURCE)
def no_number(subject: Subject) -> Iterator[Evidence]:
    """A schedule divides by zero.

    The exponential decay divides by decay_steps; the cosine by the steps that warm-up and hold leave of total_steps.
    """
    match schedule_of(subject.config):
        case Schedule(path=path, kind="exponential_decay", message=message) if message.decay_steps == 0:
            yield Evidence(f"{path}.decay_steps", "0", "1 or more")
        case Schedule(path=path, kind="cosine_decay", message=message):
            before = message.warmup_steps + message.hold_base_rate_steps
            if message.total_steps == before:
                yield Evidence(f"{path}.total_steps", f"{before}, all of them warm-up and hold", "more than those")


@rule("OPT04", "error", "The engine stops before the first step.", source=_SOURCE)
def impossible_schedule(subject: Subject) -> Iterator[Evidence]:
    """There is no optimizer or learning rate, or its schedule contradicts itself.

    The cosine needs total_steps of at least the warm-up, and a warm-up that begins at most at the base rate; a manual
    schedule needs entries, in rising order of steps, the first after step 0.
    """
    optimizer = subject.config.train_config.optimizer
    schedule = schedule_of(subject.config)
    if schedule is None:
        chosen = optimizer.WhichOneof("optimizer")
        path = f"train_config.optimizer{f'.{chosen}.learning_rate' if chosen else ''}"
        choices = (getattr(optimizer, chosen).learning_rate if chosen else optimizer).DESCRIPTOR.oneofs[0].fields
        yield Evidence(path, "nothing", f"one of {', '.join(field.name for field in choices)}")
    elif schedule.kind == "cosine_decay":
        yield from _contradictions_of_cosine(schedule)
    elif schedule.kind == "manual_step":
        yield from _contradictions_of_manual(schedule)


def _contradictions_of_cosine(schedule: Schedule) -> Iterator[Evidence]:
    message = schedule.message
    if message.total_steps < message.warmup_steps:
        yield Evidence(f"{schedule.path}.total_steps", f"{message.total_steps}",
                       f"at least {message.warmup_steps}, the warmup_steps")  # fmt: skip
    if message.warmup_steps > 0 and message.warmup_learning_rate > message.learning_rate_base:
        yield Evidence(f"{schedule.path}.warmup_learning_rate", f"{message.warmup_learning_rate:g}",
                       f"at most {message.learning_rate_base:g}, the learning_rate_base")  # fmt: skip


def _contradictions_of_manual(schedule: Schedule) -> Iterator[Evidence]:
    steps = [entry.step for entry in schedule.message.schedule]
    if not steps:
        yield Evidence(f"{schedule.path}.schedule", "no entry", "one for each drop")
    elif steps[0] == 0:
        expected = "1 or more; initial_learning_rate is that of step 0"
        yield Evidence(f"{schedule.path}.schedule[0].step", "0", expected, _without_step_0(schedule))
    for index, (before, after) in enumerate(itertools.pairwise(steps), start=1):
        if after <= before:
            yield Evidence(f"{schedule.path}.schedule[{index}].step", f"{after} after {before}", "rising steps")


def _without_step_0(schedule: Schedule) -> tuple[Edit, ...]:
    """The edits that make the rate of an entry at step 0 the initial one."""
    field = schedule.message.DESCRIPTOR.fields_by_name["schedule"]
    first, *rest = schedule.message.schedule
    entries = ", ".join(text_proto.value_to_text(entry, field) for entry in rest)
    return (
        Edit(path=f"{schedule.path}.initial_learning_rate", value=f"{first.learning_rate:g}"),
        Edit(path=f"{schedule.path}.schedule", value=f"[{entries}]"),
    )


@rule("OPT05", "warning", "The rate is 0 from there on, or never comes down.", source=_SOURCE)
def cosine_of_another_length(subject: Subject) -> Iterator[Evidence]:
    """The cosine schedule is not as long as the run.

    After total_steps the rate is 0, and the steps that are left learn nothing. With too many, the run ends before the
    rate has come down. Mostly num_steps was changed and the schedule was not.
    """
    steps = subject.config.train_config.num_steps
    match schedule_of(subject.config):
        case Schedule(path=path, kind="cosine_decay", message=message) if steps and message.total_steps != steps:
            path = f"{path}.total_steps"
            fix = (Edit(path=path, value=str(steps)),) if steps > message.warmup_steps else ()
            yield Evidence(path, str(message.total_steps), f"{steps}, as num_steps", fix)


@rule("OPT06", "warning", "Training may run away: the loss grows, or becomes not a number.", source=_SOURCE)
def high_rate(subject: Subject) -> Iterator[Evidence]:
    """The learning rate is high for the size of the batch.

    With momentum, a rate belongs to a batch: half the batch needs half the rate. Published TF2 configs were made for
    batches of 64 to 512 on TPUs; on a GPU their batch has to be smaller, and the rate with it. This is found from one
    and a half times the highest published rate for each image on.
    """
    schedule, train_config = schedule_of(subject.config), subject.config.train_config
    if schedule is None or not subject.extractor or not train_config.optimizer.HasField("momentum_optimizer"):
        return
    field, rate = _highest(schedule)
    published = extractors.of(subject.extractor).rate_per_image
    if rate > 1.5 * published * train_config.batch_size:
        found = f"{rate:g} at batch size {train_config.batch_size}"
        expected = f"about {published * train_config.batch_size:.2g}, or a larger batch"
        yield Evidence(f"{schedule.path}.{field}", found, expected)


def _highest(schedule: Schedule) -> tuple[str, float]:
    """The field with the highest rate of a schedule, and the rate."""
    message = schedule.message
    if schedule.kind == "constant":
        return "learning_rate", message.learning_rate
    if schedule.kind == "cosine_decay":
        return "learning_rate_base", message.learning_rate_base
    entries = [("initial_learning_rate", message.initial_learning_rate)]
    if schedule.kind == "manual_step":
        entries += [(f"schedule[{i}].learning_rate", entry.learning_rate) for i, entry in enumerate(message.schedule)]
    return max(entries, key=lambda entry: entry[1])
