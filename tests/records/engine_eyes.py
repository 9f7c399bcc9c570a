"""A child process: what the engine's decoder sees in folders of records, and what its evaluators say of them.

    python engine_eyes.py KEYPOINTS FOLDER ...

prints JSON: for each folder its images, by source_id, and metrics in which the detections are those of its
detections.json, by source_id, or else the boxes themselves.
"""

# ruff: noqa: E402 - the shims come before the engine.

import json
import sys
from pathlib import Path

from tfod_tools.engine import shims

shims.apply("tf2")
import numpy as np
import tensorflow as tf
from object_detection.core.standard_fields import DetectionResultFields, InputDataFields
from object_detection.data_decoders.tf_example_decoder import TfExampleDecoder
from object_detection.metrics.coco_evaluation import CocoDetectionEvaluator
from object_detection.protos import input_reader_pb2
from object_detection.utils import label_map_util
from object_detection.utils.object_detection_evaluation import (
    OpenImagesChallengeEvaluator,
    OpenImagesDetectionEvaluator,
    PascalDetectionEvaluator,
)

NAMES = ("boxes", "classes", "difficult", "group_of", "is_crowd", "area", "weights", "image_classes")
NAMES += ("image_confidences", "instance_masks", "instance_mask_weights", "keypoint_visibilities")
RAW = ("difficult", "truncated", "occluded", "is_crowd", "group_of", "depiction", "inside")
EVALUATORS = (
    CocoDetectionEvaluator,
    PascalDetectionEvaluator,
    OpenImagesDetectionEvaluator,
    OpenImagesChallengeEvaluator,
)


def decoder(folder, keypoints):
    return TfExampleDecoder(
        label_map_proto_file=f"{folder}/label_map.pbtxt",
        load_instance_masks=True,
        instance_mask_type=input_reader_pb2.PNG_MASKS,
        num_keypoints=keypoints,
    )


def seen(decoded, record):
    """One image as JSON can hold it; boxes are ymin, xmin, ymax, xmax. `raw` are flags as TensorFlow reads them."""
    features = tf.train.Example.FromString(record.numpy()).features.feature
    raw = {flag: list(features[f"image/object/{flag}"].int64_list.value) for flag in RAW}
    present = {name: decoded[f"groundtruth_{name}"] for name in NAMES if f"groundtruth_{name}" in decoded}
    values = {name: value.numpy().tolist() for name, value in present.items()}
    raw = {flag: list(values) for flag, values in raw.items() if values}
    return {"shape": decoded["image"].shape.as_list(), "raw": raw, **values}


def detections(folder):
    """By source_id what the engine's evaluators take, or None where the folder has none."""
    path = Path(folder, "detections.json")
    if not path.exists():
        return None
    return {
        source_id: {
            # From xmin, ymin, xmax, ymax.
            DetectionResultFields.detection_boxes: np.float32([item["box"] for item in items])[:, [1, 0, 3, 2]],
            DetectionResultFields.detection_classes: np.int64([item["class"] for item in items]),
            DetectionResultFields.detection_scores: np.float32([item["score"] for item in items]),
        }
        for source_id, items in json.loads(path.read_text()).items()
    }


def metrics(records, folder):
    """Of the families of evaluators, all of them fed with every flag."""
    label_map = label_map_util.load_labelmap(f"{folder}/label_map.pbtxt")
    largest = max(item.id for item in label_map.item)
    categories = label_map_util.convert_label_map_to_categories(label_map, largest)
    evaluators = [kind(categories) for kind in EVALUATORS]
    given = detections(folder)
    for source_id, decoded in records.items():
        boxes = decoded[InputDataFields.groundtruth_boxes].numpy() * np.tile(decoded["image"].shape[:2], 2)
        classes = decoded[InputDataFields.groundtruth_classes].numpy()
        truth = {name: value.numpy() for name, value in decoded.items() if name.startswith("groundtruth_")}
        truth[InputDataFields.groundtruth_boxes] = boxes
        wanted = (InputDataFields.groundtruth_boxes, InputDataFields.groundtruth_classes)
        wanted += (InputDataFields.groundtruth_is_crowd, InputDataFields.groundtruth_difficult)
        wanted += (InputDataFields.groundtruth_group_of, InputDataFields.groundtruth_area)
        wanted += (InputDataFields.groundtruth_image_classes,)
        detected = {
            DetectionResultFields.detection_boxes: boxes,
            DetectionResultFields.detection_classes: classes,
            DetectionResultFields.detection_scores: np.ones(len(boxes), np.float32),
        }
        for evaluator in evaluators:
            # Copies, as one of them changes what it is given.
            evaluator.add_single_ground_truth_image_info(source_id, {name: truth[name].copy() for name in wanted})
            if given is None or source_id in given:
                evaluator.add_single_detected_image_info(source_id, detected if given is None else given[source_id])
    found = {}
    for evaluator in evaluators:
        found |= {name: float(value) for name, value in evaluator.evaluate().items()}
    return found


def main():
    keypoints, *folders = sys.argv[1:]
    result = {}
    for folder in folders:
        decode = decoder(folder, int(keypoints)).decode
        paths = sorted(map(str, Path(folder).glob("*.record-?????-of-?????")))
        records, images = {}, {}
        for record in tf.data.TFRecordDataset(paths):
            decoded = decode(record)
            source_id = decoded["source_id"].numpy().decode()
            records[source_id], images[source_id] = decoded, seen(decoded, record)
        result[folder] = {"images": images, "metrics": metrics(records, folder)}
    print()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
