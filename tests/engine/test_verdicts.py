"""The verdicts of check_config are true: on the case of each rule of severity error the engine stops as the rule says.

Where it does not stop, what it does wrong is looked at. Tried is the first case of each rule, and one that the rule
passes, in one of the styles that can show it, turn and turn about; `make engine-verdicts` tries all cases in both.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from campaigns.verdicts import cases, misbehaviour, records, trying
from campaigns.verdicts.stages import STAGES
from configs import test_rules

WILD = Path(__file__).parents[3] / "shared" / "data" / "wild_configs" / "pipeline"
KEYS = {"stage", "error", "seen", "refused", "why"}


def test_every_rule_of_severity_error_is_tried() -> None:
    assert list(cases.verdicts()) == cases.errors()


@pytest.mark.parametrize(("code", "entry"), cases.verdicts().items())
def test_what_is_expected_can_be_looked_at(code: str, entry: dict) -> None:
    triggers = test_rules.read(code)["triggers"]
    for style in cases.STYLES:
        assert set(entry) | set(entry.get(style, {})) <= KEYS | set(cases.STYLES)
        lists = [value for value in {**entry, **entry.get(style, {})}.values() if isinstance(value, list)]
        assert {len(value) for value in lists} <= {len(triggers)}
        for number in range(len(triggers)):
            if told := cases.expected(entry, number, style):
                assert told.stage in STAGES
                assert told.error or told.seen or told.refused
                assert not told.seen or told.seen in misbehaviour.CHECKS


@pytest.mark.engine
@pytest.mark.parametrize("style", cases.STYLES)
def test_verdicts_are_the_engines(style: cases.Style, tmp_path: Path) -> None:
    records.make(tmp_path / "data")
    preparation, other = (cases.Preparation(tmp_path / name, tmp_path / "data") for name in ("runs", "other"))
    trials = []
    for number, code in enumerate(cases.errors()):
        first = cases.STYLES[number % len(cases.STYLES)]
        if style == first or not [*other.trials(code, first, first_only=True)]:
            trials += preparation.trials(code, style, first_only=True)
    assert len(trials) > len(cases.errors()) / 4
    assert list(trying.faults(trials, trying.tried(preparation, style, timeout_s=1800))) == []


@pytest.mark.engine
@pytest.mark.skipif(not WILD.is_dir(), reason="needs ../shared with configs of other people")
def test_the_engine_stops_at_other_peoples_configs_in_which_errors_are_found(tmp_path: Path) -> None:
    """After they are corrected, it goes on. All other errors of these configs are paths of their authors' machines."""
    records.make(tmp_path / "data")
    preparation = cases.Preparation(tmp_path / "runs", tmp_path / "data")
    trials = [trial for path in sorted(WILD.glob("*.config")) for trial in preparation.of_config(path, "tf1")]
    assert [trial.code for trial in trials] == ["OPT04", "OPT04"]
    assert list(trying.faults(trials, trying.tried(preparation, "tf1", timeout_s=600))) == []


@pytest.mark.skipif(not WILD.is_dir(), reason="needs ../shared with configs of other people")
def test_other_peoples_configs_of_tf2_style_have_no_errors(tmp_path: Path) -> None:
    preparation = cases.Preparation(tmp_path / "runs", tmp_path)
    for split in ("train", "val"):
        (tmp_path / f"{split}.record").write_bytes(b"records")
    assert not [trial for path in sorted(WILD.glob("*.config")) for trial in preparation.of_config(path, "tf2")]
