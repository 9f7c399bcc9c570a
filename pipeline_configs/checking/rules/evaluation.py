"""Rules about how the engine evaluates; tfod_tools.evaluate always measures COCO boxes, with figures for each class."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit
from tfod_tools.base import plugins

_EVAL = "eval_util.py"
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
    "The engine's evaluation stops; tfod_tools.evaluate measures COCO boxes in any case.",
    source=_EVAL,
)
def unknown_metrics(subject: Subject) -> Iterator[Evidence]:
    """A set of metrics has a name that the engine does not know.

    Three of the published configs have such a name, open_images_metrics or open_images_V2_detection_metrics; it is
    oid_V2_detection_metrics.
    """
    for index, name in enumerate(subject.config.eval_config.metrics_set):
        if name not in _METRICS:
            close = ["oid_V2_detection_metrics"] if "open_images" in name else _METRICS
            expected = f"a set of metrics. {plugins.suggestion(name, close)}"
            yield Evidence(f"eval_config.metrics_set[{index}]", f"'{name}'", expected)


@rule("EVA02", "note", "The engine measures the area under the whole curve.", source="utils/metrics.py")
def pascal_voc(subject: Subject) -> Iterator[Evidence]:
    """The metrics of Pascal VOC are asked for, which changed in 2010.

    Figures that were published for VOC 2007 are means of precision at 11 recalls, some points away from the area that
    the engine computes; the two are not to be compared.
    """
    for index, name in enumerate(subject.config.eval_config.metrics_set):
        if name == "pascal_voc_detection_metrics":
            yield Evidence(f"eval_config.metrics_set[{index}]", f"'{name}'", "no comparison with figures of VOC 2007")


@rule("EVA03", "note", "The engine's TF2 evaluation takes counts of classes for their ids.", source=_EVAL, style="tf2")
def open_images_challenge(subject: Subject) -> Iterator[Evidence]:
    """The metrics of the Open Images challenge are used in TF2 style.

    They are to judge the classes that were verified for an image. In TF2 style these arrive as a vector of zeros and
    ones, which is read as a list of ids: the figures are wrong. In TF1 style they are right.
    """
    for index, name in enumerate(subject.config.eval_config.metrics_set):
        if name.startswith("oid_challenge_"):
            yield Evidence(f"eval_config.metrics_set[{index}]", f"'{name}'", "TF1 style, or other metrics")


@rule("EVA05", "warning", "Only the first is evaluated.", source="model_lib_v2.py")
def several_readers(subject: Subject) -> Iterator[Evidence]:
    """There are several eval_input_reader.

    The engine's TF2 style and tfod_tools.evaluate look at the first. In a config that was put together from two, the
    first may be the one that was meant to be replaced.
    """
    if (count := len(subject.config.eval_input_reader)) > 1:
        yield Evidence("eval_input_reader[1]", f"{count} of them", "one")


@rule(
    "ENV04",
    "note",
    "The engine's evaluation stops at its end, since pycocotools has no such figures; tfod_tools.evaluate has its own.",
    source="metrics/coco_tools.py",
)
def metrics_per_category(subject: Subject) -> Iterator[Evidence]:
    """COCO metrics are asked for each category.

    The engine was written for a version of pycocotools that was never published.
    """
    config = subject.config.eval_config
    if config.include_metrics_per_category and any(name.startswith("coco_") for name in config.metrics_set):
        path = "eval_config.include_metrics_per_category"
        yield Evidence(path, "true", "evaluation by tfod_tools.evaluate, or false", (Edit(path=path, value="false"),))


@rule(
    "ENV05",
    "note",
    "The engine ignores it; tfod_tools.evaluate gives figures for each class in any case.",
    source=_EVAL,
)
def metrics_per_category_of_nothing(subject: Subject) -> Iterator[Evidence]:
    """Metrics are asked for each category, but metrics_set is empty.

    Without metrics_set the engine falls back on the COCO metrics, and forgets the options meanwhile.
    """
    config = subject.config.eval_config
    if config.include_metrics_per_category and not config.metrics_set:
        yield Evidence(
            "eval_config.include_metrics_per_category", "true", "metrics_set: the COCO metrics, for instance"
        )


@rule(
    "EVA04",
    "warning",
    "The metrics go up and down by chance.",
    source="metrics/coco_evaluation.py",
)
def few_objects_to_evaluate(subject: Subject) -> Iterator[Evidence]:
    """The records to evaluate on have too few objects to tell good models from better ones.

    An average precision p of a class with n objects varies by about sqrt(p (1 - p) / n) from one draw of images to
    another; its mean over classes accordingly. Given is the half width of the interval that holds 95 % of draws, at p =
    0.5. Differences of checkpoints within it mean nothing.
    """
    val = subject.records.val if subject.records else None
    if val is None or not val.boxes or not subject.config.eval_input_reader:
        return
    half_width = 1.96 * math.sqrt(sum(0.25 / count for count in val.boxes)) / len(val.boxes)
    if half_width > 0.03:
        found = f"{sum(val.boxes)} objects of {len(val.boxes)} classes, so that mAP means +- {half_width:.2f}"
        yield Evidence("eval_input_reader[0]", found, "more objects in the val split, such as --val_fraction=0.3")
