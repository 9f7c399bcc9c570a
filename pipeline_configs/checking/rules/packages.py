"""Rules about what the engine needs that today's packages do not have any more, and tfod_tools supplies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline_configs import run_folder
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.checkpoints.checkpoint import Checkpoint

_NO_CONTRIB = "The engine alone stops: TensorFlow 2 has no tf.contrib; tfod_tools supplies it."
_OLD_NUMPY = ("pascal_voc", "weighted_pascal_voc", "oid_", "precision_at_recall")


@rule(
    "ENV01",
    "note",
    "The engine alone stops at the first record: TensorFlow lacks what tf_slim calls there; tfod_tools supplies it.",
    source="data_decoders/tf_example_decoder.py",
    style="tf2",
)
def training_of_older_tensorflow(subject: Subject) -> Iterator[Evidence]:
    """The engine's own script made the run, in TF2 style, that is to go on or to be evaluated.

    That script needs a TensorFlow before 2.13, whose modules still have what tf_slim reads records with. tfod_tools
    supplies it, and takes the same checkpoints. Looked for where --model_dir is given, and holds checkpoints but
    no config of tfod_tools.train.
    """
    if there := _engines_own_run(subject, object_based=True):
        yield Evidence("train_config", f"{there.prefix}, {there.kind}", "training by tfod_tools.train")


@rule(
    "ENV02",
    "note",
    "The engine alone stops at the end of evaluation: NumPy 1.24 and later have no np.float.",
    source="utils/metrics.py",
)
def metrics_of_old_numpy(subject: Subject) -> Iterator[Evidence]:
    """Metrics are asked for that need an old NumPy.

    All but the COCO and LVIS metrics use names that NumPy has dropped. tfod_tools.evaluate measures COCO boxes.
    """
    for index, name in enumerate(subject.config.eval_config.metrics_set):
        if name.startswith(_OLD_NUMPY):
            yield Evidence(f"eval_config.metrics_set[{index}]", f"'{name}'", "evaluation by tfod_tools.evaluate")


@rule(
    "ENV03",
    "note",
    "The engine alone stops at the first picture with a box: Pillow 10 and later have no font.getsize; tfod_tools has.",
    source="utils/visualization_utils.py",
)
def pictures(subject: Subject) -> Iterator[Evidence]:
    """Evaluation is asked for pictures of what it detects.

    num_visualizations is 10 where it is not set, and the engine's own evaluation stops there too; told is only where a
    config asks for pictures.
    """
    config = subject.config.eval_config
    for name in ("num_visualizations", "visualize_groundtruth_boxes"):
        if config.HasField(name) and getattr(config, name) and config.num_visualizations:
            value = str(getattr(config, name)).lower()
            yield Evidence(f"eval_config.{name}", value, "evaluation by tfod_tools.evaluate, or num_visualizations 0")
            return


@rule(
    "ENV06",
    "note",
    "The engine alone cannot even be imported: it looks for tf.contrib and for names that NumPy and Keras dropped.",
    source="builders/model_builder.py",
    style="tf1",
)
def training_of_tensorflow_1(subject: Subject) -> Iterator[Evidence]:
    """A run of TF1 style that the engine's own script began is to go on.

    Its scripts for that style need TensorFlow 1.15. tfod_tools supplies what TensorFlow 2 lacks, and goes on from the
    same checkpoints. Looked for where --model_dir is given, and holds checkpoints but no config of tfod_tools.train.
    """
    there = _engines_own_run(subject, object_based=False)
    step = re.search(r"-(\d+)$", there.prefix) if there else None
    if there and step and int(step[1]) < subject.config.train_config.num_steps:
        found = f"{subject.config.train_config.num_steps}, and a checkpoint of step {step[1]}"
        yield Evidence("train_config.num_steps", found, "training by tfod_tools.train")


@rule("ENV07", "note", _NO_CONTRIB, source="builders/optimizer_builder.py", style="tf1")
def moving_averages(subject: Subject) -> Iterator[Evidence]:
    """Moving averages of the weights are made in TF1 style.

    optimizer.use_moving_average is true where it is not set, and their optimizer was a part of tf.contrib.
    """
    optimizer = subject.config.train_config.optimizer
    if optimizer.use_moving_average:
        found = "true" if optimizer.HasField("use_moving_average") else "true by default"
        path = "train_config.optimizer.use_moving_average"
        yield Evidence(path, found, "training by tfod_tools.train, or false")


@rule("ENV08", "note", _NO_CONTRIB, source="utils/autoaugment_utils.py")
def autoaugment(subject: Subject) -> Iterator[Evidence]:
    """The step autoaugment_image is used.

    It keeps its settings in HParams, which were a part of tf.contrib.
    """
    for index, option in enumerate(subject.config.train_config.data_augmentation_options):
        if option.HasField("autoaugment_image"):
            path = f"train_config.data_augmentation_options[{index}].autoaugment_image"
            yield Evidence(path, "autoaugment_image", "training by tfod_tools.train")


@rule("ENV09", "note", _NO_CONTRIB, source="builders/graph_rewriter_builder.py", style="tf1")
def quantisation(subject: Subject) -> Iterator[Evidence]:
    """Quantisation-aware training is asked for.

    The rewriting of the graph, in which weights and activations are quantised, was a part of tf.contrib.
    """
    if subject.config.graph_rewriter.HasField("quantization"):
        yield Evidence("graph_rewriter.quantization", "quantization", "training by tfod_tools.train")


@rule(
    "ENV10",
    "note",
    "The engine's export_inference_graph stops: its profiler was a part of tf.contrib; tfod_tools.export supplies it.",
    source="exporter.py",
    style="tf1",
)
def export_of_tensorflow_1(subject: Subject) -> Iterator[Evidence]:
    """A run of TF1 style that the engine's own script made is to be exported.

    Looked for where --model_dir is given, and holds checkpoints but no config of tfod_tools.train.
    """
    if there := _engines_own_run(subject, object_based=False):
        yield Evidence("model", f"{there.prefix}, {there.kind}", "export by tfod_tools.export")


def _engines_own_run(subject: Subject, *, object_based: bool) -> Checkpoint | None:
    """The last checkpoint in the folder of a run, if of this kind, where tfod_tools.train left no config."""
    folder = subject.start.model_dir
    there = run_folder.last_checkpoint(folder) if folder and not run_folder.is_marked(folder) else None
    return there if there and there.object_based == object_based else None


@rule(
    "EXP01",
    "note",
    "The engine's export_tflite_graph_tf2 stops; tfod_tools.export writes other formats.",
    source="export_tflite_graph_lib_tf2.py",
    style="tf2",
)
def no_tflite(subject: Subject) -> Iterator[Evidence]:
    """The model cannot be exported for TensorFlow Lite as it is.

    The engine exports SSD and CenterNet, and only where images are resized to a fixed shape. Most other resizers can be
    replaced by a fixed one at export.
    """
    if subject.architecture == "faster_rcnn":
        yield Evidence("model.faster_rcnn", "faster_rcnn", "ssd or center_net, if for TensorFlow Lite")
    elif subject.architecture and not subject.model.image_resizer.HasField("fixed_shape_resizer"):
        found = subject.model.image_resizer.WhichOneof("image_resizer_oneof")
        if found:
            path = f"{subject.model_path}.image_resizer.{found}"
            yield Evidence(path, found, "fixed_shape_resizer, if for TensorFlow Lite")
