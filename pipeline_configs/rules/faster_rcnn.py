"""Rules about the two stages of Faster R-CNN."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline_configs import style
from pipeline_configs.patch import Edit
from pipeline_configs.rule import Evidence, Subject, rule

_BUILDER = "builders/model_builder.py"


@rule(
    "CFG21", "error", "The engine stops when it builds the model to train.", source=_BUILDER, architecture="faster_rcnn"
)
def batch_of_too_few_proposals(subject: Subject) -> Iterator[Evidence]:
    """The second stage is to train on more boxes than the first proposes.

    second_stage_batch_size boxes of an image, 64 by default, are drawn from first_stage_max_proposals.
    """
    model, path = subject.model, f"{subject.model_path}.second_stage_batch_size"
    proposals = model.first_stage_max_proposals
    if model.second_stage_batch_size > proposals:
        expected = f"at most {proposals}, the first_stage_max_proposals"
        yield Evidence(path, f"{model.second_stage_batch_size}", expected, (Edit(path=path, value=f"{proposals}"),))


@rule("CFG22", "error", "The engine stops when it builds the model.", source=_BUILDER, architecture="faster_rcnn")
def impossible_stages(subject: Subject) -> Iterator[Evidence]:
    """A number of Faster R-CNN is outside what the engine has.

    It has one to three stages; the first one's suppression has an IoU threshold between 0 and 1; batch normalisation is
    never updated in place; and the stride of features is one that the network can be cut at.
    """
    model, path = subject.model, subject.model_path
    if not 1 <= model.number_of_stages <= 3:
        yield Evidence(f"{path}.number_of_stages", f"{model.number_of_stages}", "1, 2 or 3")
    if not 0 <= model.first_stage_nms_iou_threshold <= 1:
        yield Evidence(f"{path}.first_stage_nms_iou_threshold", f"{model.first_stage_nms_iou_threshold:g}", "0 to 1")
    if model.inplace_batchnorm_update:
        field = f"{path}.inplace_batchnorm_update"
        yield Evidence(field, "true", "false", (Edit(path=field, value=None),))
    strides = _strides(subject)
    stride = model.feature_extractor.first_stage_features_stride
    if strides and stride not in strides:
        field = f"{path}.feature_extractor.first_stage_features_stride"
        yield Evidence(field, f"{stride}", f"{' or '.join(map(str, strides))} for {subject.extractor}")


def _strides(subject: Subject) -> tuple[int, ...]:
    """The strides that the feature extractor can have; none where that is not known."""
    extractor = subject.extractor
    if subject.style is None or extractor in style.own_extractors():
        return ()
    only_16 = extractor.endswith("nas") or (subject.style == "tf2" and "resnet" in extractor and "fpn" not in extractor)
    return (16,) if only_16 and "inception" not in extractor else (8, 16)
