"""A rule about configs: what it looks for, and what it says.

A rule is a function that yields `Evidence`:

    @rule("CFG07", "error", "The engine stops.", source="builders/losses_builder.py", architecture="ssd")
    def miner_and_focal_loss(subject: Subject) -> Iterator[Evidence]:
        '''The first line is the title: what is wrong, in one sentence.

        The other lines are the reason: why this is a problem. `check_config --explain` shows both.
        '''

`check_config` prints the problem of the evidence, the meaning and the advice one after the other. Each is one or more
whole sentences, and must be clear without the others.
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
      config: the config, as the engine reads it.
      places: where each field stands in the text.
      style: None if the feature extractor is not known.
      records: the data set; None if the user did not name it.
      start: how training starts, and on which machines.
      checkpoint: the checkpoint that training starts from; None if there is none, or if it cannot be read.
    """

    config: Config
    places: Sequence[Place]
    style: Style | None
    records: Dataset | None
    start: Start
    checkpoint: Checkpoint | None

    @property
    def architecture(self) -> str:
        """One of `schema.ARCHITECTURES`; "" if the config has no such model."""
        found = self.config.model.WhichOneof("model")
        return found if found in schema.ARCHITECTURES else ""

    @property
    def model(self) -> Any:
        """The message of the model, such as `model.ssd`; there is one only if `architecture` is not ""."""
        return getattr(self.config.model, self.architecture)

    @property
    def model_path(self) -> str:
        """The path of that message."""
        return f"model.{self.architecture}"

    @property
    def extractor(self) -> str:
        """The type of the model's feature extractor; "" if there is none."""
        return str(self.model.feature_extractor.type) if self.architecture else ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One place where a rule found a problem. `path`, `problem` and `advice` are as in `Finding`.

    Attributes:
      fix: edits that correct it; empty if there is more than one way.
      meaning: what the problem means here, if that is not the same in all cases; "" for the rule's `meaning`.
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
      code: never changes; the code of a deleted rule is not used again.
      severity: the severity of all its findings.
      title: what is wrong, in one sentence.
      reason: why this is a problem, in a paragraph.
      meaning: what the engine does, and so what a finding means, in one sentence.
      source: the engine's file in which this happens.
      style: the only style that the rule is about; None for both.
      architecture: the only architecture that the rule is about; "" for all.
      evidence: finds the places with this problem.
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

    def document(self) -> dict[str, Any]:
        """The same as `explanation` in plain JSON types."""
        names = ("code", "severity", "architecture", "style", "title", "reason", "meaning", "source")
        return {name: getattr(self, name) for name in names}

    def explanation(self) -> str:
        """The text of `--explain`, in a few paragraphs."""
        head = ", ".join(filter(None, (self.code, self.severity, self.about())))
        return "\n\n".join(
            (f"{head}: {self.title}", self.reason, f"{self.meaning} Source in the engine: {self.source}.")
        )


def rule(
    code: str, severity: Severity, meaning: str, *, source: str, style: Style | None = None, architecture: str = ""
) -> Callable[[Callable[[Subject], Iterator[Evidence]]], Rule]:
    """Makes a rule of a function. Its docstring is the title and, after an empty line, the reason."""

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
