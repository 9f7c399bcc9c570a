"""Rules that compare the config with checkpoints: the one to start from, and those in the folder of the run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline_configs import run_folder
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.checkpoints import checkpoint, start
from pipeline_configs.checkpoints.checkpoint import Checkpoint
from pipeline_configs.patches.patch import Edit

_PATH = "train_config.fine_tune_checkpoint"
_TYPE = "train_config.fine_tune_checkpoint_type"

_ENOUGH = 0.9  # of the weights of a feature extractor
_BOX_CODES = 4
_SET = 'Set fine_tune_checkpoint_type to "{}".'

# How the names of the weights begin that "detection" loads: in TF1 style, in TF2 style.
_EXTRACTORS = {
    "ssd": ("FeatureExtractor/", "model/_feature_extractor/"),
    "faster_rcnn": ("FirstStageFeatureExtractor/", "model/_feature_extractor_for_proposal_features/"),
    "center_net": ("", "model/_feature_extractor/"),
}


@rule("CFG32", "error", "The engine stops when it loads the checkpoint.", source="model_lib_v2.py", style="tf2")
def another_model(subject: Subject) -> Iterator[Evidence]:
    """The checkpoint does not fit this model.

    In TF2 style the checkpoint must have every weight that fine_tune_checkpoint_type asks for, in the shape that the
    model has. "full" asks for all weights, so the number of classes must be the same. "detection" asks for the feature
    extractor of a detector. "classification" asks for the base network, with the names of a classifier's checkpoint.
    This check compares names, and for "full" the class predictions of SSD and Faster R-CNN. With --checkpoint the
    engine itself compares every weight.
    """
    there, kind = subject.checkpoint, start.checkpoint_type(subject.config.train_config)
    if there is None or not there.object_based or not subject.architecture:
        return
    begin = {
        "classification": checkpoint.CLASSIFIER,
        "detection": _EXTRACTORS[subject.architecture][1],
        "full": "model/",
    }
    if kind not in begin or (kind == "classification" and there.of_detector):
        return  # the engine, or CFG30, reports it
    classes = classes_of(there, subject)
    if not there.has(begin[kind]):
        of_classifier = kind == "detection" and there.has(checkpoint.CLASSIFIER)
        fix = (Edit(path=_TYPE, value="classification"),) if of_classifier else ()
        problem = _wrong_names(there, kind, begin[kind], has_them=False)
        yield Evidence(_TYPE, problem, _SET.format("classification") if fix else "Use a checkpoint of this model.", fix)
    elif kind == "full" and classes not in (None, subject.model.num_classes):
        fix = (Edit(path=_TYPE, value="detection"),)
        problem = (
            f'fine_tune_checkpoint_type is "full", but the checkpoint has {classes} classes, and num_classes is'
            f" {subject.model.num_classes}."
        )
        yield Evidence(_TYPE, problem, _SET.format("detection"), fix)
    elif subject.start.restoration and subject.start.restoration.share < 1:
        yield _not_restored(subject)


@rule(
    "CFG36",
    "error",
    "The engine does not stop, but the weights that it does not find start from random values; only its log says so.",
    source="utils/variables_helper.py",
    style="tf1",
)
def not_loaded(subject: Subject) -> Iterator[Evidence]:
    """The checkpoint does not have the weights that the engine looks for.

    In TF1 style the engine loads a weight if the checkpoint has one with the same name and shape, and skips it if not.
    fine_tune_checkpoint_type decides the names: "detection" looks for the names of a detector's feature extractor,
    and "classification" for the same names without their first part. This check compares names. With --checkpoint the
    engine itself compares every weight, and nine of ten must be there.
    """
    there, kind = subject.checkpoint, start.checkpoint_type(subject.config.train_config)
    if there is None or not subject.architecture:
        return
    begin = _EXTRACTORS[subject.architecture][0]
    other = {"detection": "classification", "classification": "detection"}
    if there.object_based:
        problem = f"The checkpoint {_prefix(there)} is {there.kind}, but the model is TF1 style."
        yield Evidence(_PATH, problem, "Use a checkpoint of TF1 style.")
    elif kind in other and there.has(begin) != (kind == "detection"):
        problem = _wrong_names(there, kind, begin, has_them=there.has(begin))
        yield Evidence(_TYPE, problem, _SET.format(other[kind]), (Edit(path=_TYPE, value=other[kind]),))
    elif subject.start.restoration and subject.start.restoration.share < _ENOUGH:
        yield _not_restored(subject)


@rule("CFG34", "error", "The engine stops.", source="utils/variables_helper.py", style="tf2")
def starts_from_itself(subject: Subject) -> Iterator[Evidence]:
    """The checkpoint to start from is in the folder of the run.

    A run that was stopped continues by itself, without fine_tune_checkpoint. A new run needs its own folder. This is
    checked only if --model_dir is given.
    """
    folder, prefix = subject.start.model_dir, subject.start.prefix(subject.config)
    if folder and prefix and Path(prefix).absolute().parent == folder.absolute():
        problem = f"The checkpoint {prefix} is in {folder}, the folder of this run."
        yield Evidence(_PATH, problem, "Train in another --model_dir, or remove the field to continue the run.")


@rule("RUN03", "error", "Training cannot continue in this folder, and stops.", source="model_lib_v2.py")
def run_of_another_model(subject: Subject) -> Iterator[Evidence]:
    """The folder of the run holds checkpoints of another model.

    Training continues from the last checkpoint in its folder, so that checkpoint must be of the same model. If the
    names of the weights differ, the engine says nothing and starts from random weights. This is checked only if
    --model_dir is given. If tfod train wrote a config there, the models are compared; if not, the style and the number
    of classes.
    """
    folder = subject.start.model_dir
    if folder is None:
        return
    if run_folder.holds_another_model(folder, subject.config):
        problem = f"The model is not the model in {run_folder.path(folder)}, which made the checkpoints there."
        yield Evidence("model", problem, "Use the same model, or another --model_dir.")
        return
    there = run_folder.last_checkpoint(folder)
    if there is None or subject.style is None:
        return
    classes = classes_of(there, subject)
    if there.object_based != (subject.style == "tf2"):
        problem = f"The model is {subject.style.upper()} style, but the last checkpoint in {folder} is {there.kind}."
        yield Evidence("model", problem, "Train in another --model_dir.")
    elif classes not in (None, subject.model.num_classes):
        path = f"{subject.model_path}.num_classes"
        problem = f"num_classes is {subject.model.num_classes}, but {classes} in the checkpoints of {folder}."
        yield Evidence(path, problem, "Train in another --model_dir.")


def classes_of(there: Checkpoint, subject: Subject) -> int | None:
    """The number of classes of a TF2 checkpoint of the config's architecture; None if it is not known.

    In a Faster R-CNN each class, and the background, has one output. In an SSD each of them has one output for each
    anchor, and the boxes have four for each anchor. For CenterNet the number is not known.
    """
    classes = _outputs(there, "class_predictor")
    if not classes:
        return None
    if subject.architecture == "faster_rcnn":
        return classes[0] - 1
    boxes = _outputs(there, "box_encoder")
    if subject.architecture != "ssd" or not boxes or subject.model.box_coder.HasField("keypoint_box_coder"):
        return None
    return classes[0] * _BOX_CODES // boxes[0] - int(subject.model.add_background_class)


def _outputs(there: Checkpoint, kind: str) -> list[int]:
    """How many outputs the last layer of each head has, sorted by the heads' names; not of the first stage."""
    bias = re.compile(rf"(model/(?!_first_stage).*)/_{kind}_layers/(\d+)/bias/\.ATTRIBUTES/VARIABLE_VALUE")
    found: dict[str, tuple[int, int]] = {}
    for name, shape in there.shapes.items():
        if (match := bias.fullmatch(name)) and len(shape) == 1:
            found[match[1]] = max(found.get(match[1], (0, 0)), (int(match[2]), shape[0]))
    return [outputs for _, (_, outputs) in sorted(found.items())]


def _not_restored(subject: Subject) -> Evidence:
    restoration = subject.start.restoration
    assert restoration is not None
    lost = (*restoration.missing, *restoration.other_shape)
    such_as = f" It would not restore {lost[0]}, for example." if lost else ""
    problem = f"The engine would restore {len(restoration.restored)} of {restoration.wanted} weights.{such_as}"
    return Evidence(_PATH, problem, "Use a checkpoint of this model.")


def _wrong_names(there: Checkpoint, kind: str, beginning: str, *, has_them: bool) -> str:
    names = f"{'has' if has_them else 'has no'} weights with names that begin with {beginning}"
    return f'fine_tune_checkpoint_type is "{kind}", but the checkpoint {_prefix(there)} {names}.'


def _prefix(there: Checkpoint) -> str:
    return Path(there.prefix).name
