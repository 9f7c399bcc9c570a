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
    """The checkpoint is said to be of TF1's kind.

    fine_tune_checkpoint_version is V1 by default; TF2 style takes V2 alone.
    """
    train_config = subject.config.train_config
    version = train_config.DESCRIPTOR.fields_by_name["fine_tune_checkpoint_version"].enum_type.values_by_name["V2"]
    if train_config.fine_tune_checkpoint and train_config.fine_tune_checkpoint_version != version.number:
        path = "train_config.fine_tune_checkpoint_version"
        yield Evidence(path, "V1", "V2", (Edit(path=path, value="V2"),))


@rule("CFG30", "error", "The engine stops: objects of the checkpoint are not found.", source=_LOOP, style="tf2")
def classification_of_a_detector(subject: Subject) -> Iterator[Evidence]:
    """A detector's checkpoint is to be read as that of a classifier.

    fine_tune_checkpoint_type is "classification" where it is not set. The checkpoints of the detection zoo, whose path
    ends in checkpoint/ckpt-0, need "detection"; most published TF2 configs say "classification", since they were
    trained
    from one.
    """
    there, path = subject.checkpoint, Path(subject.start.prefix(subject.config))
    zoo = path.parent.name == "checkpoint" and path.name.startswith("ckpt-")
    detector = there.of_detector if there else zoo
    if detector and start.checkpoint_type(subject.config.train_config) == "classification":
        yield Evidence(_TYPE, f'"classification" for {path}', '"detection"', (Edit(path=_TYPE, value="detection"),))


@rule(
    "CFG31",
    "error",
    "The engine stops when it loads the checkpoint, or, in TF1 style given the .index file, loads nothing of it.",
    source=_LOOP,
)
def no_checkpoint_there(subject: Subject) -> Iterator[Evidence]:
    """fine_tune_checkpoint does not name a checkpoint that can be used.

    A checkpoint is named by what its files' names have in common: of model.ckpt.index and
    model.ckpt.data-00000-of-00001 that is model.ckpt, of a folder with ckpt-0.index it is FOLDER/ckpt-0. In TF2 style a
    Keras file that ends in .h5 can be named as well. All its files have to be there and whole; TF2 style takes no
    checkpoint of TF1's kind.
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
        yield Evidence(_PATH, f"{named}, one file of it", prefix, (Edit(path=_PATH, value=prefix),))
    elif inside:
        fix = (Edit(path=_PATH, value=inside[0]),) if len(inside) == 1 else ()
        yield Evidence(_PATH, f"the folder {named}", " or ".join(inside), fix)
    else:
        yield Evidence(_PATH, f"{named}, where no checkpoint is", "one that is there, or the field unset")


def _unfit(prefix: str, style: Style | None) -> Iterator[Evidence]:
    """What is wrong with a checkpoint that is there."""
    try:
        there = checkpoint.read(prefix)
    except CheckpointError as error:
        yield Evidence(_PATH, str(error).rstrip("."), "a whole checkpoint")
        return
    if style == "tf2" and not there.object_based:
        yield Evidence(_PATH, f"{prefix}, {there.kind}", "one of TF2's kind")


def _is_file(path: str) -> bool:
    return bool(inputs.matching(path, literally=True))


@rule("CFG33", "error", "The engine stops before it trains, with or without a checkpoint.", source=_LOOP, style="tf2")
def all_variables(subject: Subject) -> Iterator[Evidence]:
    """All variables of a checkpoint are to be loaded by a field that TF2 style does not have.

    There, fine_tune_checkpoint_type decides how much is loaded: "full" is all of it.
    """
    if subject.config.train_config.load_all_detection_checkpoint_vars:
        path = "train_config.load_all_detection_checkpoint_vars"
        yield Evidence(path, "true", "false", (Edit(path=path, value=None),))


@rule(
    "CFG35",
    "note",
    "model_main of the engine never loads it; tfod_tools.train does.",
    source="model_lib.py",
    style="tf1",
)
def checkpoint_in_tf1(subject: Subject) -> Iterator[Evidence]:
    """A checkpoint to start from is named in TF1 style.

    The engine's model_lib loads it only where its hparams say load_pretrained, and its script model_main passes none:
    it trains from scratch, whatever the path.
    """
    if subject.config.train_config.fine_tune_checkpoint:
        yield Evidence(_PATH, "a checkpoint", "training by tfod_tools.train, not by model_main")


@rule("CFG37", "warning", "The engine trains from random weights.", source="protos/train.proto")
def from_scratch(subject: Subject) -> Iterator[Evidence]:
    """There is no checkpoint to start from.

    From random weights a detector needs many thousand images and steps; the published schedules assume a checkpoint.
    With fewer than 5,000 images it will seldom be useful. Silent where the records hold that many.
    """
    if subject.config.train_config.fine_tune_checkpoint:
        return
    images = subject.records.train.images if subject.records else None
    if images is None or images < _ENOUGH_IMAGES:
        about = "" if images is None else f" for {images} images"
        yield Evidence(_PATH, f"none{about}", "one of the model zoo, or thousands of images")
