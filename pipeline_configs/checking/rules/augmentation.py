"""Rules about augmentation steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pipeline_configs import inputs
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit
from pipeline_configs.text import text_proto

_OPTIONS = "train_config.data_augmentation_options"
_BUILDER = "builders/preprocessor_builder.py"
_STEPS = "core/preprocessor.py"

_SIDED = re.compile(r"(?<![a-z])(left|right)(?![a-z])", re.IGNORECASE)


def _steps(subject: Subject) -> Iterator[tuple[int, str, Any]]:
    """Index, name and message of each step; the name of an empty step is ""."""
    for index, option in enumerate(subject.config.train_config.data_augmentation_options):
        name = option.WhichOneof("preprocessing_step") or ""
        yield index, name, getattr(option, name) if name else None


def _without(subject: Subject, index: int) -> tuple[Edit, ...]:
    """The edit that removes the step at `index`."""
    options = subject.config.train_config.data_augmentation_options
    field = subject.config.train_config.DESCRIPTOR.fields_by_name["data_augmentation_options"]
    kept = [text_proto.value_to_text(option, field) for i, option in enumerate(options) if i != index]
    return (Edit(path=_OPTIONS, value=f"[{', '.join(kept)}]"),)


@rule("AUG01", "error", "The engine stops when it reads the first image.", source=_BUILDER)
def never_applied(subject: Subject) -> Iterator[Evidence]:
    """A flip or rotation has the probability 0.

    The engine reads 0 as "not set", and then passes no probability to the step. To switch a step off, remove it.
    """
    for index, name, step in _steps(subject):
        if name in ("random_horizontal_flip", "random_vertical_flip", "random_rotation90") and step.probability == 0:
            path, problem = f"{_OPTIONS}[{index}].{name}.probability", f"The probability of {name} is 0."
            yield Evidence(path, problem, "Remove the step to switch it off.", _without(subject, index))


@rule("AUG02", "error", "The engine stops when it reads the first image.", source=_BUILDER)
def incomplete_normalisation(subject: Subject) -> Iterator[Evidence]:
    """Some of the four limits of normalize_image are not set.

    The engine passes only the limits that are set, and the step has no defaults.
    """
    for index, name, step in _steps(subject):
        if name == "normalize_image":
            missing = [field.name for field in step.DESCRIPTOR.fields if not step.HasField(field.name)]
            if missing:
                problem = f"normalize_image does not set {', '.join(missing)}."
                yield Evidence(f"{_OPTIONS}[{index}].{name}", problem, "Set all four of its fields.")


@rule(
    "AUG03",
    "warning",
    "The feature extractor does this too, and evaluation and export skip the step, so they use other pixels.",
    source=_STEPS,
)
def normalised_twice(subject: Subject) -> Iterator[Evidence]:
    """An augmentation step normalises the pixels.

    Each feature extractor normalises its own input. Augmentation happens only in training, so the model sees other
    pixels in evaluation and after export than in training.
    """
    for index, name, _ in _steps(subject):
        if name in ("normalize_image", "subtract_channel_mean"):
            problem = f"The step {name} changes the range of the pixels."
            yield Evidence(f"{_OPTIONS}[{index}].{name}", problem, "Remove the step.", _without(subject, index))


@rule("AUG04", "error", "The engine stops at the first image.", source=_STEPS)
def changed_shape(subject: Subject) -> Iterator[Evidence]:
    """An augmentation step makes images of a shape that the model cannot use.

    rgb_to_gray makes images with one channel, but in evaluation and in use images have three. random_rgb_to_gray keeps
    three. random_resize_method without target_height or target_width makes images without pixels.
    """
    for index, name, step in _steps(subject):
        path, fix = f"{_OPTIONS}[{index}].{name}", _without(subject, index)
        if name == "rgb_to_gray":
            problem = "The step rgb_to_gray makes images with one channel, but the model needs three."
            meaning = "The engine stops; in TF1 style it trains first, and stops at evaluation or export."
            yield Evidence(path, problem, "Remove the step, or use random_rgb_to_gray.", fix, meaning=meaning)
        elif name == "random_resize_method" and min(step.target_height, step.target_width) <= 0:
            size = f"{step.target_height} x {step.target_width}"
            problem = f"The step random_resize_method resizes images to {size} pixels."
            yield Evidence(path, problem, "Set target_height and target_width, or remove the step.", fix)


@rule("AUG05", "error", "The engine stops when it builds the step.", source=_BUILDER)
def incomplete_step(subject: Subject) -> Iterator[Evidence]:
    """An augmentation step is empty or not complete.

    random_pad_image needs the height and the width of each size. random_crop_pad_image needs two numbers in each list
    of ratios.
    """
    for index, name, step in _steps(subject):
        path = f"{_OPTIONS}[{index}]"
        if not name:
            problem = "This augmentation step is empty."
            yield Evidence(path, problem, "Name a step in it, or remove it.", _without(subject, index))
        elif name == "random_pad_image":
            for which in ("min", "max"):
                height, width = (step.HasField(f"{which}_image_{side}") for side in ("height", "width"))
                if height != width:
                    given, missing = ("height", "width") if height else ("width", "height")
                    problem = f"random_pad_image sets {which}_image_{given}, but not {which}_image_{missing}."
                    yield Evidence(f"{path}.{name}", problem, "Set both, or remove the first.")
        elif name == "random_crop_pad_image":
            for which in ("min_padded_size_ratio", "max_padded_size_ratio"):
                if (count := len(getattr(step, which))) not in (0, 2):
                    problem = f"The length of {which} is {count}, but it must be 2."
                    yield Evidence(
                        f"{path}.{name}.{which}", problem, "Set one ratio for the height and one for the width."
                    )


@rule("AUG06", "warning", "The model learns left as right, and right as left, in mirrored images.", source=_STEPS)
def mirrored_sides(subject: Subject) -> Iterator[Evidence]:
    """Images are mirrored, but the names of classes say left or right.

    A mirrored left hand looks like a right hand, but keeps the label of a left hand. The same holds for text and signs.
    """
    named = subject.records.label_map_path if subject.records else subject.config.train_input_reader.label_map_path
    items = inputs.label_map_items(named) or ()
    sided = [item.name for item in items if _SIDED.search(item.name.replace("_", " "))]
    for index, name, _ in _steps(subject):
        if sided and name == "random_horizontal_flip":
            problem = f"The step {name} mirrors images, but there is a class '{sided[0]}'."
            yield Evidence(f"{_OPTIONS}[{index}].{name}", problem, "Remove the step.", _without(subject, index))
