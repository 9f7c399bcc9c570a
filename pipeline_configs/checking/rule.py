"""A rule about configs: what it looks for, and what is told about it.

A rule is a function that yields `Evidence`, with its words around it:

    @rule("CFG07", "error", "The engine stops.", source="builders/losses_builder.py", architecture="ssd")
    def miner_and_focal_loss(subject: Subject) -> Iterator[Evidence]:
        '''Hard example mining is combined with the focal loss.

        Why that is a problem; shown by --explain.
        '''
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline_configs.checking.finding import Severity
from pipeline_configs.checkpoints.checkpoint import Checkpoint
from pipeline_configs.checkpoints.start import Start
from pipeline_configs.dataset import Dataset
from pipeline_configs.extractors import Style
from pipeline_configs.patches.patch import Edit
from pipeline_configs.text import schema
from pipeline_configs.text.positions import Place
from pipeline_configs.text.text_proto import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What rules look at.

    Attributes:
      config: as the engine reads it.
      places: where each field is written.
      style: None where nobody knows the feature extractor.
      records: None where they were not named.
      start: what is known about where training starts, and on what.
      checkpoint: what it starts from; None where that is nothing, or cannot be read here.
    """

    config: Config
    places: Sequence[Place]
    style: Style | None
    records: Dataset | None
    start: Start
    checkpoint: Checkpoint | None

    @property
    def architecture(self) -> str:
        """One of `schema.ARCHITECTURES`; "" where the config has no such model."""
        found = self.config.model.WhichOneof("model")
        return found if found in schema.ARCHITECTURES else ""

    @property
    def model(self) -> Any:
        """The message of the model, such as that of `model.ssd`. Only rules for one architecture may ask."""
        return getattr(self.config.model, self.architecture)

    @property
    def model_path(self) -> str:
        """The path of that message."""
        return f"model.{self.architecture}"

    @property
    def extractor(self) -> str:
        """The type of the model's feature extractor; "" where there is none."""
        return str(self.model.feature_extractor.type) if self.architecture else ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """That a rule holds somewhere; `path`, `problem` and `advice` as in `Finding`.

    Attributes:
      fix: edits that end it; none where only the user can know.
      meaning: what it means here, where that differs from case to case; "" for the rule's own `meaning`.
    """

    path: str
    problem: str
    advice: str
    fix: tuple[Edit, ...] = ()
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
      code: never changes; a rule that goes takes its code with it.
      severity: of all its findings.
      title: what is wrong, in one sentence.
      reason: why that is a problem, in a paragraph.
      meaning: what the engine does, and so what a finding means, in one sentence.
      source: the engine's file where that happens.
      style: the only style it is about; None for both.
      architecture: the only one it is about; "" for all.
      evidence: finds it.
    """

    code: str
    severity: Severity
    title: str
    reason: str
    meaning: str
    source: str
    style: Style | None
    architecture: str
    evidence: Callable[[Subject], Iterable[Evidence]]

    def applies_to(self, subject: Subject) -> bool:
        """Whether the rule is about configs like this one."""
        return self.style in (None, subject.style) and self.architecture in ("", subject.architecture)

    def about(self) -> str:
        """The configs that the rule is about, such as "ssd, TF2 style"; "" for all."""
        return ", ".join(filter(None, (self.architecture, f"{self.style.upper()} style" if self.style else "")))

    def explanation(self) -> str:
        """What `--explain` shows."""
        head = ", ".join(filter(None, (self.code, self.severity, self.about())))
        return "\n\n".join((f"{head}: {self.title}", self.reason, f"{self.meaning} The engine's place: {self.source}."))


def rule(
    code: str, severity: Severity, meaning: str, *, source: str, style: Style | None = None, architecture: str = ""
) -> Callable[[Callable[[Subject], Iterator[Evidence]]], Rule]:
    """Makes a rule of the function below it; its docstring is the title and, after an empty line, the reason."""

    def made(evidence: Callable[[Subject], Iterator[Evidence]]) -> Rule:
        title, _, reason = (inspect.getdoc(evidence) or "").partition("\n\n")
        return Rule(
            code=code,
            severity=severity,
            title=title,
            reason=reason,
            meaning=meaning,
            source=source,
            style=style,
            architecture=architecture,
            evidence=evidence,
        )

    return made
