"""Entry: trains a model, in the style of its config.

    python -m tfod_tools.engine.train --style=tf1 --config=pipeline.config --model_dir=DIR --steps=N

Sends `start` (step, steps), `progress` (step, losses, learning_rate) and `result` (step, checkpoint).
"""

import fcntl
import importlib
from pathlib import Path
from typing import IO

from absl import flags

from tfod_tools.base.errors import CheckpointError
from tfod_tools.engine import channel, extractors, shims
from tfod_tools.engine.training import cluster

FLAGS = flags.FlagValues()
_STYLE = flags.DEFINE_enum("style", None, ["tf1", "tf2"], "TF1 or TF2 style.", required=True, flag_values=FLAGS)
_CONFIG = flags.DEFINE_string("config", None, "The pipeline.config.", required=True, flag_values=FLAGS)
_MODEL_DIR = flags.DEFINE_string("model_dir", None, "Folder of checkpoints.", required=True, flag_values=FLAGS)
_STEPS = flags.DEFINE_integer("steps", None, "Total training steps.", required=True, flag_values=FLAGS)
_CHECKPOINT_EVERY = flags.DEFINE_integer("checkpoint_every", 1000, "Steps between checkpoints.", flag_values=FLAGS)
_EXTENSION = flags.DEFINE_string("extension", None, "Brings a feature extractor.", flag_values=FLAGS)

_CONFIG_NAME = "pipeline.config"
_TRAINING = {"tf1": "estimator", "tf2": "keras"}


def main(events: channel.Channel) -> None:
    """Applies the shims and trains. No other process may train in the model_dir, except tasks of the same cluster."""
    part = cluster.part()
    lock = _lock(Path(_MODEL_DIR.value)) if part.role == "chief" and "://" not in _MODEL_DIR.value else None
    shims.apply(_STYLE.value)
    extractors.provide(_CONFIG.value, _EXTENSION.value)
    if part.role == "chief":
        _leave_config(_MODEL_DIR.value)
    if part.alone or not _is_done(part, events):
        train = importlib.import_module(f"tfod_tools.engine.training.{_TRAINING[_STYLE.value]}").train
        train(
            config=_CONFIG.value,
            model_dir=_MODEL_DIR.value,
            steps=_STEPS.value,
            checkpoint_every=_CHECKPOINT_EVERY.value,
            events=events,
        )
    if lock:
        lock.close()


def _leave_config(model_dir: str) -> None:
    """Copies the config of a job to the model_dir, where evaluation and export look for it."""
    import tensorflow as tf

    target = f"{model_dir.rstrip('/')}/{_CONFIG_NAME}"
    if _CONFIG.value != target:
        tf.io.gfile.makedirs(model_dir)
        tf.io.gfile.copy(_CONFIG.value, target, overwrite=True)


def _is_done(part: cluster.Part, events: channel.Channel) -> bool:
    """Whether this is a trainer of a cluster that was started again after the last step."""
    import tensorflow as tf

    from tfod_tools.engine import checkpoints

    step = checkpoints.last_step(_MODEL_DIR.value, _STYLE.value) if part.trains else 0
    if step >= _STEPS.value:
        events.send("result", step=step, checkpoint=tf.train.latest_checkpoint(_MODEL_DIR.value))
    return bool(step >= _STEPS.value)


def _lock(model_dir: Path) -> IO[bytes]:
    """A lock on the folder. It lasts until this process ends.

    Raises:
      CheckpointError: another process trains there.
    """
    model_dir.mkdir(parents=True, exist_ok=True)
    lock = (model_dir / ".training").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise CheckpointError(
            "another process is training in this folder. Wait until it ends, or stop it.", path=model_dir
        ) from error
    return lock


if __name__ == "__main__":
    channel.serve(main, FLAGS)
