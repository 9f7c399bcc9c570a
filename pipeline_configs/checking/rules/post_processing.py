"""Rules about the steps after prediction: non-maximum suppression and scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit

_BUILDER = "builders/post_processing_builder.py"
_NAMES = {"ssd": "post_processing", "faster_rcnn": "second_stage_post_processing"}
# The score converter that turns the logits of each loss into probabilities.
_CONVERTERS = {
    "weighted_sigmoid": "SIGMOID",
    "weighted_sigmoid_focal": "SIGMOID",
    "bootstrapped_sigmoid": "SIGMOID",
    "weighted_softmax": "SOFTMAX",
    "weighted_logits_softmax": "SOFTMAX",
}


def _post_processing(subject: Subject) -> tuple[str, Any] | None:
    name = _NAMES.get(subject.architecture)
    return (f"{subject.model_path}.{name}", getattr(subject.model, name)) if name else None


@rule(
    "CFG23",
    "error",
    "The engine stops when it builds the model.",
    source=_BUILDER,
)
def impossible_suppression(subject: Subject) -> Iterator[Evidence]:
    """A setting of non-maximum suppression is out of range, or contradicts another.

    iou_threshold must be between 0 and 1, max_detections_per_class at most max_total_detections, and soft_nms_sigma 0
    or more. With use_class_agnostic_nms, use_combined_nms must be false and max_classes_per_detection 1. The engine
    notices the last one only at its first detection.
    """
    held = _post_processing(subject)
    if held is None:
        return
    path, nms = f"{held[0]}.batch_non_max_suppression", held[1].batch_non_max_suppression
    if not 0 <= nms.iou_threshold <= 1:
        problem = f"iou_threshold is {nms.iou_threshold:g}, which is not between 0 and 1."
        yield Evidence(f"{path}.iou_threshold", problem, "Set it to a number between 0 and 1, such as 0.6.")
    if nms.max_detections_per_class > nms.max_total_detections:
        fix = (Edit(path=f"{path}.max_total_detections", value=f"{nms.max_detections_per_class}"),)
        most, total = nms.max_detections_per_class, nms.max_total_detections
        problem = f"max_detections_per_class is {most}, above max_total_detections, which is {total}."
        yield Evidence(f"{path}.max_detections_per_class", problem, f"Set max_total_detections to {most} or more.", fix)
    if nms.soft_nms_sigma < 0:
        problem = f"soft_nms_sigma is {nms.soft_nms_sigma:g}, which is below 0."
        yield Evidence(f"{path}.soft_nms_sigma", problem, "Set it to 0 or more.")
    if nms.use_class_agnostic_nms and nms.use_combined_nms:
        problem = "use_combined_nms and use_class_agnostic_nms are both true."
        yield Evidence(f"{path}.use_combined_nms", problem, "Set one of them to false.")
    if nms.use_class_agnostic_nms and nms.max_classes_per_detection > 1:
        path = f"{path}.max_classes_per_detection"
        problem = f"max_classes_per_detection is {nms.max_classes_per_detection}, but use_class_agnostic_nms is true."
        meaning = "The engine stops at its first detection."
        yield Evidence(path, problem, "Set max_classes_per_detection to 1.", meaning=meaning)


@rule("CFG24", "warning", "The scores of detections are then not probabilities of their class.", source=_BUILDER)
def scores_of_another_loss(subject: Subject) -> Iterator[Evidence]:
    """The score converter does not belong to the classification loss.

    Models with a sigmoid or focal loss need SIGMOID, and models with a softmax loss need SOFTMAX. The default,
    IDENTITY, changes nothing: scores are raw logits, below 0 and above 1, and a threshold on them means nothing.
    """
    held = _post_processing(subject)
    loss = _loss(subject) if held else None
    if held is None or loss not in _CONVERTERS:
        return
    path, post_processing = held
    field = post_processing.DESCRIPTOR.fields_by_name["score_converter"]
    found = field.enum_type.values_by_number[post_processing.score_converter].name
    if found != _CONVERTERS[loss]:
        path, wanted = f"{path}.score_converter", _CONVERTERS[loss]
        problem = f"The score converter is {found}, but the classification loss is {loss}."
        yield Evidence(path, problem, f"Set it to {wanted}.", (Edit(path=path, value=wanted),))


def _loss(subject: Subject) -> str | None:
    if subject.architecture == "ssd":
        found: str | None = subject.model.loss.classification_loss.WhichOneof("classification_loss")
        return found
    # The second stage uses softmax where no loss is set.
    return subject.model.second_stage_classification_loss.WhichOneof("classification_loss") or "weighted_softmax"


@rule(
    "CFG25",
    "warning",
    "The engine drops them in evaluation too, so average precision comes out too low.",
    source="core/post_processing.py",
)
def high_score_threshold(subject: Subject) -> Iterator[Evidence]:
    """Detections with low scores are dropped before evaluation.

    Average precision is the area under a curve, and detections with low scores are a part of this curve. Choose a
    threshold where you use the detections, such as --min_score of tfod predict.
    """
    held = _post_processing(subject)
    if held and held[1].batch_non_max_suppression.score_threshold > 0.05:
        path = f"{held[0]}.batch_non_max_suppression.score_threshold"
        threshold = held[1].batch_non_max_suppression.score_threshold
        problem = f"The model drops all detections with a score below {threshold:g}."
        advice = "Set the threshold close to 0, such as 1e-8."
        yield Evidence(path, problem, advice, (Edit(path=path, value="1e-8"),))
