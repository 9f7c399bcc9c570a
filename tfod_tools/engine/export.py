"""Entry: exports a checkpoint with the engine's own exporter.

    python -m tfod_tools.engine.export --style=tf1 --config=pipeline.config --model_dir=DIR --output=NEW_DIR \
        --format=frozen_graph,saved_model

Writes `frozen_inference_graph.pb`, `saved_model/` (those of them that --format names), their checkpoint, and
`pipeline.config`. Sends `result` (step, checkpoint).
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from absl import flags

from tfod_tools.engine import channel, extractors, shims

FLAGS = flags.FlagValues()
_STYLE = flags.DEFINE_enum("style", None, ["tf1", "tf2"], "TF1 or TF2 style.", required=True, flag_values=FLAGS)
_CONFIG = flags.DEFINE_string("config", None, "The pipeline.config.", required=True, flag_values=FLAGS)
_MODEL_DIR = flags.DEFINE_string("model_dir", None, "Folder of checkpoints.", required=True, flag_values=FLAGS)
_CHECKPOINT = flags.DEFINE_string("checkpoint", None, "Prefix; the latest one by default.", flag_values=FLAGS)
_EXTENSION = flags.DEFINE_string("extension", None, "Brings a feature extractor.", flag_values=FLAGS)
_OUTPUT = flags.DEFINE_string("output", None, "Folder to write.", required=True, flag_values=FLAGS)
_FORMAT = flags.DEFINE_list("format", None, "frozen_graph and saved_model.", required=True, flag_values=FLAGS)

FROZEN_GRAPH = "frozen_inference_graph.pb"

# Their graphs must be built for a known number of images.
_ONE_IMAGE_AT_A_TIME = ("ssd_spaghettinet",)
_CONTEXT_INPUTS = ["context_features", "valid_context_size"]


def main(events: channel.Channel) -> None:
    """Runs the exporter of the style, then removes the formats that were not asked for."""
    shims.apply(_STYLE.value)
    extractors.provide(_CONFIG.value, _EXTENSION.value)
    from tfod_tools.engine import checkpoints

    checkpoint = checkpoints.find(_MODEL_DIR.value, _CHECKPOINT.value, _STYLE.value)
    output = Path(_OUTPUT.value)
    if _STYLE.value == "tf1":
        _export_slim(_pipeline(), checkpoint, output)
    else:
        _export_keras(_pipeline(), checkpoint, output)
        if "frozen_graph" in _FORMAT.value:
            _freeze(output / "saved_model", output / FROZEN_GRAPH)
    if "frozen_graph" not in _FORMAT.value:
        (output / FROZEN_GRAPH).unlink(missing_ok=True)
    if "saved_model" not in _FORMAT.value:
        shutil.rmtree(output / "saved_model")
    events.send("result", step=checkpoint.step, checkpoint=checkpoint.prefix)


def _pipeline() -> Any:
    from object_detection.utils import config_util

    configs = config_util.get_configs_from_pipeline_file(_CONFIG.value)
    return config_util.create_pipeline_proto_from_configs(configs)


def _export_slim(pipeline: Any, checkpoint: Any, output: Path) -> None:
    import tensorflow.compat.v1 as tf
    from object_detection import exporter

    context = _context_shape(pipeline)
    one_image = context or pipeline.model.ssd.feature_extractor.type in _ONE_IMAGE_AT_A_TIME
    exporter.export_inference_graph(
        "image_tensor",
        pipeline,
        checkpoint.prefix,
        str(output),
        input_shape=[1, None, None, 3] if one_image else None,
        use_side_inputs=bool(context),
        side_input_shapes=[context, [1]],
        side_input_names=_CONTEXT_INPUTS,
        side_input_types=[tf.float32, tf.int32],
    )


def _export_keras(pipeline: Any, checkpoint: Any, output: Path) -> None:
    from object_detection import exporter_lib_v2

    from tfod_tools.engine import checkpoints

    context = _context_shape(pipeline)
    with checkpoints.only(checkpoint, averages=pipeline.eval_config.use_moving_averages) as folder:
        exporter_lib_v2.export_inference_graph(
            "image_tensor",
            pipeline,
            folder,
            str(output),
            use_side_inputs=bool(context),
            side_input_shapes=f"{','.join(map(str, context))}/1",
            side_input_types="tf.float32,tf.int32",
            side_input_names=",".join(_CONTEXT_INPUTS),
        )


def _context_shape(pipeline: Any) -> list[int]:
    """The shape [1, number, length] of the features of other images, which a Context R-CNN takes besides an image.

    Empty for any other model.
    """
    if not pipeline.model.faster_rcnn.HasField("context_config"):
        return []
    context = pipeline.model.faster_rcnn.context_config
    return [1, context.max_num_context_features, context.context_feature_length]


def _freeze(saved_model: Path, frozen_graph: Path) -> None:
    """Writes a SavedModel of the TF2 exporter as a frozen graph with the tensor names of the TF1 exporter.

    The input is `image_tensor:0` (uint8 [1, height, width, 3]); other inputs of the model keep their names. The outputs
    are `detection_boxes:0`, `detection_scores:0`, `detection_classes:0`, `num_detections:0` and the model's others.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    model = tf.saved_model.load(str(saved_model))  # its variables are freed when nothing refers to it

    _, inputs = model.signatures["serving_default"].structured_input_signature
    named = {"input_tensor": "image_tensor"}
    specs = [tf.TensorSpec(spec.shape, spec.dtype, name=named.get(name, name)) for name, spec in inputs.items()]

    @tf.function(input_signature=specs)  # type: ignore[untyped-decorator]
    def from_inputs(*tensors: Any) -> Any:
        return model.signatures["serving_default"](**dict(zip(inputs, tensors, strict=True)))

    function = from_inputs.get_concrete_function()
    frozen = convert_variables_to_constants_v2(function)
    names = sorted(function.structured_outputs)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(frozen.graph.as_graph_def(), name="")
        for name, tensor in zip(names, frozen.outputs, strict=True):
            tf.identity(graph.get_tensor_by_name(tensor.name), name=name)
    tf.io.write_graph(graph.as_graph_def(), str(frozen_graph.parent), frozen_graph.name, as_text=False)


if __name__ == "__main__":
    channel.serve(main, FLAGS)
