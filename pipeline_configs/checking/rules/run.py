"""Rules about how a run went so far, told from the checkpoints and figures in its folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pipeline_configs import run_folder
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.checkpoints import checkpoint
from tfod_tools.base.errors import CheckpointError

_METRICS = "metrics-*.json"  # what tfod_tools.evaluate leaves


@rule(
    "RUN01",
    "error",
    "tfod_tools.train stops at its first step; the engine's model_main_tf2 goes on, and deletes the good checkpoints.",
    source="model_lib_v2.py",
)
def weights_that_are_no_numbers(subject: Subject) -> Iterator[Evidence]:
    """The last checkpoint in the folder of the run is spoilt: weights are infinite or no numbers.

    The loss was not a number, of too high a learning rate or broken boxes, and no later step mends that. The engine's
    TF1 style stops there; its TF2 style has no such guard, and its seven checkpoints are soon all spoilt. Looked for
    where --model_dir is given.
    """
    there = subject.start.model_dir and run_folder.last_checkpoint(subject.start.model_dir)
    try:
        name = checkpoint.not_a_number(there) if there else None
    except CheckpointError:
        return
    if there and name:
        found = f"{name} in {there.prefix}, which holds what is no number"
        yield Evidence("train_config.optimizer", found, "a new --model_dir, and a lower learning rate")


@rule(
    "RUN02",
    "warning",
    "The engine deletes all but the last 5 checkpoints in TF1 style, and all but the last 7 in TF2 style.",
    source="model_lib_v2.py",
)
def best_is_not_kept(subject: Subject) -> Iterator[Evidence]:
    """The best checkpoint of the run was deleted, or will be.

    Which one is best is told by the figures that tfod_tools.evaluate left in the folder. Neither the engine nor
    tfod_tools.train goes by them. Looked for where --model_dir is given.
    """
    folder = subject.start.model_dir
    scores = _scores(folder) if folder else {}
    if not folder or len(scores) < 2:
        return
    best = max(scores, key=lambda step: (scores[step][0], step))
    score, name = scores[best]
    found = f"{name} of step {best}, AP {score:.3g}, the best of {len(scores)} that were evaluated"
    if not (folder / f"{name}.index").exists():
        yield Evidence("train_config", f"{found}, is gone", "a copy of it, made in time")
    elif best < max(scores) < subject.config.train_config.num_steps:
        yield Evidence("train_config", f"{found}, and training goes on", "a copy of it elsewhere")


@rule(
    "EVA06",
    "note",
    "The engine's model_main_tf2 publishes the figures of the images before it; tfod_tools.evaluate refuses those.",
    source="model_lib_v2.py",
    style="tf2",
)
def figures_of_a_part(subject: Subject) -> Iterator[Evidence]:
    """The engine's own script evaluated the run, perhaps on a part of the images.

    An exception in a step of its evaluation ends it with no more than a line in the log, and nothing tells how many
    images there were. Looked for where --model_dir is given: events in its folder eval, and no figures of
    tfod_tools.evaluate.
    """
    folder = subject.start.model_dir
    if folder and any((folder / "eval").rglob("events.out.tfevents.*")) and not any(folder.glob(_METRICS)):
        yield Evidence("eval_config", f"{folder / 'eval'}, by the engine's own script", "tfod_tools.evaluate")


def _scores(folder: Path) -> dict[int, tuple[float, str]]:
    """AP and name of the checkpoint of each step that was evaluated."""
    found = {}
    for path in folder.glob(_METRICS):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if (score := content["metrics"]["AP"]) is not None:
                found[int(content["step"])] = float(score), str(content["checkpoint"])
        except (OSError, ValueError, TypeError, LookupError):
            continue  # not what tfod_tools.evaluate wrote
    return found
