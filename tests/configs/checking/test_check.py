"""All findings of one run: their order, broken text, fixes, and that no config is too odd."""

from __future__ import annotations

import pytest
from configs.strategies import configs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline_configs.checking import check
from pipeline_configs.making import template
from pipeline_configs.patches import importance
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import UsageError


def found(text: str) -> list[tuple[str, int, str]]:
    return [(finding.code, finding.line, finding.path) for finding in check.check(text).findings]


def test_findings_are_sorted_by_severity_importance_and_line() -> None:
    text = (template.FOLDER / "ssd_mobilenet_v2_300x300.config").read_text(encoding="utf-8")
    findings = check.check(f"{text}\ntrain_config {{ fine_tune_checkpoint: 'gs://a/model.ckpt' }}").findings
    severities = ["error", "warning", "note"]
    keys = [(severities.index(one.severity), importance.rank(one.path), one.line) for one in findings]
    assert keys == sorted(keys)
    assert {key[0] for key in keys} == {0, 1, 2}


def test_every_unknown_field_is_named_and_the_rest_is_checked() -> None:
    text = "train_config {\n batch_sise: 8\n num_stesp: 5\n}\nmodle { ssd { } }\ngraph_rewriter { }"
    findings = check.check(text).findings
    unknown = [finding for finding in findings if finding.code == "CFG28"]
    assert [(finding.line, finding.path) for finding in unknown] == [
        (2, "train_config.batch_sise"), (3, "train_config.num_stesp"), (5, "modle"),
    ]  # fmt: skip
    assert "batch_size" in unknown[0].advice
    assert "num_steps" in unknown[1].advice
    assert "CFG01" in {finding.code for finding in findings}


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("model {\n }\n }", 3, "Expected"),
        ("train_config {\n batch_size: many }", 2, "many"),
        ("model { ssd { post_processing {\n score_converter: SIGMOD } } }", 2, "SIGMOID"),
        ("model { " * 3000, 1, "inside one another"),
    ],
)
def test_text_that_cannot_be_read(text: str, line: int, part: str) -> None:
    done = check.check(text)
    (finding,) = done.findings
    assert done.config is None
    assert (finding.code, finding.severity, finding.line) == ("CFG28", "error", line)
    assert part in finding.problem


def test_one_fix_calls_for_another() -> None:
    text = """
      train_config { data_augmentation_options { rgb_to_gray { } } data_augmentation_options { }
        data_augmentation_options { random_vertical_flip { } } }
    """
    done = check.check(text)
    assert len([finding for finding in done.findings if finding.code in ("AUG04", "AUG05")]) == 2
    assert done.config is not None
    steps = check.fixed(done.config).train_config.data_augmentation_options
    assert [step.WhichOneof("preprocessing_step") for step in steps] == ["random_vertical_flip"]


def test_a_config_is_not_changed_by_its_fixes() -> None:
    text = "train_config { data_augmentation_options { } }"
    config = schema.parse(text)
    check.fixed(config)
    assert config == schema.parse(text)


def test_explaining_a_code() -> None:
    rule = check.rule("CFG07")
    assert rule.explanation().startswith("CFG07, error, ssd: A hard example miner")
    assert rule.document()["title"] == rule.title
    with pytest.raises(UsageError, match="Did you mean CFG"):
        check.rule("CFG7")


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(configs(), st.sampled_from(template.names()))
def test_no_config_is_too_odd(odd: Config, name: str) -> None:
    """Alone, and on top of a template, so that rules for its architecture and style look at it."""
    config = template.read(name)
    config.MergeFrom(odd)
    for one in (odd, config):
        done = check.check(schema.dump(one))
        assert done.config == one
        assert all(finding.problem for finding in done.findings)
        left = check.check(schema.dump(check.fixed(one))).findings
        assert len([finding for finding in left if finding.fix]) <= len(done.findings)
