"""Rules about fields that the engine reads in only one style, or no longer reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline_configs.checking.legacy import EVALUATION, QUEUES, TRAINER
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit

_TF1_ONLY = ("freeze_variables", "update_trainable_variables", "keep_checkpoint_every_n_hours", "summarize_gradients")


@rule("OPT14", "warning", "They have no effect here.", source="model_lib_v2.py", style="tf2")
def ignored_in_tf2(subject: Subject) -> Iterator[Evidence]:
    """Fields are set that the engine does not read in TF2 style.

    The most important one is freeze_variables: in TF2 style the engine trains all variables. The strategy decides what
    several machines do. graph_rewriter, for quantisation-aware training, works only in TF1 style.
    """
    train_config = subject.config.train_config
    names = (*_TF1_ONLY, *TRAINER, *QUEUES)
    yield from _ignored(train_config, "train_config", names, "The engine does not read {} in TF2 style.")
    if subject.config.HasField("graph_rewriter"):
        problem = "The engine does not read graph_rewriter in TF2 style."
        meaning = "It trains without quantisation."
        advice = "Use a feature extractor of TF1 style, or remove the message."
        yield Evidence("graph_rewriter", problem, advice, (Edit(path="graph_rewriter", value=None),), meaning=meaning)


@rule("OPT15", "warning", "They have no effect here.", source="legacy/trainer.py", style="tf1")
def ignored_in_tf1(subject: Subject) -> Iterator[Evidence]:
    """Fields are set that only the engine's legacy trainer and evaluator read.

    Today the engine trains with an Estimator, which decides by itself how replicas work together and how records are
    queued. Evaluation always reads all records of its reader.
    """
    train_config, eval_config = subject.config.train_config, subject.config.eval_config
    yield from _ignored(train_config, "train_config", (*TRAINER, *QUEUES), "Only the legacy trainer reads {}.")
    yield from _ignored(eval_config, "eval_config", EVALUATION, "Only the legacy evaluator reads {}.")


def _ignored(message: Any, path: str, names: Sequence[str], problem: str) -> Iterator[Evidence]:
    """One piece of evidence for all fields of `names` that have another value than their default.

    Args:
      message: the message with these fields.
      path: its path.
      names: the fields that have no effect.
      problem: a sentence with {} in place of the fields that were found.
    """
    found = [
        field.name for field, value in message.ListFields() if field.name in names and value != field.default_value
    ]
    if found:
        fix = tuple(Edit(path=f"{path}.{name}", value=None) for name in found)
        meaning = "It has no effect here." if len(found) == 1 else ""
        advice = "Remove it." if len(found) == 1 else "Remove them."
        yield Evidence(f"{path}.{found[0]}", problem.format(_listed(found)), advice, fix, meaning=meaning)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
