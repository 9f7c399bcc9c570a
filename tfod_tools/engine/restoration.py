"""Entry: finds which weights of a model are restored when training starts from a checkpoint, and which are not.

    python -m tfod_tools.engine.restoration --style=tf1 --config=pipeline.config

The checkpoint is the config's fine_tune_checkpoint. The model is built as for training, but without records. Of the
checkpoint, only names and shapes are read. Sends `result`: `restored` and `missing` are lists of weights; `other_shape`
has, for each such weight, its shape in the checkpoint and in the model; `others` is the number of weights of the model
that the engine does not look for in the checkpoint.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from absl import flags

from tfod_tools.engine import channel, extractors, shims

FLAGS = flags.FlagValues()
_STYLE = flags.DEFINE_enum("style", None, ["tf1", "tf2"], "TF1 or TF2 style.", required=True, flag_values=FLAGS)
_CONFIG = flags.DEFINE_string("config", None, "The pipeline.config.", required=True, flag_values=FLAGS)
_EXTENSION = flags.DEFINE_string("extension", None, "Brings a feature extractor.", flag_values=FLAGS)

_IMAGE = (1, 640, 640, 3)  # anything that a resizer takes
_VALUE = "VARIABLE_VALUE"
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"

# For each weight that the engine looks for: its shape in the model, and in the checkpoint (None if it is missing).
Found = Mapping[str, tuple[list[int], list[int] | None]]


def main(events: channel.Channel) -> None:
    """Builds the model and compares the weights that it would load with those of the checkpoint."""
    shims.apply(_STYLE.value)
    extractors.provide(_CONFIG.value, _EXTENSION.value)
    from object_detection.utils import config_util

    configs = config_util.get_configs_from_pipeline_file(_CONFIG.value)
    config_util.update_fine_tune_checkpoint_type(configs["train_config"])
    compare = _in_graph if _STYLE.value == "tf1" else _by_objects
    found, weights = compare(configs["model"], configs["train_config"])
    events.send(
        "result",
        restored=[name for name, (ours, theirs) in found.items() if ours == theirs],
        missing=[name for name, (_, theirs) in found.items() if theirs is None],
        other_shape={name: [theirs, ours] for name, (ours, theirs) in found.items() if theirs not in (None, ours)},
        others=weights - len(found),
    )


def _in_graph(model_config: Any, train_config: Any) -> tuple[Found, int]:
    """The weights that TF1 style looks for by their names; and how many weights the model has."""
    import tensorflow.compat.v1 as tf
    from object_detection.builders import model_builder

    with tf.Graph().as_default():
        model = model_builder.build(model_config, is_training=True)
        _predict(model, model_config)
        weights = len(tf.global_variables())
        wanted = model.restore_map(
            fine_tune_checkpoint_type=train_config.fine_tune_checkpoint_type,
            load_all_detection_checkpoint_vars=train_config.load_all_detection_checkpoint_vars,
        )
        wanted.pop(tf.GraphKeys.GLOBAL_STEP, None)  # the engine leaves it out as well
    shapes = tf.train.load_checkpoint(train_config.fine_tune_checkpoint).get_variable_to_shape_map()
    found = {
        variable.op.name: (variable.shape.as_list(), shapes.get(name)) for name, variable in sorted(wanted.items())
    }
    return found, weights


def _by_objects(model_config: Any, train_config: Any) -> tuple[Found, int]:
    """The weights that TF2 style looks for by paths from object to object; and how many weights the model has."""
    import tensorflow as tf
    from object_detection.builders import model_builder

    model = model_builder.build(model_config, is_training=True)
    tf.function(lambda: _predict(model, model_config)).get_concrete_function()
    wanted = model.restore_from_objects(fine_tune_checkpoint_type=train_config.fine_tune_checkpoint_type)
    root = tf.train.Checkpoint(**wanted)
    prefix = train_config.fine_tune_checkpoint
    view, shapes, keys = tf.train.CheckpointView(prefix), *_index(prefix)
    theirs = {id(ours): shapes.get(keys[node]) for node, ours in view.match(root).items() if node in keys}
    found = {path: (variable.shape.as_list(), theirs.get(id(variable))) for path, variable in _weights(root)}
    return found, len(_weights(tf.train.Checkpoint(model=model)))


def _predict(model: Any, model_config: Any) -> Any:
    """Makes the model's variables, which exist only after it was given an image and an object."""
    import tensorflow as tf
    from object_detection.core import standard_fields

    model.provide_groundtruth(
        groundtruth_boxes_list=[tf.constant([[0.1, 0.1, 0.9, 0.9]])],
        groundtruth_classes_list=[tf.one_hot([0], model.num_classes)],
        groundtruth_weights_list=[tf.ones([1])],
    )
    context = model_config.faster_rcnn.context_config
    fields = standard_fields.InputDataFields
    side_inputs = model.get_side_inputs(
        {
            fields.context_features: tf.zeros([1, context.max_num_context_features, context.context_feature_length]),
            fields.valid_context_size: tf.zeros([1], tf.int32),
        }
    )
    return model.predict(*model.preprocess(tf.zeros(_IMAGE)), **side_inputs)


def _index(prefix: str) -> tuple[dict[str, list[int]], dict[int, str]]:
    """The shapes in a TF2 checkpoint by name, and the names by the number of the object."""
    import tensorflow as tf
    from tensorflow.core.protobuf import trackable_object_graph_pb2

    reader = tf.train.load_checkpoint(prefix)
    graph = trackable_object_graph_pb2.TrackableObjectGraph.FromString(reader.get_tensor(_OBJECT_GRAPH))
    keys = {
        number: attribute.checkpoint_key
        for number, node in enumerate(graph.nodes)
        for attribute in node.attributes
        if attribute.name == _VALUE
    }
    return reader.get_variable_to_shape_map(), keys


def _weights(root: Any) -> list[tuple[str, Any]]:
    """The variables below an object, each with its shortest path."""
    import tensorflow as tf

    found, waiting = [], deque([("", root)])
    seen = {id(root): root}  # kept alive, so that no other object gets the same id
    while waiting:
        path, one = waiting.popleft()
        if isinstance(one, tf.Variable):
            found.append((path, one))
        for name, child in tf.train.TrackableView.children(one).items():
            if id(child) not in seen:
                seen[id(child)] = child
                waiting.append((f"{path}/{name}" if path else name, child))
    return found


if __name__ == "__main__":
    channel.serve(main, FLAGS)
