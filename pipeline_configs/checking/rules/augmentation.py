"""Rules about the steps of data augmentation."""

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
    """Index, name and message of each step; the name is "" where the step is empty."""
    for index, option in enumerate(subject.config.train_config.data_augmentation_options):
        name = option.WhichOneof("preprocessing_step") or ""
        yield index, name, getattr(option, name) if name else None


def _without(subject: Subject, index: int) -> tuple[Edit, ...]:
    """The edit that takes the step at `index` out."""
    options = subject.config.train_config.data_augmentation_options
    field = subject.config.train_config.DESCRIPTOR.fields_by_name["data_augmentation_options"]
    kept = [text_proto.value_to_text(option, field) for i, option in enumerate(options) if i != index]
    return (Edit(path=_OPTIONS, value=f"[{', '.join(kept)}]"),)


@rule("AUG01", "error", "The engine stops when it reads the first image.", source=_BUILDER)
def never_applied(subject: Subject) -> Iterator[Evidence]:
    """A flip or rotation has the probability 0.

    The engine takes 0 for "not set" and passes nothing on. To switch a step off, take it out.
    """
    for index, name, step in _steps(subject):
        if name in ("random_horizontal_flip", "random_vertical_flip", "random_rotation90") and step.probability == 0:
            yield Evidence(
                f"{_OPTIONS}[{index}].{name}.probability", "0", "the step left out", _without(subject, index)
            )


@rule("AUG02", "error", "The engine stops when it reads the first image.", source=_BUILDER)
def incomplete_normalisation(subject: Subject) -> Iterator[Evidence]:
    """normalize_image lacks some of its four limits.

    The engine passes on what is set, and the step has no defaults.
    """
    for index, name, step in _steps(subject):
        if name == "normalize_image":
            missing = [field.name for field in step.DESCRIPTOR.fields if not step.HasField(field.name)]
            if missing:
                yield Evidence(f"{_OPTIONS}[{index}].{name}", f"no {', '.join(missing)}", "all four of its fields")


@rule("AUG03", "warning", "The engine does it in training only, and once more in the feature extractor.", source=_STEPS)
def normalised_twice(subject: Subject) -> Iterator[Evidence]:
    """Pixels are normalised by a step of augmentation.

    Each feature extractor scales its input itself. Augmentation belongs to training alone, so that evaluation and
    export would see other pixels than those that were learnt.
    """
    for index, name, _ in _steps(subject):
        if name in ("normalize_image", "subtract_channel_mean"):
            yield Evidence(f"{_OPTIONS}[{index}].{name}", name, "no such step", _without(subject, index))


@rule(
    "AUG04",
    "error",
    "The engine stops; in TF1 style, after rgb_to_gray, it trains, and stops when that is evaluated or exported.",
    source=_STEPS,
)
def changed_shape(subject: Subject) -> Iterator[Evidence]:
    """A step leaves an image of a shape that nothing after it can take.

    rgb_to_gray leaves one channel, where pictures have three at evaluation and in use (random_rgb_to_gray keeps three).
    random_resize_method without a target_height or target_width leaves no pixels.
    """
    for index, name, step in _steps(subject):
        if name == "rgb_to_gray" or (
            name == "random_resize_method" and min(step.target_height, step.target_width) <= 0
        ):
            yield Evidence(f"{_OPTIONS}[{index}].{name}", name, "no such step", _without(subject, index))


@rule("AUG05", "error", "The engine stops when it builds the step.", source=_BUILDER)
def incomplete_step(subject: Subject) -> Iterator[Evidence]:
    """A step of augmentation is empty or half-written.

    Sizes of random_pad_image come in pairs of height and width, ratios of random_crop_pad_image in lists of two.
    """
    for index, name, step in _steps(subject):
        path = f"{_OPTIONS}[{index}]"
        if not name:
            yield Evidence(path, "an empty step", "the name of a step in it", _without(subject, index))
        elif name == "random_pad_image":
            for which in ("min", "max"):
                height, width = (step.HasField(f"{which}_image_{side}") for side in ("height", "width"))
                if height != width:
                    found = f"{which}_image_{'height' if height else 'width'} alone"
                    yield Evidence(f"{path}.{name}", found, f"both, {which}_image_height and {which}_image_width")
        elif name == "random_crop_pad_image":
            for which in ("min_padded_size_ratio", "max_padded_size_ratio"):
                if len(getattr(step, which)) not in (0, 2):
                    yield Evidence(f"{path}.{name}.{which}", f"a list of {len(getattr(step, which))}", "a list of 2")


@rule("AUG06", "warning", "The engine shows the model left for right.", source=_STEPS)
def mirrored_sides(subject: Subject) -> Iterator[Evidence]:
    """Images are mirrored although classes differ in left and right.

    A mirrored left hand is a right hand, and keeps the label of a left one. The same holds for text and for signs.
    """
    named = subject.records.label_map_path if subject.records else subject.config.train_input_reader.label_map_path
    items = inputs.label_map_items(named) or ()
    sided = [item.name for item in items if _SIDED.search(item.name.replace("_", " "))]
    for index, name, _ in _steps(subject):
        if sided and name == "random_horizontal_flip":
            found = f"{name} with the class {sided[0]}"
            yield Evidence(f"{_OPTIONS}[{index}].{name}", found, "no such step", _without(subject, index))
