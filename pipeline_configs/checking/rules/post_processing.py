"""Rules about what becomes of predictions: non-maximum suppression and scores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit

_BUILDER = "builders/post_processing_builder.py"
_NAMES = {"ssd": "post_processing", "faster_rcnn": "second_stage_post_processing"}
# Which score converter undoes which loss's logits.
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
    "The engine stops when it builds the model, or, for max_classes_per_detection, when it first detects something.",
    source=_BUILDER,
)
def impossible_suppression(subject: Subject) -> Iterator[Evidence]:
    """The numbers of non-maximum suppression contradict each other.

    iou_threshold is between 0 and 1, max_detections_per_class at most max_total_detections, soft_nms_sigma not
    negative; use_combined_nms and max_classes_per_detection do not go with use_class_agnostic_nms.
    """
    held = _post_processing(subject)
    if held is None:
        return
    path, nms = f"{held[0]}.batch_non_max_suppression", held[1].batch_non_max_suppression
    if not 0 <= nms.iou_threshold <= 1:
        yield Evidence(f"{path}.iou_threshold", f"{nms.iou_threshold:g}", "0 to 1")
    if nms.max_detections_per_class > nms.max_total_detections:
        fix = (Edit(path=f"{path}.max_total_detections", value=f"{nms.max_detections_per_class}"),)
        found = f"{nms.max_detections_per_class}"
        expected = f"at most {nms.max_total_detections}, the max_total_detections"
        yield Evidence(f"{path}.max_detections_per_class", found, expected, fix)
    if nms.soft_nms_sigma < 0:
        yield Evidence(f"{path}.soft_nms_sigma", f"{nms.soft_nms_sigma:g}", "0 or more")
    if nms.use_class_agnostic_nms and nms.use_combined_nms:
        yield Evidence(f"{path}.use_combined_nms", "true, with use_class_agnostic_nms", "one of the two")
    if nms.use_class_agnostic_nms and nms.max_classes_per_detection > 1:
        path = f"{path}.max_classes_per_detection"
        yield Evidence(path, f"{nms.max_classes_per_detection}, with use_class_agnostic_nms", "1")


@rule("CFG24", "warning", "The engine reports logits, or probabilities of something else, as scores.", source=_BUILDER)
def scores_of_another_loss(subject: Subject) -> Iterator[Evidence]:
    """The score converter does not belong to the classification loss.

    Sigmoid and focal losses are trained on logits for SIGMOID, softmax losses for SOFTMAX. The default, IDENTITY, hands
    raw logits on: scores lie below 0 and above 1, and thresholds mean nothing.
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
        yield Evidence(path, f"{found} after {loss}", wanted, (Edit(path=path, value=wanted),))


def _loss(subject: Subject) -> str | None:
    if subject.architecture == "ssd":
        found: str | None = subject.model.loss.classification_loss.WhichOneof("classification_loss")
        return found
    # Without one, the second stage has a softmax.
    return subject.model.second_stage_classification_loss.WhichOneof("classification_loss") or "weighted_softmax"


@rule(
    "CFG25",
    "warning",
    "The engine leaves them out of evaluation too, and average precision comes out too low.",
    source="core/post_processing.py",
)
def high_score_threshold(subject: Subject) -> Iterator[Evidence]:
    """Detections of low scores are thrown away before evaluation.

    Average precision is the area below a curve that low scores prolong. A threshold for use is set where detections are
    used, such as --min_score of predict.
    """
    held = _post_processing(subject)
    if held and held[1].batch_non_max_suppression.score_threshold > 0.05:
        path = f"{held[0]}.batch_non_max_suppression.score_threshold"
        found = f"{held[1].batch_non_max_suppression.score_threshold:g}"
        yield Evidence(path, found, "about 0, such as 1e-8", (Edit(path=path, value="1e-8"),))
