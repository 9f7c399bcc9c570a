"""Rules about what the engine needs and today's packages no longer have; tfod-tools supplies it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline_configs import run_folder
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.checkpoints.checkpoint import Checkpoint

_NO_CONTRIB = "The engine alone stops, because TensorFlow 2 has no tf.contrib; tfod-tools supplies what is missing."
_OLD_NUMPY = ("pascal_voc", "weighted_pascal_voc", "oid_", "precision_at_recall")


@rule(
    "ENV01",
    "note",
    "Today the engine alone stops at the first record, because TensorFlow no longer has functions that it calls.",
    source="data_decoders/tf_example_decoder.py",
    style="tf2",
)
def training_of_older_tensorflow(subject: Subject) -> Iterator[Evidence]:
    """A run of TF2 style that the engine's own script made cannot go on without tfod-tools.

    The engine's script needs a TensorFlow before 2.13, which still has the functions with which tf_slim reads records.
    tfod-tools supplies them, and takes the same checkpoints. This is checked only if --model_dir is given; the rule
    reports a folder that has checkpoints, but no config that tfod train wrote.
    """
    if there := _engines_own_run(subject, object_based=True):
        problem = f"The engine's own script wrote {there.prefix}, {there.kind}."
        yield Evidence(
            "train_config", problem, "Go on with tfod train and tfod evaluate, which take the same checkpoint."
        )


@rule(
    "ENV02",
    "note",
    "The engine alone stops at the end of evaluation, because NumPy 1.24 and later have no np.float.",
    source="utils/metrics.py",
)
def metrics_of_old_numpy(subject: Subject) -> Iterator[Evidence]:
    """The config asks for metrics that need an old NumPy.

    All metrics other than those of COCO and LVIS use names that NumPy has removed. tfod evaluate measures the COCO
    metrics of boxes.
    """
    for index, name in enumerate(subject.config.eval_config.metrics_set):
        if name.startswith(_OLD_NUMPY):
            problem = f"The metrics '{name}' need a NumPy before 1.24."
            advice = "Evaluate with tfod evaluate, which measures the COCO metrics of boxes."
            yield Evidence(f"eval_config.metrics_set[{index}]", problem, advice)


@rule(
    "ENV03",
    "note",
    "The engine alone stops at the first picture with a box, because Pillow 10 and later have no font.getsize.",
    source="utils/visualization_utils.py",
)
def pictures(subject: Subject) -> Iterator[Evidence]:
    """The config asks evaluation for pictures of its detections.

    num_visualizations is 10 by default, so the engine's own evaluation stops with other configs too. The rule reports
    only configs that ask for pictures themselves.
    """
    config = subject.config.eval_config
    for name in ("num_visualizations", "visualize_groundtruth_boxes"):
        if config.HasField(name) and getattr(config, name) and config.num_visualizations:
            value = str(getattr(config, name)).lower()
            problem = f"{name} is {value}, so evaluation draws pictures."
            advice = "Evaluate with tfod evaluate, or set num_visualizations to 0."
            yield Evidence(f"eval_config.{name}", problem, advice)
            return


@rule(
    "ENV06",
    "note",
    "Today the engine alone cannot be imported, because it needs tf.contrib and names that NumPy and Keras removed.",
    source="builders/model_builder.py",
    style="tf1",
)
def training_of_tensorflow_1(subject: Subject) -> Iterator[Evidence]:
    """A run of TF1 style that the engine's own script started cannot go on without tfod-tools.

    The engine's scripts for TF1 style need TensorFlow 1.15. tfod-tools supplies what TensorFlow 2 lacks, and takes the
    same checkpoints. This is checked only if --model_dir is given; the rule reports a folder that has checkpoints, but
    no config that tfod train wrote.
    """
    there = _engines_own_run(subject, object_based=False)
    step = re.search(r"-(\d+)$", there.prefix) if there else None
    if there and step and int(step[1]) < subject.config.train_config.num_steps:
        steps = subject.config.train_config.num_steps
        problem = f"The engine's own script stopped at step {step[1]} of {steps}."
        yield Evidence("train_config.num_steps", problem, "Go on with tfod train, which takes the same checkpoint.")


@rule("ENV07", "note", _NO_CONTRIB, source="builders/optimizer_builder.py", style="tf1")
def moving_averages(subject: Subject) -> Iterator[Evidence]:
    """Training makes moving averages of the weights in TF1 style.

    optimizer.use_moving_average is true by default. The optimizer that makes the averages was part of tf.contrib.
    """
    optimizer = subject.config.train_config.optimizer
    if optimizer.use_moving_average:
        value = "true" if optimizer.HasField("use_moving_average") else "true by default"
        problem = f"This is {value}, and moving averages need tf.contrib."
        path = "train_config.optimizer.use_moving_average"
        yield Evidence(path, problem, "Train with tfod train, or set it to false.")


@rule("ENV08", "note", _NO_CONTRIB, source="utils/autoaugment_utils.py")
def autoaugment(subject: Subject) -> Iterator[Evidence]:
    """The augmentation step autoaugment_image is used.

    The step keeps its settings in HParams, a class that was part of tf.contrib.
    """
    for index, option in enumerate(subject.config.train_config.data_augmentation_options):
        if option.HasField("autoaugment_image"):
            path = f"train_config.data_augmentation_options[{index}].autoaugment_image"
            yield Evidence(path, "autoaugment_image needs tf.contrib.", "Train with tfod train.")


@rule("ENV09", "note", _NO_CONTRIB, source="builders/graph_rewriter_builder.py", style="tf1")
def quantisation(subject: Subject) -> Iterator[Evidence]:
    """The config asks for quantisation-aware training.

    The code that quantises weights and activations of the graph was part of tf.contrib.
    """
    if subject.config.graph_rewriter.HasField("quantization"):
        problem = "Quantisation-aware training needs tf.contrib."
        yield Evidence("graph_rewriter.quantization", problem, "Train with tfod train.")


@rule(
    "ENV10",
    "note",
    "The engine's export_inference_graph stops, because it needs a profiler that was part of tf.contrib.",
    source="exporter.py",
    style="tf1",
)
def export_of_tensorflow_1(subject: Subject) -> Iterator[Evidence]:
    """A run of TF1 style that the engine's own script made cannot be exported without tfod-tools.

    tfod export supplies what is missing, and takes the same checkpoints. This is checked only if --model_dir is given;
    the rule reports a folder that has checkpoints, but no config that tfod train wrote.
    """
    if there := _engines_own_run(subject, object_based=False):
        problem = f"The engine's own script wrote {there.prefix}, {there.kind}."
        yield Evidence("model", problem, "Export with tfod export, which takes the same checkpoint.")


def _engines_own_run(subject: Subject, *, object_based: bool) -> Checkpoint | None:
    """The last checkpoint in the run's folder, if it is of this kind and tfod train wrote no config there."""
    folder = subject.start.model_dir
    there = run_folder.last_checkpoint(folder) if folder and not run_folder.is_marked(folder) else None
    return there if there and there.object_based == object_based else None


@rule(
    "EXP01",
    "note",
    "The engine's export_tflite_graph_tf2 stops; tfod export writes other formats.",
    source="export_tflite_graph_lib_tf2.py",
    style="tf2",
)
def no_tflite(subject: Subject) -> Iterator[Evidence]:
    """The model cannot be exported to TensorFlow Lite as it is.

    The engine exports only SSD and CenterNet to TensorFlow Lite, and only if images are resized to a fixed shape. Most
    other resizers can be replaced by a fixed one for the export.
    """
    if subject.architecture == "faster_rcnn":
        problem = "The engine cannot export Faster R-CNN to TensorFlow Lite."
        yield Evidence("model.faster_rcnn", problem, "Use an SSD or a CenterNet if you need TensorFlow Lite.")
    elif subject.architecture and not subject.model.image_resizer.HasField("fixed_shape_resizer"):
        found = subject.model.image_resizer.WhichOneof("image_resizer_oneof")
        if found:
            path = f"{subject.model_path}.image_resizer.{found}"
            problem = f"The image resizer is {found}, but TensorFlow Lite needs images of a fixed shape."
            yield Evidence(path, problem, "Use fixed_shape_resizer if you need TensorFlow Lite.")
