"""Rules about how a run has gone so far, from the checkpoints and metrics in its folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pipeline_configs import run_folder
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.checkpoints import checkpoint
from tfod_tools.base.errors import CheckpointError

_METRICS = "metrics-*.json"  # the files that tfod evaluate writes


@rule(
    "RUN01",
    "error",
    "tfod train stops at its first step; the engine's model_main_tf2 goes on, and deletes the good checkpoints.",
    source="model_lib_v2.py",
)
def weights_with_nan(subject: Subject) -> Iterator[Evidence]:
    """The last checkpoint in the run's folder has weights that are infinite or NaN (not a number).

    The loss became NaN, because the learning rate was too high or boxes were wrong. No later step can repair that. In
    TF1 style the engine stops there. In TF2 style it does not stop, and soon all of its seven checkpoints have such
    weights. This is checked only if --model_dir is given.
    """
    there = subject.start.model_dir and run_folder.last_checkpoint(subject.start.model_dir)
    try:
        name = checkpoint.not_a_number(there) if there else None
    except CheckpointError:
        return
    if there and name:
        problem = f"The checkpoint {there.prefix} is not usable: the weights {name} contain infinity or NaN."
        advice = "Start again in a new --model_dir, with a lower learning rate."
        yield Evidence("train_config.optimizer", problem, advice)


@rule(
    "RUN02",
    "warning",
    "The engine keeps only the last 5 checkpoints in TF1 style, and the last 7 in TF2 style.",
    source="model_lib_v2.py",
)
def best_is_not_kept(subject: Subject) -> Iterator[Evidence]:
    """The best checkpoint of the run was deleted, or will be.

    The metrics that tfod evaluate wrote into the folder show which checkpoint is best. The engine and tfod train do not
    read them when they delete checkpoints. This is checked only if --model_dir is given.
    """
    folder = subject.start.model_dir
    scores = _scores(folder) if folder else {}
    if not folder or len(scores) < 2:
        return
    best = max(scores, key=lambda step: (scores[step][0], step))
    score, name = scores[best]
    which = f"Of the {len(scores)} evaluated checkpoints, {name} of step {best} is the best, with AP {score:.3g}"
    if not (folder / f"{name}.index").exists():
        advice = "In the next run, copy the best checkpoint to another folder in time."
        yield Evidence("train_config", f"{which}, but it was deleted.", advice)
    elif best < max(scores) < subject.config.train_config.num_steps:
        advice = "Copy it to another folder now."
        yield Evidence("train_config", f"{which}, and training goes on.", advice)


@rule(
    "EVA06",
    "note",
    "If its evaluation fails at one batch, the engine still reports metrics, but only of the images before that batch.",
    source="model_lib_v2.py",
    style="tf2",
)
def figures_of_a_part(subject: Subject) -> Iterator[Evidence]:
    """The engine's own script evaluated the run, perhaps on only a part of the images.

    If a step of its evaluation fails, the engine writes one line into the log and stops reading images. Nothing shows
    how many images it had read. tfod evaluate stops with an error instead. This is checked only if --model_dir is
    given; the rule reports a folder that has event files in eval, but no metrics of tfod evaluate.
    """
    folder = subject.start.model_dir
    if folder and any((folder / "eval").rglob("events.out.tfevents.*")) and not any(folder.glob(_METRICS)):
        problem = f"The metrics in {folder / 'eval'} come from the engine's own script."
        yield Evidence("eval_config", problem, "Evaluate again with tfod evaluate.")


def _scores(folder: Path) -> dict[int, tuple[float, str]]:
    """The AP and the checkpoint's name of each step that was evaluated."""
    found = {}
    for path in folder.glob(_METRICS):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if (score := content["metrics"]["AP"]) is not None:
                found[int(content["step"])] = float(score), str(content["checkpoint"])
        except (OSError, ValueError, TypeError, LookupError):
            continue  # tfod evaluate did not write it
    return found
