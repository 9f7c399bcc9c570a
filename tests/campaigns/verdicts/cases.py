"""The configs with which verdicts of check_config are tried on the engine, and what the engine should do with each.

They are the cases of tests/data/configs/rules, made small and given real records, in every style of the rule. A case of
one style is used for the other too if the extractor exists in both, such as ssd_mobilenet_v2 and
ssd_mobilenet_v2_keras. tests/data/configs/verdicts.yaml has an entry for each rule of severity error:

    stage: the last stage that the engine runs, one of `stages.STAGES`
    error: the error with which it stops, "Type: words", a regular expression; a list if each trigger has its own, null
      for a trigger that cannot be run
    seen: if the engine does not stop, what it does wrong, one of `misbehaviour.CHECKS`; a list as above
    refused: the message of tfod_tools.train before it starts the engine, a regular expression, or a list
    tf1, tf2: the same keys, if the styles differ
    why: in place of the other keys: why the engine cannot be tried
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from campaigns.verdicts import adapted
from configs.checking import test_rules

from pipeline_configs import extractors
from pipeline_configs.checking import check
from pipeline_configs.making import fill
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text import schema

Style = Literal["tf1", "tf2"]

STYLES: tuple[Style, ...] = ("tf1", "tf2")

VERDICTS = Path(__file__).parents[2] / "data" / "configs" / "verdicts.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the engine should do; see the docstring of the module."""

    stage: str
    error: str = ""
    seen: str = ""
    refused: str = ""


@dataclass(slots=True, kw_only=True)
class Run:
    """A config that the engine runs.

    Attributes:
      name: the name of its folder, which holds `pipeline.config`.
      style: the style in which it runs.
      stages: the stages to run.
      checks: the checks to make, of `misbehaviour.CHECKS`.
      checkpoints: prefixes of checkpoints that must exist before the run, each with the config of its model: that of
        the run or, by `trained` of the case, another.
      spoilt: prefixes of those whose weights are not numbers.
      model_dir: the folder of training, inside the folder of the run.
      patient: whether to wait for a first batch only for a limited time.
      gpus: number of GPUs that share a batch, in TF2 style.
      machines: number of machines that read records; the run is that of the last one.
    """

    name: str
    style: Style
    stages: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    checkpoints: dict[str, str] = field(default_factory=dict)
    spoilt: list[str] = field(default_factory=list)
    model_dir: str = "model"
    patient: bool = False
    gpus: int = 1
    machines: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A verdict to try: `trigger` should end as `expected`; `passing`, if there is one, should not."""

    code: str
    number: int
    expected: Expected
    trigger: Run
    passing: Run | None

    @property
    def name(self) -> str:
        """Such as CFG07-0-tf2."""
        return f"{self.code}-{self.number}-{self.trigger.style}"


def verdicts() -> dict[str, dict[str, Any]]:
    """The entries of verdicts.yaml, by code."""
    return dict(yaml.safe_load(VERDICTS.read_text(encoding="utf-8")))


def errors() -> list[str]:
    """The codes of all rules of severity error."""
    return [code for code, rule in check.rules().items() if rule.severity == "error"]


def expected(entry: Mapping[str, Any], number: int, style_: Style) -> Expected | None:
    """What `entry` expects of the trigger `number` in a style; None if the engine is not tried."""
    entry = {**entry, **entry.get(style_, {})}
    if "why" in entry:
        return None
    told = {key: entry[key] for key in ("stage", "error", "seen", "refused") if key in entry}
    found = {key: value[number] if isinstance(value, list) else value for key, value in told.items()}
    return None if None in found.values() else Expected(**found)


def _any(entry: Mapping[str, Any], style_: Style) -> Expected:
    """What `entry` expects of any of its triggers, which all stop at the same stage."""
    count = max(len(value) if isinstance(value, list) else 1 for value in entry.values())
    found = [one for number in range(count) if (one := expected(entry, number, style_))]
    (stage,) = {one.stage for one in found}
    return Expected(stage=stage, error="|".join(one.error for one in found))


class Preparation:
    """Writes configs into a folder. Equal configs are written once."""

    def __init__(self, folder: Path, data: Path) -> None:
        """`data` holds the real train.record and val.record; see `records.make`."""
        self._folder = folder
        self._data = data
        self.runs: dict[str, Run] = {}

    def trials(self, code: str, style_: Style, *, first_only: bool) -> Iterator[Trial]:
        """The trials of the rule `code` in a style: of each trigger, or of the first that exists in the style."""
        if check.rules()[code].style not in (None, style_):
            return
        entry = verdicts()[code]
        cases = test_rules.read(code)
        passing = next(self._passing(code, cases["passes"], style_), None)
        for number, case in enumerate(cases["triggers"]):
            wanted, made = expected(entry, number, style_), adapted.in_style(case, style_)
            if wanted is None or made is None:
                continue
            trigger = self._run(adapted.small(code, made), style_, code)
            if trigger is None:
                assert made != case, f"{code} is not found in its case {number}"
                continue
            trigger.patient = wanted.seen == "no first batch"
            for run in filter(None, (trigger, passing)):
                run.stages = sorted({*run.stages, wanted.stage})
                run.checks = sorted({*run.checks, *filter(None, [wanted.seen])})
            yield Trial(code=code, number=number, expected=wanted, trigger=trigger, passing=passing)
            if first_only:
                return

    def _passing(self, code: str, cases: Iterable[dict[str, Any]], style_: Style) -> Iterator[Run]:
        """The runs of cases that pass in a style. A case of the other style may not pass any more."""
        for case in cases:
            made = adapted.in_style(case, style_)
            if made is not None and (run := self._run(adapted.small(code, made), style_, code, found=False)):
                yield run

    def _run(self, case: dict[str, Any], style_: Style, code: str, *, found: bool = True) -> Run | None:
        """The run of a case; None if the rule does not say `found` of it."""
        name = hashlib.sha256(json.dumps([case, style_], sort_keys=True).encode()).hexdigest()[:12]
        if name in self.runs:
            return self.runs[name]
        folder = self._folder / name
        folder.mkdir(parents=True)
        text, checked, _ = test_rules.checked(case, folder)
        if any(finding.code == code for finding in checked.findings) != found:
            return None
        for split in ("train", "val") if "contents" not in case else ():
            shutil.copy(self._data / f"{split}.record", folder / "records" / f"{split}.record")
        (folder / "pipeline.config").write_text(text, encoding="utf-8")
        self.runs[name] = Run(
            name=name,
            style=style_,
            checkpoints={str(folder / prefix): str(config) for prefix, config in _checkpoints(case, text, folder)},
            spoilt=[str(folder / prefix) for prefix in case.get("spoilt", ())],
            model_dir=case.get("model_dir", "model"),
            gpus=case.get("gpus", 1),
            machines=case.get("machines", 1),
        )
        return self.runs[name]

    def of_config(self, path: Path, style_: Style) -> Iterator[Trial]:
        """The trials of the errors that are found in a config of a user, with records and without its checkpoint.

        The passing run is the same config with its errors corrected.
        """
        (self._folder / path.name).mkdir(parents=True)
        dataset = test_rules.records(self._folder / path.name / "records")
        for split in ("train", "val"):
            shutil.copy(self._data / f"{split}.record", self._folder / path.name / "records" / f"{split}.record")
        config = schema.parse(path.read_text(encoding="utf-8"))
        config.train_config.ClearField("fine_tune_checkpoint")
        config = fill.fill(config, dataset).apply(config)
        findings = check.check(schema.dump(config), records=dataset).findings
        codes = {finding.code for finding in findings if finding.severity == "error"}
        if not codes or extractors.style_of(config) != style_:
            return
        trigger = self._written(f"{path.name}/found", style_, schema.dump(config))
        passing = self._written(f"{path.name}/corrected", style_, schema.dump(check.fixed(config, records=dataset)))
        for code in sorted(codes):
            wanted = _any(verdicts()[code], style_)
            for run in (trigger, passing):
                run.stages = sorted({*run.stages, wanted.stage})
            yield Trial(code=code, number=0, expected=wanted, trigger=trigger, passing=passing)

    def _written(self, name: str, style_: Style, text: str) -> Run:
        (self._folder / name).mkdir()
        (self._folder / name / "pipeline.config").write_text(text, encoding="utf-8")
        self.runs[name] = Run(name=name, style=style_)
        return self.runs[name]

    def write(self, style_: Style) -> Path:
        """Writes the runs of a style for `child`. Returns the file."""
        path = self._folder / f"{style_}.json"
        path.write_text(json.dumps([asdict(run) for run in self.runs.values() if run.style == style_ and run.stages]))
        return path


def _checkpoints(case: Mapping[str, Any], text: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """The prefixes of the checkpoints that must exist, each with the config of its model.

    By prefix, `trained` of a case holds the edits that make this config from the case's own.
    """
    indices = [file.removesuffix(".index") for file in case.get("files", {}) if file.endswith(".index")]
    for number, prefix in enumerate((*indices, *case.get("checkpoints", {}))):
        edits = case.get("trained", {}).get(prefix, {})
        path = folder / (f"trained-{number}.config" if edits else "pipeline.config")
        if edits:
            patch = ConfigPatch(edits=tuple(Edit(path=path, value=value) for path, value in edits.items()))
            path.write_text(schema.dump(patch.apply(schema.parse(text))), encoding="utf-8")
        yield prefix, path
