"""Rules about fields that the engine reads in one style only, or not at all any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline_configs.checking.legacy import EVALUATION, QUEUES, TRAINER
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit

_TF1_ONLY = ("freeze_variables", "update_trainable_variables", "keep_checkpoint_every_n_hours", "summarize_gradients")


@rule("OPT14", "warning", "The engine ignores them.", source="model_lib_v2.py", style="tf2")
def ignored_in_tf2(subject: Subject) -> Iterator[Evidence]:
    """Fields are set that TF2 style does not read.

    Above all freeze_variables: all variables are trained. What several machines do is told by the distribution
    strategy, and graph_rewriter, for quantisation-aware training, needs TF1 style.
    """
    train_config = subject.config.train_config
    yield from _ignored(train_config, "train_config", (*_TF1_ONLY, *TRAINER, *QUEUES))
    if subject.config.HasField("graph_rewriter"):
        yield Evidence(
            "graph_rewriter",
            "graph_rewriter",
            "a feature extractor of TF1 style",
            (Edit(path="graph_rewriter", value=None),),
        )


@rule("OPT15", "warning", "The engine ignores them.", source="legacy/trainer.py", style="tf1")
def ignored_in_tf1(subject: Subject) -> Iterator[Evidence]:
    """Fields are set that only the engine's legacy trainer and evaluator read.

    Training by Estimator decides itself when replicas are joined and how records are queued; evaluation is always over
    all records of its reader.
    """
    yield from _ignored(subject.config.train_config, "train_config", (*TRAINER, *QUEUES))
    yield from _ignored(subject.config.eval_config, "eval_config", EVALUATION)


def _ignored(message: Any, path: str, names: Sequence[str]) -> Iterator[Evidence]:
    """One piece of evidence for all fields of `names` that are set to something else than their default."""
    found = [
        field.name for field, value in message.ListFields() if field.name in names and value != field.default_value
    ]
    if found:
        fix = tuple(Edit(path=f"{path}.{name}", value=None) for name in found)
        yield Evidence(f"{path}.{found[0]}", ", ".join(found), "none of them", fix)
