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
    """Depthwise convolutions are to have a kernel of one pixel.

    A depthwise kernel sees one channel at a time; with one pixel of it there is nothing to convolve. The default size
    is 1 for convolutional_box_predictor.
    """
    path, predictor = _predictor(subject)
    if getattr(predictor, "use_depthwise", False) and predictor.kernel_size == 1:
        yield Evidence(
            f"{path}.kernel_size", "1, with use_depthwise", "3", (Edit(path=f"{path}.kernel_size", value="3"),)
        )


@rule(
    "CFG17",
    "error",
    "The engine stops when it builds the box predictor.",
    source="predictors/convolutional_keras_box_predictor.py",
    style="tf2",
    architecture="ssd",
)
def crossed_depths(subject: Subject) -> Iterator[Evidence]:
    """The smallest depth of the box predictor's layers is larger than the largest.

    The depth is that of the feature map, held between min_depth and max_depth; with max_depth 0, the default, there are
    no layers before the predictor.
    """
    path, predictor = _predictor(subject)
    if predictor is None or "max_depth" not in predictor.DESCRIPTOR.fields_by_name:
        return
    if predictor.min_depth > predictor.max_depth:
        expected = f"at most {predictor.max_depth}, the max_depth"
        yield Evidence(f"{path}.min_depth", f"{predictor.min_depth}", expected)


@rule(
    "CFG18",
    "error",
    "The engine stops when it builds the model.",
    source="meta_architectures/ssd_meta_arch.py",
    architecture="ssd",
)
def two_backgrounds(subject: Subject) -> Iterator[Evidence]:
    """A background class is added although the labels have one.

    explicit_background_class says that the ground truth has a background class of its own, add_background_class, true
    by default, that the engine is to add one.
    """
    if subject.model.explicit_background_class and subject.model.add_background_class:
        path = f"{subject.model_path}.add_background_class"
        yield Evidence(
            path, "true, with explicit_background_class", "one of the two", (Edit(path=path, value="false"),)
        )
