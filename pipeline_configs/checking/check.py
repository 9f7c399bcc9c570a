"""Applies all rules to one config: what is wrong with it, and the config with every fix."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline_configs import extractors
from pipeline_configs.checking.finding import SEVERITIES, Finding
from pipeline_configs.checking.rule import Rule, Subject
from pipeline_configs.checkpoints import checkpoint, restoration
from pipeline_configs.checkpoints.checkpoint import Checkpoint
from pipeline_configs.checkpoints.restoration import Restoration
from pipeline_configs.checkpoints.start import Start
from pipeline_configs.dataset import Dataset
from pipeline_configs.patches import importance
from pipeline_configs.patches.patch import ConfigPatch
from pipeline_configs.text import positions, text_proto
from pipeline_configs.text.positions import Place
from pipeline_configs.text.text_proto import Config
from tfod_tools.base import output, plugins, progress
from tfod_tools.base.errors import CheckpointError, ConfigError, EngineError, UsageError

FOLDER = Path(__file__).parent / "rules"

UNREADABLE = "CFG28"
_CONFIGS_OWN = Start()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A config and what is wrong with it.

    Attributes:
      config: the config without the fields that do not exist; None if the text cannot be read.
      findings: sorted by severity, then by importance, then by line.
      places: where each field stands in the text.
      restoration: the engine's answer about the checkpoint; None if it was not asked.
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


def rule(code: str) -> Rule:
    """The rule with this code.

    Raises:
      UsageError: there is no such rule.
    """
    if code not in rules():
        raise UsageError(f"--explain: there is no code '{code}'. {plugins.suggestion(code, rules())}")
    return rules()[code]


def check(
    text: str, *, records: Dataset | None = None, extension: str | None = None, start: Start = _CONFIGS_OWN
) -> Checked:
    """Applies every rule to the config in `text`.

    Args:
      text: the content of a pipeline.config.
      records: the data set for training; None if it is not known.
      extension: the user's module with the feature extractor; None if there is none.
      start: what is known about the start of training in addition to the config.

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


def with_engine(text: str, *, records: Dataset | None, extension: str | None, start: Start) -> Checked:
    """As `check`, but if `start` names a checkpoint, the engine also says which weights it would restore.

    Raises:
      ConfigError: the config has no errors, but its style is not known.
      EngineError: the config has no errors, but the engine cannot build the model.
    """
    checked = check(text, records=records, extension=extension, start=start)
    if checked.config is None or not start.checkpoint:
        return checked
    try:
        style = extractors.style_of(checked.config, extension)
        with progress.line() as show:
            show("Asking the engine about the checkpoint ...")
            answer = restoration.ask(checked.config, start.checkpoint, style, extension)
    except (ConfigError, EngineError) as error:
        if not any(finding.severity == "error" for finding in checked.findings):
            raise
        output.warn(f"The engine cannot say what it would restore: {error}")
        return checked
    return check(text, records=records, extension=extension, start=replace(start, restoration=answer))


def fixed(
    config: Config, *, records: Dataset | None = None, extension: str | None = None, start: Start = _CONFIGS_OWN
) -> Config:
    """A copy of `config` with every fix that the rules know, including the fixes that a fix makes necessary."""
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
        return None  # the rules about extractors report it


def _checkpoint(prefix: str) -> Checkpoint | None:
    try:
        return checkpoint.read(prefix) if prefix else None
    except CheckpointError:
        return None  # the rules about checkpoints report it


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
