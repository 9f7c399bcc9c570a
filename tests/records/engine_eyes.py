"""A child process: what the engine's decoder sees in folders of records, and what its evaluators say of them.

    python engine_eyes.py KEYPOINTS FOLDER ...

prints JSON: for each folder its images, by source_id, and metrics in which the detections are the boxes themselves.
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
from object_detection.utils.object_detection_evaluation import OpenImagesDetectionEvaluator, PascalDetectionEvaluator

NAMES = ("boxes", "classes", "difficult", "group_of", "is_crowd", "area", "weights", "image_classes")
NAMES += ("image_confidences", "instance_masks", "instance_mask_weights", "keypoint_visibilities")


def decoder(folder, keypoints):
    return TfExampleDecoder(
        label_map_proto_file=f"{folder}/label_map.pbtxt",
        load_instance_masks=True,
        instance_mask_type=input_reader_pb2.PNG_MASKS,
        num_keypoints=keypoints,
    )


def seen(decoded):
    """One image as JSON can hold it; boxes are ymin, xmin, ymax, xmax."""
    present = {name: decoded[f"groundtruth_{name}"] for name in NAMES if f"groundtruth_{name}" in decoded}
    values = {name: value.numpy().tolist() for name, value in present.items()}
    return {"shape": decoded["image"].shape.as_list(), **values}


def metrics(records, folder):
    """Of the three families of evaluators, all of them fed with every flag."""
    label_map = label_map_util.load_labelmap(f"{folder}/label_map.pbtxt")
    largest = max(item.id for item in label_map.item)
    categories = label_map_util.convert_label_map_to_categories(label_map, largest)
    evaluators = [
        kind(categories) for kind in (CocoDetectionEvaluator, PascalDetectionEvaluator, OpenImagesDetectionEvaluator)
    ]
    for source_id, decoded in records.items():
        boxes = decoded[InputDataFields.groundtruth_boxes].numpy() * np.tile(decoded["image"].shape[:2], 2)
        classes = decoded[InputDataFields.groundtruth_classes].numpy()
        truth = {name: value.numpy() for name, value in decoded.items() if name.startswith("groundtruth_")}
        truth[InputDataFields.groundtruth_boxes] = boxes
        wanted = (InputDataFields.groundtruth_boxes, InputDataFields.groundtruth_classes)
        wanted += (InputDataFields.groundtruth_is_crowd, InputDataFields.groundtruth_difficult)
        wanted += (InputDataFields.groundtruth_group_of, InputDataFields.groundtruth_area)
        detected = {
            DetectionResultFields.detection_boxes: boxes,
            DetectionResultFields.detection_classes: classes,
            DetectionResultFields.detection_scores: np.ones(len(boxes), np.float32),
        }
        for evaluator in evaluators:
            evaluator.add_single_ground_truth_image_info(source_id, {name: truth[name] for name in wanted})
            evaluator.add_single_detected_image_info(source_id, detected)
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
        records = {}
        for record in tf.data.TFRecordDataset(paths):
            decoded = decode(record)
            records[decoded["source_id"].numpy().decode()] = decoded
        images = {source_id: seen(decoded) for source_id, decoded in records.items()}
        result[folder] = {"images": images, "metrics": metrics(records, folder)}
    print()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
