"""Rules about the checkpoint that training starts from."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path

from pipeline_configs import inputs
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.checkpoints import checkpoint, start
from pipeline_configs.extractors import Style
from pipeline_configs.patches.patch import Edit
from tfod_tools.base.errors import CheckpointError

_LOOP = "model_lib_v2.py"
_PATH = "train_config.fine_tune_checkpoint"
_TYPE = "train_config.fine_tune_checkpoint_type"
_ENOUGH_IMAGES = 5000


@rule("CFG29", "error", "The engine stops when it loads the checkpoint.", source=_LOOP, style="tf2")
def checkpoint_version(subject: Subject) -> Iterator[Evidence]:
    """fine_tune_checkpoint_version is V1 in TF2 style.

    V1 is the default of fine_tune_checkpoint_version, but TF2 style takes only V2.
    """
    train_config = subject.config.train_config
    version = train_config.DESCRIPTOR.fields_by_name["fine_tune_checkpoint_version"].enum_type.values_by_name["V2"]
    if train_config.fine_tune_checkpoint and train_config.fine_tune_checkpoint_version != version.number:
        path = "train_config.fine_tune_checkpoint_version"
        value = "V1" if train_config.HasField("fine_tune_checkpoint_version") else "V1 by default"
        problem = f"fine_tune_checkpoint_version is {value}, but TF2 style needs V2."
        yield Evidence(path, problem, "Set it to V2.", (Edit(path=path, value="V2"),))


@rule("CFG30", "error", "The engine does not find the weights of a classifier, and stops.", source=_LOOP, style="tf2")
def classification_of_a_detector(subject: Subject) -> Iterator[Evidence]:
    """The checkpoint of a detector is loaded as the checkpoint of a classifier.

    If fine_tune_checkpoint_type is not set, it is "classification". The checkpoints of the detection zoo, with a path
    that ends in checkpoint/ckpt-0, need "detection". Most published TF2 configs say "classification", because the
    published models were trained from a classifier.
    """
    there, path = subject.checkpoint, Path(subject.start.prefix(subject.config))
    zoo = path.parent.name == "checkpoint" and path.name.startswith("ckpt-")
    detector = there.of_detector if there else zoo
    if detector and start.checkpoint_type(subject.config.train_config) == "classification":
        problem = f'fine_tune_checkpoint_type is "classification", but {path} is the checkpoint of a detector.'
        yield Evidence(_TYPE, problem, 'Set it to "detection".', (Edit(path=_TYPE, value="detection"),))


@rule("CFG31", "error", "The engine stops when it loads the checkpoint.", source=_LOOP)
def no_checkpoint_there(subject: Subject) -> Iterator[Evidence]:
    """fine_tune_checkpoint is not the prefix of a usable checkpoint.

    The prefix is the part that the names of the checkpoint's files have in common. For model.ckpt.index and
    model.ckpt.data-00000-of-00001 it is model.ckpt, and for a folder with ckpt-0.index it is FOLDER/ckpt-0. In TF2
    style it can also be a Keras file that ends in .h5. All files of the checkpoint must be there and complete. TF2
    style does not take a checkpoint of TF1. With the .index file as the name, TF1 style loads nothing and does not
    stop.
    """
    named = subject.config.train_config.fine_tune_checkpoint
    if not named or "://" in named:
        return
    if _is_file(f"{named}.index"):
        yield from _unfit(named, subject.style)
        return
    if _is_file(named) and named.endswith(".h5") and subject.style == "tf2":
        return
    prefix = named.removesuffix(".index").partition(".data-")[0].removesuffix(".meta")
    if _is_file(named) and prefix == named and subject.style == "tf1":
        return  # the format of TensorFlow before 0.12, which has one file
    inside = [str(file.with_suffix("")) for file in inputs.matching(f"{glob.escape(named)}/*.index") or ()]
    if prefix != named and _is_file(f"{prefix}.index"):
        problem = f"The path {named} is one file of a checkpoint, not its prefix."
        meaning = "The engine loads nothing from it." if subject.style == "tf1" else ""
        yield Evidence(_PATH, problem, f"Set it to {prefix}.", (Edit(path=_PATH, value=prefix),), meaning=meaning)
    elif inside:
        fix = (Edit(path=_PATH, value=inside[0]),) if len(inside) == 1 else ()
        problem = f"The path {named} is the folder of a checkpoint, not its prefix."
        yield Evidence(_PATH, problem, f"Set it to {' or '.join(inside)}.", fix)
    else:
        problem = f"There is no checkpoint {named}."
        yield Evidence(_PATH, problem, "Name one that is there, or remove the field to train from scratch.")


def _unfit(prefix: str, style: Style | None) -> Iterator[Evidence]:
    """What is wrong with a checkpoint that exists."""
    try:
        there = checkpoint.read(prefix)
    except CheckpointError as error:
        what, _, advice = error.message.rpartition(". ")
        yield Evidence(_PATH, f"The file {error.path} {what}.", advice)
        return
    if style == "tf2" and not there.object_based:
        problem = f"The checkpoint {prefix} is {there.kind}, but the model is TF2 style."
        yield Evidence(_PATH, problem, "Use a checkpoint of TF2 style.")


def _is_file(path: str) -> bool:
    return bool(inputs.matching(path, literally=True))


@rule("CFG33", "error", "The engine stops before it trains, with or without a checkpoint.", source=_LOOP, style="tf2")
def all_variables(subject: Subject) -> Iterator[Evidence]:
    """load_all_detection_checkpoint_vars is set in TF2 style.

    In TF2 style fine_tune_checkpoint_type decides what the engine loads; "full" loads all weights.
    """
    if subject.config.train_config.load_all_detection_checkpoint_vars:
        path = "train_config.load_all_detection_checkpoint_vars"
        problem = "load_all_detection_checkpoint_vars is true, but TF2 style does not support it."
        advice = 'Remove the field, and set fine_tune_checkpoint_type to "full" to load all weights.'
        yield Evidence(path, problem, advice, (Edit(path=path, value=None),))


@rule(
    "CFG35",
    "note",
    "The engine's script model_main never loads it, and trains from scratch; tfod train loads it.",
    source="model_lib.py",
    style="tf1",
)
def checkpoint_in_tf1(subject: Subject) -> Iterator[Evidence]:
    """fine_tune_checkpoint is set in TF1 style.

    The engine's model_lib loads the checkpoint only if its hparams say load_pretrained. Its script model_main does not
    pass any hparams, so it always trains from scratch.
    """
    if subject.config.train_config.fine_tune_checkpoint:
        yield Evidence(_PATH, "The config starts from a checkpoint in TF1 style.", "Train with tfod train.")


@rule("CFG37", "warning", "Training starts from random weights.", source="protos/train.proto")
def from_scratch(subject: Subject) -> Iterator[Evidence]:
    """There is no checkpoint to start from.

    From random weights a detector needs many thousands of images and steps. The published schedules assume a
    checkpoint. With fewer than 5,000 images the result is seldom useful. There is no finding if the training records
    have 5,000 images or more.
    """
    if subject.config.train_config.fine_tune_checkpoint:
        return
    images = subject.records.train.images if subject.records else None
    if images is None or images < _ENOUGH_IMAGES:
        held = "" if images is None else f", and there are only {images} training images"
        problem = f"fine_tune_checkpoint is not set{held}."
        advice = f"Start from a checkpoint of the model zoo, or train with {_ENOUGH_IMAGES:,} images or more."
        yield Evidence(_PATH, problem, advice)
