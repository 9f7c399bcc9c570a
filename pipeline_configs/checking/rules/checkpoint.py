"""Rules that compare the config with what the checkpoints hold: the one to start from, and those of the model_dir."""

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

# What names of the weights begin with that "detection" loads: TF1 style, TF2 style.
_EXTRACTORS = {
    "ssd": ("FeatureExtractor/", "model/_feature_extractor/"),
    "faster_rcnn": ("FirstStageFeatureExtractor/", "model/_feature_extractor_for_proposal_features/"),
    "center_net": ("", "model/_feature_extractor/"),
}


@rule("CFG32", "error", "The engine stops when it loads the checkpoint.", source="model_lib_v2.py", style="tf2")
def another_model(subject: Subject) -> Iterator[Evidence]:
    """The checkpoint is not one of this model.

    In TF2 style every weight that fine_tune_checkpoint_type asks for has to be in the checkpoint, and in the model's
    shape. "full" asks for all, so that the classes have to be as many as there; "detection" for the feature extractor
    of a detector; "classification" for the base network, under the name that the checkpoints of classifiers have.
    Names are compared here, and for "full" the class predictions of SSD and Faster R-CNN; with --checkpoint, the engine
    itself compares every weight.
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
        return  # for the engine, and for CFG30
    classes = classes_of(there, subject)
    if not there.has(begin[kind]):
        fix = (
            (Edit(path=_TYPE, value="classification"),)
            if kind == "detection" and there.has(checkpoint.CLASSIFIER)
            else ()
        )
        yield Evidence(_TYPE, f'"{kind}" for {_prefix(there)}', f"one with weights {begin[kind]}...", fix)
    elif kind == "full" and classes not in (None, subject.model.num_classes):
        fix = (Edit(path=_TYPE, value="detection"),)
        found = f'"full" for a checkpoint of {classes} classes'
        yield Evidence(_TYPE, found, f'one of {subject.model.num_classes}, or "detection"', fix)
    elif subject.start.restoration and subject.start.restoration.share < 1:
        yield _not_restored(subject)


@rule(
    "CFG36",
    "error",
    "The engine leaves the other weights random; only its log says so.",
    source="utils/variables_helper.py",
    style="tf1",
)
def not_loaded(subject: Subject) -> Iterator[Evidence]:
    """Weights that the engine looks for are not in the checkpoint.

    In TF1 style a weight is loaded where the checkpoint has one of its name and shape, and passed over elsewhere.
    fine_tune_checkpoint_type decides on the names: "detection" looks for those of a detector's feature extractor,
    "classification" for the same without that first part of the name. Names are compared here; with --checkpoint the
    engine itself compares every weight, and at least nine of ten have to be there.
    """
    there, kind = subject.checkpoint, start.checkpoint_type(subject.config.train_config)
    if there is None or not subject.architecture:
        return
    begin = _EXTRACTORS[subject.architecture][0]
    other = {"detection": "classification", "classification": "detection"}
    if there.object_based:
        yield Evidence(_PATH, there.kind, "one of TF1's kind")
    elif kind in other and there.has(begin) != (kind == "detection"):
        found = (
            f'"{kind}" for {_prefix(there)}, whose weights are {"" if there.has(begin) else "not "}called {begin}...'
        )
        yield Evidence(_TYPE, found, f'"{other[kind]}"', (Edit(path=_TYPE, value=other[kind]),))
    elif subject.start.restoration and subject.start.restoration.share < _ENOUGH:
        yield _not_restored(subject)


@rule("CFG34", "error", "The engine stops.", source="utils/variables_helper.py", style="tf2")
def starts_from_itself(subject: Subject) -> Iterator[Evidence]:
    """The checkpoint to start from lies in the folder of the run.

    A run that was stopped goes on by itself; a new one needs a folder of its own. Looked for where --model_dir is
    given.
    """
    folder, prefix = subject.start.model_dir, subject.start.prefix(subject.config)
    if folder and prefix and Path(prefix).absolute().parent == folder.absolute():
        yield Evidence(_PATH, f"{prefix}, in the model_dir", "another model_dir")


@rule("RUN03", "error", "tfod_tools.train and the engine stop.", source="model_lib_v2.py")
def run_of_another_model(subject: Subject) -> Iterator[Evidence]:
    """The folder of the run holds checkpoints of another model.

    Training goes on from the last checkpoint in its folder, which has to be one of the same model. Where the names of
    weights differ, the engine says nothing and starts from random ones. Looked for where --model_dir is given: the
    models are compared where tfod_tools.train left a config there, else the style and the number of classes.
    """
    folder = subject.start.model_dir
    if folder is None:
        return
    if run_folder.holds_another_model(folder, subject.config):
        yield Evidence("model", f"other than in {run_folder.path(folder)}", "the same model, or another model_dir")
        return
    there = run_folder.last_checkpoint(folder)
    if there is None or subject.style is None:
        return
    classes = classes_of(there, subject)
    if there.object_based != (subject.style == "tf2"):
        yield Evidence("model", f"{subject.style.upper()} style, and {there.kind} in {folder}", "another model_dir")
    elif classes not in (None, subject.model.num_classes):
        path = f"{subject.model_path}.num_classes"
        found = f"{subject.model.num_classes}, and {classes} in the checkpoints of {folder}"
        yield Evidence(path, found, "another model_dir")


def classes_of(there: Checkpoint, subject: Subject) -> int | None:
    """For how many classes a checkpoint of TF2's kind was trained, if it is one of the config's architecture.

    Of a Faster R-CNN the classes and the background have an output each; of an SSD they have one for each anchor, for
    which the boxes have four. None where that cannot be told, as for CenterNet.
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
    """How many outputs the last layer of each head has, by the heads' names; not those that find regions."""
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
    such_as = f", without {lost[0]}" if lost else ""
    found = f"{len(restoration.restored)} of {restoration.wanted} weights{such_as}"
    return Evidence(_PATH, found, "a checkpoint of this model")


def _prefix(there: Checkpoint) -> str:
    return Path(there.prefix).name
