"""All rules, applied to one config: what is wrong with it, and the config with everything mended that can be."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline_configs import extractors
from pipeline_configs.checking.finding import SEVERITIES, Finding
from pipeline_configs.checking.rule import Rule, Subject
from pipeline_configs.checkpoints import checkpoint
from pipeline_configs.checkpoints.checkpoint import Checkpoint
from pipeline_configs.checkpoints.restoration import Restoration
from pipeline_configs.checkpoints.start import Start
from pipeline_configs.dataset import Dataset
from pipeline_configs.patches import importance
from pipeline_configs.patches.patch import ConfigPatch
from pipeline_configs.text import positions, text_proto
from pipeline_configs.text.positions import Place
from pipeline_configs.text.text_proto import Config
from tfod_tools.base import plugins
from tfod_tools.base.errors import CheckpointError, ConfigError, UsageError

FOLDER = Path(__file__).parent / "rules"

UNREADABLE = "CFG28"
_CONFIGS_OWN = Start()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A config and what is wrong with it.

    Attributes:
      config: without the fields that do not exist; None where the text cannot be read.
      findings: by severity, then by importance, then by line.
      places: where each field is written.
      restoration: what the engine says about the checkpoint; None where it was not asked.
    """

    config: Config | None
    findings: tuple[Finding, ...]
    places: Sequence[Place] = ()
    restoration: Restoration | None = None

    def line_of(self, path: str) -> int:
        """The line of the field `path`, or of the message that would hold it."""
        return positions.line_of(path, self.places)


@functools.cache
def rules() -> dict[str, Rule]:
    """Every rule, by code, sorted."""
    modules = [
        plugins.load("pipeline_configs.checking.rules", FOLDER, name, "family of rules")
        for name in plugins.names(FOLDER)
    ]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Rule)]
    return {rule.code: rule for rule in sorted(found, key=lambda rule: rule.code)}


def explain(code: str) -> str:
    """What the rule `code` is about, in some paragraphs.

    Raises:
      UsageError: there is no such rule.
    """
    if code not in rules():
        raise UsageError(f"--explain: no rule is called '{code}'. {plugins.suggestion(code, rules())}")
    return rules()[code].explanation()


def check(
    text: str, *, records: Dataset | None = None, extension: str | None = None, start: Start = _CONFIGS_OWN
) -> Checked:
    """Applies every rule to the config in `text`.

    Args:
      text: the content of a pipeline.config.
      records: what it is to be trained on, where that is known.
      extension: the user's module that is said to bring the feature extractor.
      start: where training is to start and on what, where more is known of it than the config says.

    Raises:
      MissingPackageError: the engine is not installed.
    """
    config = text_proto.empty_config()
    try:
        text_proto.merge(text, config, unknown_fields=True)
    except ConfigError as error:
        return Checked(config=None, findings=(_unreadable(error),))
    places = positions.read(text, config.DESCRIPTOR)
    findings = _findings(config, places, records, extension, start)
    return Checked(config=config, findings=findings, places=places, restoration=start.restoration)


def fixed(
    config: Config, *, records: Dataset | None = None, extension: str | None = None, start: Start = _CONFIGS_OWN
) -> Config:
    """A copy of `config` in which every fix that a rule knows is made, also where one fix calls for another."""
    made: set[ConfigPatch] = set()
    while True:
        found = _findings(config, (), records, extension, start)
        fix = next((finding.fix for finding in found if finding.fix and finding.fix not in made), None)
        if fix is None:
            return config
        config = fix.apply(config)
        made.add(fix)


def _findings(
    config: Config, places: Sequence[Place], records: Dataset | None, extension: str | None, start: Start
) -> tuple[Finding, ...]:
    subject = Subject(
        config=config,
        places=places,
        style=_style(config, extension),
        records=records,
        start=start,
        checkpoint=_checkpoint(start.prefix(config)),
    )
    found = [finding for rule in rules().values() if rule.applies_to(subject) for finding in _found_by(rule, subject)]
    return tuple(sorted(found, key=_place))


def _place(finding: Finding) -> tuple[int, int, int]:
    return SEVERITIES.index(finding.severity), importance.rank(finding.path), finding.line


def _found_by(rule: Rule, subject: Subject) -> Iterator[Finding]:
    for evidence in rule.evidence(subject):
        yield Finding(
            code=rule.code,
            severity=rule.severity,
            path=evidence.path,
            line=positions.line_of(evidence.path, subject.places),
            problem=evidence.problem,
            meaning=evidence.meaning or rule.meaning,
            advice=evidence.advice,
            fix=ConfigPatch(edits=evidence.fix) if evidence.fix else None,
        )


def _style(config: Config, extension: str | None) -> extractors.Style | None:
    try:
        return extractors.style_of(config, extension)
    except ConfigError:
        return None  # what is wrong with the extractor is for its rules to say


def _checkpoint(prefix: str) -> Checkpoint | None:
    try:
        return checkpoint.read(prefix) if prefix else None
    except CheckpointError:
        return None  # as above


def _unreadable(error: ConfigError) -> Finding:
    rule = rules()[UNREADABLE]
    return Finding(
        code=rule.code,
        severity=rule.severity,
        path="",
        line=error.line or 1,
        problem=error.message,
        meaning=rule.meaning,
        advice="Correct the text.",
        fix=None,
    )
