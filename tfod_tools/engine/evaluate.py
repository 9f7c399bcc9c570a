"""Entry: evaluates a checkpoint once on the eval records of its config.

    python -m tfod_tools.engine.evaluate --style=tf2 --config=pipeline.config --model_dir=DIR [--checkpoint=PREFIX]

Sends `start` (step, images), `progress` (images, total) and `result` (step, checkpoint, metrics: see
`coco_metrics.compute`). The metrics are always COCO's box metrics, whatever metrics_set the config has. Only the first
eval input reader is evaluated.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from absl import flags

from tfod_tools.base.errors import RecordError
from tfod_tools.engine import channel, extractors, shims

FLAGS = flags.FlagValues()
_STYLE = flags.DEFINE_enum("style", None, ["tf1", "tf2"], "TF1 or TF2 style.", required=True, flag_values=FLAGS)
_CONFIG = flags.DEFINE_string("config", None, "The pipeline.config.", required=True, flag_values=FLAGS)
_MODEL_DIR = flags.DEFINE_string("model_dir", None, "Folder of checkpoints.", required=True, flag_values=FLAGS)
_CHECKPOINT = flags.DEFINE_string("checkpoint", None, "Prefix; the latest one by default.", flag_values=FLAGS)
_EXTENSION = flags.DEFINE_string("extension", None, "Brings a feature extractor.", flag_values=FLAGS)

_METRIC = "coco_detection_metrics"


def main(events: channel.Channel) -> None:
    """Runs the engine's own evaluation, with an evaluator that also computes the metrics of each class."""
    shims.apply(_STYLE.value)
    extractors.provide(_CONFIG.value, _EXTENSION.value)
    from tfod_tools.engine import checkpoints

    checkpoint = checkpoints.find(_MODEL_DIR.value, _CHECKPOINT.value, _STYLE.value)
    with _one_pass(_CONFIG.value) as one_pass:
        records = one_pass.records
        events.send("start", step=checkpoint.step, images=records)
        metrics = _evaluate(one_pass, checkpoint, _progress(events, records))
    if metrics["images"] != records:
        # The TF2 loop stops at any exception and reports what it has. Equal image ids are dropped with a warning.
        raise RecordError(
            f"only {metrics['images']} of {records} eval records were evaluated. Look for an exception in the log, and "
            "for records with the same image/source_id."
        )
    events.send("result", step=checkpoint.step, checkpoint=checkpoint.prefix, metrics=metrics)


def _progress(events: channel.Channel, total: int) -> Any:
    return lambda done: events.send("progress", images=done, total=total)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnePass:
    """An evaluation of every eval record.

    Attributes:
      config: path of the config for this evaluation.
      records: number of eval records.
      averages: whether the TF2 checkpoint's moving averages are to be evaluated.
    """

    config: str
    records: int
    averages: bool


@contextlib.contextmanager
def _one_pass(path: str) -> Iterator[_OnePass]:
    """Writes a temporary config that evaluates every eval record of the config at `path`."""
    import tensorflow as tf
    from google.protobuf import text_format
    from object_detection.utils import config_util

    configs = config_util.get_configs_from_pipeline_file(path)
    reader = configs["eval_input_configs"][0]
    files = sorted(name for pattern in reader.tf_record_input_reader.input_path for name in tf.io.gfile.glob(pattern))
    if not files:
        raise RecordError(
            f"no eval records match {', '.join(reader.tf_record_input_reader.input_path)}. Correct the path.", path=path
        )
    records, most_boxes = _count(files)
    # The engine leaves out all boxes of an image above this number without a warning; recall is then too high.
    reader.max_number_of_boxes = max(reader.max_number_of_boxes, most_boxes)
    evaluation = configs["eval_config"]
    del evaluation.metrics_set[:]
    evaluation.metrics_set.append(_METRIC)
    evaluation.include_metrics_per_category = False
    evaluation.batch_size = 1
    averages = evaluation.use_moving_averages
    if _STYLE.value == "tf2":
        evaluation.use_moving_averages = False  # see checkpoints.only
    del configs["eval_input_configs"][1:]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "pipeline.config")
        config.write_text(text_format.MessageToString(config_util.create_pipeline_proto_from_configs(configs)))
        yield _OnePass(config=str(config), records=records, averages=averages)


def _count(files: list[str]) -> tuple[int, int]:
    """The number of records in `files`, and the most boxes that one of them holds."""
    import tensorflow as tf
    from tensorflow.python.lib.io import tf_record

    records = most_boxes = 0
    for name in files:
        for serialized in tf_record.tf_record_iterator(name):
            feature = tf.train.Example.FromString(serialized).features.feature
            most_boxes = max(most_boxes, len(feature["image/object/bbox/xmin"].float_list.value))
            records += 1
    return records, most_boxes


def _evaluate(one_pass: _OnePass, checkpoint: Any, on_image: Any) -> dict[str, Any]:
    from object_detection import eval_util

    metrics: dict[str, Any] = {}
    eval_util.EVAL_METRICS_CLASS_DICT[_METRIC] = _evaluator(metrics, on_image)
    if _STYLE.value == "tf1":
        _with_estimator(one_pass, checkpoint)
    else:
        _with_keras(one_pass, checkpoint)
    return metrics


def _evaluator(metrics: dict[str, Any], on_image: Any) -> type:
    """The engine's COCO evaluator, which puts all its results into `metrics`."""
    from object_detection.metrics import coco_evaluation

    from tfod_tools.engine import coco_metrics

    class Evaluator(coco_evaluation.CocoDetectionEvaluator):  # type: ignore[misc]
        def add_single_detected_image_info(self, image_id: Any, detections_dict: Any) -> None:
            super().add_single_detected_image_info(image_id, detections_dict)
            on_image(len(self._image_ids))

        def evaluate(self) -> dict[str, float]:
            metrics.update(
                coco_metrics.compute(
                    self._categories, list(self._image_ids), self._groundtruth_list, self._detection_boxes_list
                )
            )
            return dict(zip(_ENGINE_NAMES, (_minus_one(metrics[n]) for n in coco_metrics.SUMMARY), strict=True))

    return Evaluator


def _minus_one(value: float | None) -> float:
    return -1.0 if value is None else value


# The engine's names for COCO's summary, in COCO's order. TensorBoard shows these.
_ENGINE_NAMES = (
    "DetectionBoxes_Precision/mAP",
    "DetectionBoxes_Precision/mAP@.50IOU",
    "DetectionBoxes_Precision/mAP@.75IOU",
    "DetectionBoxes_Precision/mAP (small)",
    "DetectionBoxes_Precision/mAP (medium)",
    "DetectionBoxes_Precision/mAP (large)",
    "DetectionBoxes_Recall/AR@1",
    "DetectionBoxes_Recall/AR@10",
    "DetectionBoxes_Recall/AR@100",
    "DetectionBoxes_Recall/AR@100 (small)",
    "DetectionBoxes_Recall/AR@100 (medium)",
    "DetectionBoxes_Recall/AR@100 (large)",
)


def _with_estimator(one_pass: _OnePass, checkpoint: Any) -> None:
    from object_detection import model_lib
    from tensorflow.compat.v1 import estimator as tf_estimator

    parts = model_lib.create_estimator_and_inputs(
        run_config=tf_estimator.RunConfig(model_dir=_MODEL_DIR.value), pipeline_config_path=one_pass.config
    )
    parts["estimator"].evaluate(parts["eval_input_fns"][0], checkpoint_path=checkpoint.prefix, name="0")


def _with_keras(one_pass: _OnePass, checkpoint: Any) -> None:
    from object_detection import model_lib_v2

    from tfod_tools.engine import checkpoints

    with checkpoints.only(checkpoint, averages=one_pass.averages) as folder:
        model_lib_v2.eval_continuously(
            pipeline_config_path=one_pass.config,
            model_dir=_MODEL_DIR.value,
            checkpoint_dir=folder,
            wait_interval=0,
            timeout=1,
        )


if __name__ == "__main__":
    channel.serve(main, FLAGS)
