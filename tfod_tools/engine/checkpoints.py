"""Finds the checkpoint of a model_dir that an entry needs, and checks that it can be used."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow.compat.v1 as tf

from tfod_tools.base.errors import CheckpointError
from tfod_tools.engine.shims import Style

_STEP_VARIABLE: dict[Style, str] = {"tf1": "global_step", "tf2": "step/.ATTRIBUTES/VARIABLE_VALUE"}

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
_AVERAGE_SLOT = f"/.OPTIMIZER_SLOT/optimizer/average{_VALUE}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checkpoint with weights.

    Attributes:
      prefix: its path without `.index`.
      step: the global step at which it was written.
    """

    prefix: str
    step: int


def find(model_dir: str, prefix: str | None, style: Style) -> Checkpoint:
    """The checkpoint `prefix`, or the latest one in `model_dir`.

    Raises:
      CheckpointError: there is none, it is of the other style, or it is the TF2 checkpoint of step 0. That one holds no
        weights, and the engine would evaluate random weights.
    """
    found = _in_folder(model_dir, prefix) if prefix else tf.train.latest_checkpoint(model_dir)
    if not found:
        raise CheckpointError("there is no checkpoint. Train first.", path=model_dir)
    reader = _reader(found, style)
    step = int(reader.get_tensor(_STEP_VARIABLE[style]))
    if not any(name.startswith("model/") for name in reader.get_variable_to_shape_map()) and style == "tf2":
        raise CheckpointError(f"holds no weights, because it was written at step {step}. Train first.", path=found)
    return Checkpoint(prefix=found, step=step)


def step_to_start(model_dir: str, style: Style, steps: int) -> int:
    """The step from which training goes on: that of the latest checkpoint in `model_dir`; 0 where there is none.

    Raises:
      CheckpointError: that step is `steps` or later, or the checkpoint is of the other style.
    """
    start = last_step(model_dir, style)
    if start >= steps:
        raise CheckpointError(
            f"is already trained to step {start}. To train further, pass a larger --steps.", path=model_dir
        )
    return start


def last_step(model_dir: str, style: Style) -> int:
    """The step of the latest checkpoint in `model_dir`; 0 where there is none.

    Raises:
      CheckpointError: the checkpoint is of the other style.
    """
    latest = tf.train.latest_checkpoint(model_dir)
    return step_of(latest, style) if latest else 0


def step_of(prefix: str, style: Style) -> int:
    """The global step at which the checkpoint `prefix` was written.

    Raises:
      CheckpointError: it cannot be read, or is of the other style.
    """
    return int(_reader(prefix, style).get_tensor(_STEP_VARIABLE[style]))


def _in_folder(model_dir: str, prefix: str) -> str:
    """`prefix`, or `model_dir`/`prefix` if only that exists."""
    below = Path(model_dir, prefix)
    return str(below) if not tf.train.checkpoint_exists(prefix) and tf.train.checkpoint_exists(str(below)) else prefix


def _reader(prefix: str, style: Style) -> Any:
    try:
        reader = tf.train.load_checkpoint(prefix)
    except (ValueError, tf.errors.OpError) as error:
        raise CheckpointError(
            "cannot be read as a checkpoint. Pass the prefix, such as model.ckpt-1000 or ckpt-5.", path=prefix
        ) from error
    if not reader.has_tensor(_STEP_VARIABLE[style]):
        this, other = ("TF1 (slim)", "TF2 (Keras)") if style == "tf1" else ("TF2 (Keras)", "TF1 (slim)")
        raise CheckpointError(
            f"is a checkpoint of {other} style, or not of a training run, but the config is of {this} style.",
            path=prefix,
        )
    return reader


@contextlib.contextmanager
def only(checkpoint: Checkpoint, *, averages: bool = False) -> Iterator[str]:
    """Makes a temporary folder whose latest checkpoint is this one, because parts of the engine always take the latest.

    Args:
      checkpoint: one in TF2 style.
      averages: whether its variables are to hold their moving averages, as `eval_config.use_moving_averages` asks. The
        engine's TF2 exporter ignores that field, and its TF2 evaluation stops with an error when it is set.

    Raises:
      CheckpointError: it holds no moving averages.
    """
    with tempfile.TemporaryDirectory() as folder:
        prefix = str(Path(checkpoint.prefix).resolve())
        if averages:
            prefix = _averaged(prefix, Path(folder))
        tf.train.update_checkpoint_state(folder, prefix)
        yield folder


def _averaged(prefix: str, folder: Path) -> str:
    """Writes a copy into `folder` where every trained variable holds its moving average. Returns its prefix."""
    reader = tf.train.load_checkpoint(prefix)
    names = sorted(reader.get_variable_to_shape_map())
    averages = {name.replace(_AVERAGE_SLOT, _VALUE): name for name in names if name.endswith(_AVERAGE_SLOT)}
    if not averages:
        raise CheckpointError(
            "holds no moving averages, but eval_config.use_moving_averages is set. Remove that field, or train with "
            "train_config.optimizer.use_moving_average: true.",
            path=prefix,
        )
    copy = str(folder / Path(prefix).name)
    tensors = [reader.get_tensor(averages.get(name, name)) for name in names]
    tf.raw_ops.SaveV2(prefix=copy, tensor_names=names, shape_and_slices=[""] * len(names), tensors=tensors)
    return copy
