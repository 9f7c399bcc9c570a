"""Rules about the two stages of Faster R-CNN."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline_configs import extractors
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit

_BUILDER = "builders/model_builder.py"


@rule(
    "CFG21", "error", "The engine stops when it builds the model to train.", source=_BUILDER, architecture="faster_rcnn"
)
def batch_of_too_few_proposals(subject: Subject) -> Iterator[Evidence]:
    """The second stage trains on more boxes than the first stage proposes.

    For each image the second stage trains on second_stage_batch_size boxes, 64 by default. It takes them from the
    proposals of the first stage, and the first stage makes first_stage_max_proposals or fewer.
    """
    model, path = subject.model, f"{subject.model_path}.second_stage_batch_size"
    proposals = model.first_stage_max_proposals
    if model.second_stage_batch_size > proposals:
        problem = (
            f"second_stage_batch_size is {model.second_stage_batch_size}, above first_stage_max_proposals, which is"
            f" {proposals}."
        )
        yield Evidence(path, problem, f"Set it to {proposals} or less.", (Edit(path=path, value=f"{proposals}"),))


@rule("CFG22", "error", "The engine stops when it builds the model.", source=_BUILDER, architecture="faster_rcnn")
def impossible_stages(subject: Subject) -> Iterator[Evidence]:
    """A setting of Faster R-CNN has a value that the engine does not take.

    The model has one to three stages. first_stage_nms_iou_threshold must be between 0 and 1, and
    inplace_batchnorm_update must be false. first_stage_features_stride must be one of the strides that the feature
    extractor can make.
    """
    model, path = subject.model, subject.model_path
    if not 1 <= model.number_of_stages <= 3:
        problem = f"number_of_stages is {model.number_of_stages}, but a model has 1, 2 or 3 stages."
        yield Evidence(f"{path}.number_of_stages", problem, "Set it to 2, or to 3 for masks.")
    if not 0 <= model.first_stage_nms_iou_threshold <= 1:
        threshold = model.first_stage_nms_iou_threshold
        problem = f"first_stage_nms_iou_threshold is {threshold:g}, which is not between 0 and 1."
        advice = "Set it to a number between 0 and 1, such as 0.7."
        yield Evidence(f"{path}.first_stage_nms_iou_threshold", problem, advice)
    if model.inplace_batchnorm_update:
        field = f"{path}.inplace_batchnorm_update"
        problem = "inplace_batchnorm_update is true, but Faster R-CNN does not support that."
        yield Evidence(field, problem, "Remove the field.", (Edit(path=field, value=None),))
    strides = _strides(subject)
    stride = model.feature_extractor.first_stage_features_stride
    if strides and stride not in strides:
        field = f"{path}.feature_extractor.first_stage_features_stride"
        possible = " or ".join(map(str, strides))
        problem = f"first_stage_features_stride is {stride}, but for {subject.extractor} it must be {possible}."
        yield Evidence(field, problem, f"Set it to {possible}.")


def _strides(subject: Subject) -> tuple[int, ...]:
    """The strides that the feature extractor can make; empty if they are not known."""
    extractor = subject.extractor
    if not extractors.is_engines("faster_rcnn", extractor):
        return ()
    return extractors.of(extractor).strides
