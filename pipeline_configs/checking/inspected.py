"""Where a pipeline.config and record files do not agree, for files of any tool: `inspect_records --config`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline_configs import inputs
from pipeline_configs.checking import check
from pipeline_configs.checking.finding import Finding
from pipeline_configs.dataset import Dataset, Split
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from record_builders.inspection.survey import Survey
from record_builders.label_map import LabelMap

# Prefixes of the fields of readers whose records the rules know.
_TRAIN, _EVAL = f"{inputs.TRAIN}.", "eval_input_reader[0]."


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the rules of check_config say of the files.

    Attributes:
      path: the pipeline.config.
      is_read: whether an input reader reads any of the files.
      findings: about the readers that read them, and the number of classes.
    """

    path: Path
    is_read: bool
    findings: Sequence[Finding]

    def lines(self) -> list[str]:
        """One line for each thing that is wrong."""
        if not self.is_read:
            return [f"{self.path}: error: No input reader reads any of these files. Correct input_path."]
        return [_line(self.path, finding) for finding in self.findings]

    def document(self) -> dict[str, Any]:
        """The same in plain JSON types. `path` and `line` of a finding are those of a field in the config."""
        keys = ("code", "severity", "path", "line", "problem", "meaning", "advice")
        return {
            "config": str(self.path),
            "is_read": self.is_read,
            "findings": [{key: getattr(finding, key) for key in keys} for finding in self.findings],
        }


def agreement(path: Path, found: Survey, label_map: LabelMap | None, label_map_path: Path | None) -> Agreement:
    """Applies the rules of check_config to the config at `path`, with record files as its records.

    Args:
      path: the pipeline.config.
      found: what the files hold.
      label_map: the one that belongs to the records, if it is known.
      label_map_path: its file.

    Raises:
      ConfigError: there is no config at `path`.
      MissingPackageError: the engine is not installed.
    """
    text = schema.text(path)
    checked = check.check(text)
    if checked.config is None:
        return Agreement(path=path, is_read=True, findings=checked.findings)
    files = _files_of_readers(checked.config, found.files)
    dataset = Dataset(
        label_map_path=str(label_map_path.resolve()) if label_map_path else "",
        num_classes=max(label_map.ids) if label_map else max(_numbers(found), default=0),
        train=_split(found, files.get(_TRAIN, ())),
        val=_split(found, files[_EVAL]) if _EVAL in files else None,
        class_names=label_map.names if label_map else (),
    )
    findings = check.check(text, records=dataset).findings
    return Agreement(
        path=path,
        is_read=bool(files),
        findings=[one for one in findings if one.path.startswith(tuple(files)) or one.path.endswith(".num_classes")],
    )


def _files_of_readers(config: Config, inspected: Iterable[Path]) -> Mapping[str, Sequence[Path]]:
    """The files that each input reader reads, by the prefix of its fields, without readers that read none of them."""
    paths = list(inspected)
    reading = {}
    for name, reader in inputs.readers(config).items():
        patterns = reader.tf_record_input_reader.input_path
        matched = {file.resolve() for pattern in patterns for file in inputs.matching(pattern) or ()}
        if read := [path for path in paths if path.resolve() in matched]:
            reading[f"{name}."] = read
    return reading


def _split(found: Survey, files: Sequence[Path]) -> Split:
    part = found.part(files)
    return Split(pattern="", images=part.records, most_boxes=part.most_boxes, contents=part)


def _numbers(found: Survey) -> list[int]:
    return [number for _, number in found.labels() if number is not None]


def _line(path: Path, finding: Finding) -> str:
    field = f" {finding.path}" if finding.path else ""
    said = " ".join(filter(None, (finding.problem, finding.meaning, finding.advice)))
    return f"{path}:{finding.line}: {finding.severity} {finding.code}{field}: {said}"
