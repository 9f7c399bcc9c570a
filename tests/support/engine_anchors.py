"""What the engine says of anchors, compared with `pipeline_configs.anchors` in a child process that has its shims.

`main` reads cases from cases.json, a list of [name, text of a config, whether to compare feature maps for all sizes of
the input or for the first], and prints a line of JSON for each:

    name, frames (how many input sizes), resizer (sizes that differ), maps (sizes that differ), anchors (largest
    difference of a coordinate, in pixels or fractions as the engine has it), iou (largest difference), matches (how
    many differ), of (how many anchors were compared), skipped (why nothing was),
    stopped (the engine's error, if it has one)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
from object_detection.builders import (
    anchor_generator_builder,
    image_resizer_builder,
    matcher_builder,
    model_builder,
)
from object_detection.core import box_list, box_list_ops, region_similarity_calculator, target_assigner
from object_detection.utils import tf_version
from support import plain_matcher

from pipeline_configs.anchors import anchor_set, feature_maps, matcher, resizer
from pipeline_configs.text import schema
from tfod_tools.base import plugins
from tfod_tools.base.errors import ConfigError
from tfod_tools.engine import extractors

IMAGES = ((480, 640), (640, 480), (720, 1280), (375, 500), (333, 333))
INPUTS = ((300, 300), (321, 257), (289, 400), (512, 512), (384, 640))
# A pyramid adds maps of neighbouring levels, so that they must be halves of one another.
PYRAMID_INPUTS = ((256, 256), (256, 384), (512, 256), (384, 640), (512, 512))
SIZES = 5
OBJECTS = 30


def run(tensors: Any) -> Any:
    """What tensors hold, in either style."""
    if tf.executing_eagerly():
        return tf.nest.map_structure(lambda tensor: tensor.numpy(), tensors)
    with tf.Session() as session:
        return session.run(tensors)


def frames(config: Any) -> list[tuple[int, int]]:
    """Five sizes of the input: those that the config's resizer gives, and others where these are fewer."""
    model = getattr(config.model, schema.architecture(config))
    found = [resizer.resized(model.image_resizer, image).frame for image in IMAGES]
    name = model.feature_extractor.type
    if name.startswith("embedded"):
        return [(256, 256)]
    pyramid = "fpn" in name and config.model.HasField("ssd")
    more = [*found, *(PYRAMID_INPUTS if pyramid else INPUTS)]
    least = 128 if pyramid else 1
    fit = [frame for frame in more if all(side % least == 0 or frame == found[0] for side in frame)]
    return list(dict.fromkeys(fit))[:SIZES]


def resizer_differs(config: Any) -> int:
    """For how many images the engine's resizer gives another size."""
    model = getattr(config.model, schema.architecture(config))
    build = image_resizer_builder.build(model.image_resizer)
    wrong = 0
    for image in IMAGES:
        outputs = build(tf.zeros((*image, 3)))
        frame, content = run([tf.shape(outputs[0])[:2], tf.convert_to_tensor(outputs[-1])[:2]])
        ours = resizer.resized(model.image_resizer, image)
        wrong += (tuple(frame), tuple(content)) != (ours.frame, ours.content)
    return wrong


class Maps:
    """The engine's feature maps, worked out once for extractors that differ in nothing that matters to them."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
        self._built: tuple[Any, Any] = (None, None)

    def sizes(self, config: Any, frame: tuple[int, int]) -> list[tuple[int, int]]:
        kind = schema.architecture(config)
        message = getattr(config.model, kind).feature_extractor
        names = ("type", "num_layers", "use_explicit_padding", "use_depthwise", "pad_to_multiple", "fpn", "bifpn")
        names += ("first_stage_features_stride", "spaghettinet_arch_name")
        values = tuple(str(getattr(message, name, "")) for name in names)
        if (values, frame) not in self._known:
            if tf_version.is_tf1():
                with tf.Graph().as_default():
                    self._known[values, frame] = self._traced(self._model(config), kind, frame)
            else:
                if self._built[0] != values:
                    self._built = values, self._extractor(self._model(config), kind)
                shape = tf.TensorSpec((1, *frame, 3), tf.float32)
                outputs = tf.function(self._built[1]).get_concrete_function(shape).structured_outputs
                self._known[values, frame] = self._of(outputs)
        return self._known[values, frame]

    def _model(self, config: Any) -> Any:
        return model_builder.build(config.model, is_training=True, add_summaries=False)

    def _extractor(self, model: Any, kind: str) -> Any:
        if kind == "ssd":
            return model._feature_extractor
        return model._feature_extractor.get_proposal_feature_extractor_model("features")

    def _traced(self, model: Any, kind: str, frame: tuple[int, int]) -> list[tuple[int, int]]:
        images = tf.placeholder(tf.float32, (1, *frame, 3))
        if kind == "ssd":
            return self._of(model._feature_extractor.extract_features(images))
        return self._of(model._feature_extractor.extract_proposal_features(images, "features")[0])

    def _of(self, outputs: Any) -> list[tuple[int, int]]:
        return [tuple(output.shape.as_list()[1:3]) for output in tf.nest.flatten(outputs)]


def compared(config: Any, maps: Maps, *, all_maps: bool) -> dict[str, Any]:
    """What differs between the engine's anchors and ours, over all frames.

    Args:
      config: the case.
      maps: the engine's feature maps.
      all_maps: whether to have the engine trace its network for every frame, and not for the first alone.
    """
    total = {"frames": 0, "maps": 0, "anchors": 0.0, "iou": 0.0, "matches": 0, "of": 0}
    for number, frame in enumerate(frames(config)):
        known = feature_maps.sizes(config, frame)
        sizes = maps.sizes(config, frame) if all_maps or not number else known
        ours = anchor_set.of_config(config, frame)
        total["frames"] += 1
        total["maps"] += sizes != known
        with tf.Graph().as_default() if tf_version.is_tf1() else tf.init_scope():
            one = of_frame(config, frame, sizes, ours, number)
        total = {
            key: max(total[key], one[key]) if key in ("anchors", "iou") else total[key] + one.get(key, 0)
            for key in total
        }
    return total


def of_frame(config: Any, frame: tuple[int, int], sizes: list[Any], ours: Any, seed: int) -> dict[str, Any]:
    """The same for one frame."""
    kind = schema.architecture(config)
    model = getattr(config.model, kind)
    if kind == "ssd":
        generator = anchor_generator_builder.build(model.anchor_generator)
        known = resizer.frame(model.image_resizer) is not None
        height, width = frame if known else map(tf.constant, frame)
        theirs = box_list_ops.concatenate(generator.generate(sizes, im_height=height, im_width=width))
        engines, how = matcher_builder.build(model.matcher), matcher.of_config(config)
    else:
        generator = anchor_generator_builder.build(model.first_stage_anchor_generator)
        theirs = box_list_ops.concatenate(generator.generate(sizes))
        window = tf.constant([0, 0, *frame], tf.float32)
        if model.clip_anchors_to_image:
            theirs = box_list_ops.clip_to_window(theirs, window, filter_nonoverlapping=False)
        else:
            theirs, _ = box_list_ops.prune_outside_window(theirs, window)
        engines = target_assigner.create_target_assigner("FasterRCNN", "proposal")._matcher
        how = matcher.of_config(config)
    objects, valid = some_objects(seed, *(side / unit for side, unit in zip(frame, ours.unit, strict=True)))
    similarity = region_similarity_calculator.IouSimilarity().compare(box_list.BoxList(tf.constant(objects)), theirs)
    matched = engines.match(similarity, valid_rows=tf.constant(valid)).match_results
    boxes, iou, matches = run([theirs.get(), similarity, matched])
    mine = ours.boxes()
    mine = mine[ours.kept(mine)]
    if mine.shape != boxes.shape:
        return {"anchors": float("inf"), "iou": 0.0, "matches": 0, "of": len(boxes)}
    my_iou = matcher.iou(objects[:, None], mine[None])
    my_matches = plain_matcher.argmax(my_iou, how, valid)
    scale = max(1.0, float(np.abs(boxes).max(initial=0)))
    return {
        "anchors": float(np.abs(mine - boxes).max(initial=0)) / scale,
        "iou": float(np.abs(my_iou - iou).max(initial=0)),
        "matches": int((my_matches != matches).sum()),
        "of": len(boxes),
    }


def some_objects(seed: int, height: float, width: float) -> tuple[Any, Any]:
    """Boxes of all sizes and places, two of them the same, and which of them have a weight."""
    random = np.random.default_rng(seed)
    sides = np.minimum(np.exp(random.uniform(np.log(0.02), 0, (OBJECTS, 1)) + random.normal(0, 0.4, (OBJECTS, 2))), 1)
    corners = random.random((OBJECTS, 2)) * (1 - sides)
    boxes = np.float32(np.concatenate([corners, corners + sides], 1) * [height, width, height, width])
    boxes[1] = boxes[0]
    return boxes, random.random(OBJECTS) > 0.1


def bipartite_differs() -> int:
    """How many matches of the engine's bipartite matcher differ, on random similarities."""
    from object_detection.matchers import bipartite_matcher

    wrong = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        similarity, valid = np.float32(random.random((seed % 7 + 1, 40))), random.random(seed % 7 + 1) > 0.2
        with tf.Graph().as_default():
            match = bipartite_matcher.GreedyBipartiteMatcher().match(tf.constant(similarity), tf.constant(valid))
            theirs = run(match.match_results)
        wrong += int((theirs != plain_matcher.bipartite(similarity, valid)).sum())
    return wrong


def main(folder: str) -> None:
    """Compares every case of the file cases.json, and the bipartite matcher where the style has it."""
    maps = Maps()
    for name, text, all_maps in json.loads((Path(folder) / "cases.json").read_text(encoding="utf-8")):
        config = schema.parse(text)
        wanted = getattr(config.model, schema.architecture(config)).feature_extractor.type
        if wanted in plugins.names(extractors._FOLDER):
            __import__(f"tfod_tools.engine.extractors.{wanted}")
        try:
            feature_maps.sizes(config, (512, 512))
        except ConfigError as error:
            print(json.dumps({"name": name, "skipped": str(error)}), flush=True)
            continue
        with tf.Graph().as_default() if tf_version.is_tf1() else tf.init_scope():
            wrong = resizer_differs(config)
        try:
            result = compared(config, maps, all_maps=all_maps)
        except Exception as error:  # noqa: BLE001 - whatever the engine stops with, the other cases go on
            result = {"stopped": f"{type(error).__name__}: {error}"}
        print(json.dumps({"name": name, "resizer": wrong, **result}), flush=True)
    if tf_version.is_tf1():
        print(json.dumps({"name": "bipartite", "matches": bipartite_differs()}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
