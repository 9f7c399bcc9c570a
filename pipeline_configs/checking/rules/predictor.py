"""Rules about the box predictor of an SSD."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit


def _predictor(subject: Subject) -> tuple[str, Any]:
    """The path of the predictor and its message; the message is None where there is none."""
    kind = subject.model.box_predictor.WhichOneof("box_predictor_oneof")
    path = f"{subject.model_path}.box_predictor"
    return (f"{path}.{kind}", getattr(subject.model.box_predictor, kind)) if kind else (path, None)


@rule(
    "CFG16",
    "error",
    "The engine stops when it builds the box predictor.",
    source="predictors/heads",
    architecture="ssd",
)
def depthwise_without_neighbours(subject: Subject) -> Iterator[Evidence]:
    """Depthwise convolutions have a kernel of one pixel.

    A depthwise kernel handles one channel at a time, so with one pixel it has nothing to combine. The default
    kernel_size of convolutional_box_predictor is 1.
    """
    path, predictor = _predictor(subject)
    if getattr(predictor, "use_depthwise", False) and predictor.kernel_size == 1:
        path, problem = f"{path}.kernel_size", "kernel_size is 1, but use_depthwise is true."
        yield Evidence(path, problem, "Set kernel_size to 3.", (Edit(path=path, value="3"),))


@rule(
    "CFG17",
    "error",
    "The engine stops when it builds the box predictor.",
    source="predictors/convolutional_keras_box_predictor.py",
    style="tf2",
    architecture="ssd",
)
def crossed_depths(subject: Subject) -> Iterator[Evidence]:
    """min_depth of the box predictor is larger than max_depth.

    The layers before the predictor are as deep as the feature map, but not below min_depth and not above max_depth.
    With max_depth 0, the default, there are no such layers.
    """
    path, predictor = _predictor(subject)
    if predictor is None or "max_depth" not in predictor.DESCRIPTOR.fields_by_name:
        return
    if predictor.min_depth > predictor.max_depth:
        problem = f"min_depth is {predictor.min_depth}, above max_depth, which is {predictor.max_depth}."
        advice = f"Set min_depth to {predictor.max_depth}, or max_depth to {predictor.min_depth} or more."
        yield Evidence(f"{path}.min_depth", problem, advice)


@rule(
    "CFG18",
    "error",
    "The engine stops when it builds the model.",
    source="meta_architectures/ssd_meta_arch.py",
    architecture="ssd",
)
def two_backgrounds(subject: Subject) -> Iterator[Evidence]:
    """A background class is added, but the labels already have one.

    explicit_background_class says that the ground truth has its own background class. add_background_class, which is
    true by default, says that the engine adds one.
    """
    if subject.model.explicit_background_class and subject.model.add_background_class:
        path = f"{subject.model_path}.add_background_class"
        value = "true" if subject.model.HasField("add_background_class") else "true by default"
        problem = f"add_background_class is {value}, but explicit_background_class is true too."
        yield Evidence(path, problem, "Set one of them to false.", (Edit(path=path, value="false"),))
