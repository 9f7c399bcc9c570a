"""Rules about evaluation by the engine. tfod evaluate always measures COCO boxes, with metrics for each class."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit
from tfod_tools.base import plugins

_EVAL = "eval_util.py"
_PER_CATEGORY = "include_metrics_per_category"
# The keys of EVAL_METRICS_CLASS_DICT in the engine's eval_util.py.
_METRICS = (
    *("coco_detection_metrics", "coco_keypoint_metrics", "coco_mask_metrics", "coco_panoptic_metrics"),
    *("lvis_mask_metrics", "oid_V2_detection_metrics"),
    *("oid_challenge_detection_metrics", "oid_challenge_segmentation_metrics"),
    *("pascal_voc_detection_metrics", "pascal_voc_instance_segmentation_metrics"),
    *("weighted_pascal_voc_detection_metrics", "weighted_pascal_voc_instance_segmentation_metrics"),
    "precision_at_recall_detection_metrics",
)


@rule(
    "EVA01",
    "warning",
    "The engine's evaluation stops; tfod evaluate measures COCO boxes all the same.",
    source=_EVAL,
)
def unknown_metrics(subject: Subject) -> Iterator[Evidence]:
    """metrics_set has a name that the engine does not know.

    Three of the published configs have such a name: open_images_metrics or open_images_V2_detection_metrics. The right
    name is oid_V2_detection_metrics.
    """
    for index, name in enumerate(subject.config.eval_config.metrics_set):
        if name not in _METRICS:
            problem = f"'{name}' is not a set of metrics."
            advice = "Use oid_V2_detection_metrics." if "open_images" in name else plugins.suggestion(name, _METRICS)
            yield Evidence(f"eval_config.metrics_set[{index}]", problem, advice)


@rule(
    "EVA02",
    "note",
    "The engine measures the area under the whole curve, as VOC has done since 2010.",
    source="utils/metrics.py",
)
def pascal_voc(subject: Subject) -> Iterator[Evidence]:
    """The config asks for the metrics of Pascal VOC, which changed in 2010.

    The published results for VOC 2007 are the mean of the precision at 11 recalls. They differ by some points from the
    area that the engine computes, so the two cannot be compared.
    """
    for index, name in enumerate(subject.config.eval_config.metrics_set):
        if name == "pascal_voc_detection_metrics":
            problem = f"metrics_set has {name}."
            advice = "Do not compare the results with those of VOC 2007."
            yield Evidence(f"eval_config.metrics_set[{index}]", problem, advice)


@rule(
    "EVA03",
    "note",
    "The engine's TF2 evaluation reads a vector of zeros and ones as a list of class ids, so the results are wrong.",
    source=_EVAL,
    style="tf2",
)
def open_images_challenge(subject: Subject) -> Iterator[Evidence]:
    """The metrics of the Open Images challenge are used in TF2 style.

    These metrics look only at the classes that were verified for an image. In TF2 style the engine passes these classes
    as a vector of zeros and ones, and reads it as a list of ids. In TF1 style the results are right.
    """
    for index, name in enumerate(subject.config.eval_config.metrics_set):
        if name.startswith("oid_challenge_"):
            problem = f"metrics_set has {name} in TF2 style."
            yield Evidence(f"eval_config.metrics_set[{index}]", problem, "Use other metrics, or a model of TF1 style.")


@rule("EVA05", "warning", "Evaluation reads only the first.", source="model_lib_v2.py")
def several_readers(subject: Subject) -> Iterator[Evidence]:
    """The config has more than one eval_input_reader.

    The engine's TF2 style and tfod evaluate read only the first. In a config that was merged from two, the first may be
    the one that you wanted to replace.
    """
    if (count := len(subject.config.eval_input_reader)) > 1:
        problem = f"The config has {count} eval_input_reader messages."
        yield Evidence("eval_input_reader[1]", problem, "Keep the one that you need, and remove the others.")


@rule(
    "ENV04",
    "note",
    "pycocotools has no such metrics, so the engine's evaluation stops at its end; tfod evaluate computes them itself.",
    source="metrics/coco_tools.py",
)
def metrics_per_category(subject: Subject) -> Iterator[Evidence]:
    """The config asks for COCO metrics for each category.

    The engine needs a version of pycocotools for this that was never published.
    """
    config = subject.config.eval_config
    if config.include_metrics_per_category and any(name.startswith("coco_") for name in config.metrics_set):
        path = f"eval_config.{_PER_CATEGORY}"
        advice = "Evaluate with tfod evaluate, or set it to false."
        yield Evidence(path, f"{_PER_CATEGORY} is true.", advice, (Edit(path=path, value="false"),))


@rule(
    "ENV05",
    "note",
    "The engine then ignores it; tfod evaluate shows metrics for each class all the same.",
    source=_EVAL,
)
def metrics_per_category_of_nothing(subject: Subject) -> Iterator[Evidence]:
    """The config asks for metrics for each category, but metrics_set is empty.

    Without metrics_set the engine uses the COCO metrics, but without the options of eval_config.
    """
    config = subject.config.eval_config
    if config.include_metrics_per_category and not config.metrics_set:
        problem = f"{_PER_CATEGORY} is true, but metrics_set is empty."
        advice = "Set metrics_set, for example to coco_detection_metrics."
        yield Evidence(f"eval_config.{_PER_CATEGORY}", problem, advice)


@rule(
    "EVA04",
    "warning",
    "Two checkpoints that differ by less than that may be equally good.",
    source="metrics/coco_evaluation.py",
)
def few_objects_to_evaluate(subject: Subject) -> Iterator[Evidence]:
    """The validation records have too few objects to compare models.

    The average precision p of a class with n objects varies by about sqrt(p (1 - p) / n) from one sample of images to
    another. The mean over the classes varies too, but less. The range that this check shows holds 95% of all samples,
    if p is 0.5.
    """
    val = subject.records.val if subject.records else None
    if val is None or not val.boxes or not subject.config.eval_input_reader:
        return
    half_width = 1.96 * math.sqrt(sum(0.25 / count for count in val.boxes)) / len(val.boxes)
    if half_width > 0.03:
        problem = (
            f"The val split has {sum(val.boxes)} objects in {_counted(len(val.boxes))}, so mAP varies by"
            f" ± {half_width:.2f} by chance."
        )
        advice = "Put more objects into the val split, for example with --val_fraction=0.3 of make_records."
        yield Evidence("eval_input_reader[0]", problem, advice)


def _counted(classes: int) -> str:
    return "1 class" if classes == 1 else f"{classes} classes"
