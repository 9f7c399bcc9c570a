"""Entry: runs an exported model on images. Needs TensorFlow, but not the engine and not its shims.

    python -m tfod_tools.engine.predict --model=EXPORT_DIR_OR_PB --images=PATHS.json

For each image in order, sends `image` (path, width, height, boxes [ymin, xmin, ymax, xmax] in 0..1, scores, classes:
label ids), or `skipped` (message) if it cannot be read. Sends `result` (images) at the end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from tfod_tools.base.errors import CheckpointError, ImageError
from tfod_tools.engine import channel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FLAGS = flags.FlagValues()
_MODEL = flags.DEFINE_string("model", None, "Exported model.", required=True, flag_values=FLAGS)
_IMAGES = flags.DEFINE_string("images", None, "JSON file with a list of paths.", required=True, flag_values=FLAGS)

_OUTPUTS = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")

# Takes images, uint8 [batch, height, width, 3]; returns the outputs by name.
Detector = Callable[["npt.NDArray[np.uint8]"], dict[str, "npt.NDArray[Any]"]]


def main(events: channel.Channel) -> None:
    """Detects objects in each image."""
    model = Path(_MODEL.value)
    frozen_graph = model / "frozen_inference_graph.pb" if model.is_dir() else model
    detect = _frozen_graph(frozen_graph) if frozen_graph.is_file() else _saved_model(model / "saved_model")
    paths = json.loads(Path(_IMAGES.value).read_text())
    for path in paths:
        try:
            image = _pixels(path)
        except ImageError as error:
            events.send("skipped", message=str(error))
            continue
        found = detect(image[None])
        count = int(found["num_detections"][0])
        events.send(
            "image",
            path=path,
            height=image.shape[0],
            width=image.shape[1],
            boxes=found["detection_boxes"][0, :count].tolist(),
            scores=found["detection_scores"][0, :count].tolist(),
            classes=found["detection_classes"][0, :count].astype(int).tolist(),
        )
    events.send("result", images=len(paths))


def _frozen_graph(path: Path) -> Detector:
    import tensorflow.compat.v1 as tf
    from google.protobuf.message import DecodeError

    definition = tf.GraphDef()
    try:
        definition.ParseFromString(path.read_bytes())
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(definition, name="")
            fetches = {name: graph.get_tensor_by_name(f"{name}:0") for name in _OUTPUTS}
            needed = tf.graph_util.extract_sub_graph(definition, list(_OUTPUTS))
    except (DecodeError, KeyError, ValueError) as error:
        raise CheckpointError("is not the frozen graph of a detector. Pass one that export made.", path=path) from error
    _check_inputs([node.name for node in needed.node if node.op == "Placeholder"], path)
    session = tf.Session(graph=graph)
    return lambda images: session.run(fetches, {"image_tensor:0": images})


def _saved_model(path: Path) -> Detector:
    import tensorflow as tf

    try:
        model = tf.saved_model.load(str(path))
    except OSError as error:
        raise CheckpointError(
            "holds no frozen_inference_graph.pb and no saved_model. Pass a folder that export made.",
            path=path.parent,
        ) from error
    signature = model.signatures["serving_default"]
    inputs = list(signature.structured_input_signature[1])
    _check_inputs(inputs, path)
    (input_name,) = inputs
    # Call the signature through the loaded model: without a reference to the model, its variables are freed.
    return lambda images: {
        name: value.numpy()
        for name, value in model.signatures["serving_default"](**{input_name: tf.constant(images)}).items()
        if name in _OUTPUTS
    }


def _check_inputs(inputs: Sequence[str], path: Path) -> None:
    if len(inputs) > 1:
        raise CheckpointError(
            f"its inputs are {', '.join(sorted(inputs))}, but predict gives a model only an image. A Context R-CNN also"
            " needs features of other images. Run it with your own program.",
            path=path,
        )


def _pixels(path: str) -> npt.NDArray[np.uint8]:
    """The image as uint8 [height, width, 3], turned upright by its EXIF orientation."""
    import numpy as np
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ImageError(f"cannot be read as an image: {error}", path=path) from error


if __name__ == "__main__":
    channel.serve(main, FLAGS)
