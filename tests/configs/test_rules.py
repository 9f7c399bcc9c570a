"""Each rule finds what it is about, and nothing else: cases are small edits to templates, in tests/data/configs/rules.

CODE.yaml has two lists, `triggers` and `passes`. A case is a template, filled from records of two classes, and then

    set: edits, field path to value; null leaves the field unset; {folder} is the test's folder
    text: added at the end of the file
    files: written beside the records, name to content
    records: numbers of the manifest that differ; null where the command is not told of the records
    contents: records that are written and read, in lists `train` and `val`; see case_records
    checkpoints: written there, prefix to names and shapes
    spoilt: prefixes of those whose numbers are none
    trained: for the engine, by prefix: in what the config differed that the checkpoint is of; see verdicts.cases
    restoration: what the engine said about a checkpoint: restored, missing, other_shape
    model_dir: the folder of the run
    gpus, machines: on which it is trained
    extension: the module that is said to bring the feature extractor
    at: for triggers, the path that is found fault with
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from campaigns.models import catalogue
from configs import case_checkpoints, case_records

from pipeline_configs.checking import check
from pipeline_configs.checking.finding import Finding
from pipeline_configs.checking.rule import Rule
from pipeline_configs.checking.rules import faster_rcnn
from pipeline_configs.checkpoints.restoration import Restoration
from pipeline_configs.checkpoints.start import Start
from pipeline_configs.dataset import Dataset, Split
from pipeline_configs.making import fill, template
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text import positions, schema
from tfod_tools.base import plugins

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "data" / "configs" / "rules"
DOCUMENT = ROOT / "docs" / "check_config.md"


def read(code: str) -> dict[str, Any]:
    """The lists of a rule's cases."""
    found: dict[str, Any] = yaml.load((CASES / f"{code}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return found


def cases(which: str) -> list[Any]:
    """The cases of all files, with names such as CFG07-0."""
    return [
        pytest.param(path.stem, case, id=f"{path.stem}-{number}")
        for path in sorted(CASES.glob("*.yaml"))
        for number, case in enumerate(read(path.stem)[which])
    ]


def records(folder: Path, train_images: int = 6000, most_boxes: int = 40, boxes: tuple[int, ...] = ()) -> Dataset:
    """Records of the classes cat and dog, as far as the rules look at them."""
    folder.mkdir(exist_ok=True)
    for name in ("train", "val"):
        (folder / f"{name}.record").write_bytes(b"records")
    (folder / "label_map.pbtxt").write_text('item { id: 1 name: "cat" }\nitem { id: 2 name: "dog" }\n')
    return Dataset(
        label_map_path=str(folder / "label_map.pbtxt"),
        num_classes=2,
        train=Split(pattern=str(folder / "train.record"), images=train_images, most_boxes=most_boxes),
        val=Split(pattern=str(folder / "val.record"), images=500, most_boxes=most_boxes, boxes=tuple(boxes)),
        class_names=("cat", "dog"),
    )


def filled(name: str, dataset: Dataset) -> Any:
    """The config that a template makes of the records."""
    start = template.read(name)
    return fill.fill(start, dataset).apply(start)


def checked(case: dict[str, Any], folder: Path) -> tuple[str, check.Checked, dict[str, Any]]:
    """The text of the case, what is found in it, and what else the rules were told."""
    # Filled from records that no rule finds fault with, so that a case is about what it sets.
    config = filled(case["template"], records(folder / "records"))
    dataset = records(folder / "records", **(case.get("records") or {}))
    if "contents" in case:
        for name in ("train", "val"):
            case_records.write(folder / "records" / f"{name}.record", case["contents"].get(name, [{}]))
        dataset = dataset.with_contents(case_records.read)
    for name, content in case.get("files", {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    for prefix, shapes in case.get("checkpoints", {}).items():
        value = {"value": case_checkpoints.NO_NUMBER} if prefix in case.get("spoilt", ()) else {}
        case_checkpoints.write(folder / prefix, shapes, **value)
    values = {path: value and value.replace("{folder}", str(folder)) for path, value in case.get("set", {}).items()}
    patch = ConfigPatch(edits=tuple(Edit(path=path, value=value) for path, value in values.items()))
    known = {
        "records": None if case.get("records", {}) is None else dataset,
        "extension": case.get("extension"),
        "start": Start(
            model_dir=folder / case["model_dir"] if "model_dir" in case else None,
            restoration=Restoration(**case["restoration"], others=0) if "restoration" in case else None,
            gpus=case.get("gpus", 0),
            machines=case.get("machines", 0),
        ),
    }
    text = schema.dump(patch.apply(config)) + case.get("text", "")
    return text, check.check(text, **known), known


def with_code(findings: tuple[Finding, ...], code: str) -> list[Finding]:
    return [finding for finding in findings if finding.code == code]


@pytest.mark.parametrize("code", check.rules())
def test_every_rule_has_cases(code: str) -> None:
    case = read(code)
    assert case["triggers"]
    assert case["passes"]
    assert all("at" in trigger for trigger in case["triggers"])


def test_every_case_has_a_rule() -> None:
    assert {path.stem for path in CASES.glob("*")} == set(check.rules())


@pytest.mark.parametrize(("code", "case"), cases("triggers"))
def test_it_is_found(code: str, case: dict[str, Any], tmp_path: Path) -> None:
    text, done, _ = checked(case, tmp_path)
    found = with_code(done.findings, code)
    assert case["at"] in [finding.path for finding in found]
    line = next(finding.line for finding in found if finding.path == case["at"])
    if done.config is not None:
        assert line == positions.line_of(case["at"], positions.read(text, done.config.DESCRIPTOR))
    assert 1 <= line <= text.count("\n") + 1


@pytest.mark.parametrize(("code", "case"), cases("passes"))
def test_it_is_not_found(code: str, case: dict[str, Any], tmp_path: Path) -> None:
    _, done, _ = checked(case, tmp_path)
    assert not with_code(done.findings, code)


@pytest.mark.parametrize(("code", "case"), cases("triggers"))
def test_the_fix_ends_it(code: str, case: dict[str, Any], tmp_path: Path) -> None:
    _, done, known = checked(case, tmp_path)
    fixes = [finding.fix for finding in with_code(done.findings, code) if finding.fix]
    if done.config is None or not fixes:
        return
    for fix in fixes:
        fixed = fix.apply(done.config)
        assert fix.apply(fixed) == fixed
    mended = check.fixed(done.config, **known)
    left = check.check(schema.dump(mended), **known).findings
    assert not [finding for finding in left if finding.fix]
    assert not with_code(left, code) or len(with_code(left, code)) < len(with_code(done.findings, code))


@pytest.mark.parametrize("name", template.names())
def test_templates_have_no_errors(name: str, tmp_path: Path) -> None:
    dataset = records(tmp_path / "records")
    found = check.check(schema.dump(filled(name, dataset)), records=dataset).findings
    assert not [finding for finding in found if finding.severity == "error"]


@pytest.mark.parametrize("name", template.names())
def test_templates_lack_only_what_records_give(name: str) -> None:
    found = check.check((template.FOLDER / f"{name}.config").read_text(encoding="utf-8")).findings
    assert {finding.code for finding in found if finding.severity == "error"} == {"CFG03", "DAT01"}


@pytest.mark.parametrize("model", catalogue.models(), ids=lambda model: model.name)
def test_architectures_that_the_engine_trains_have_no_errors(model: catalogue.Model, tmp_path: Path) -> None:
    dataset = records(tmp_path / "records")
    pairs = [edit.replace(catalogue.DATA, str(tmp_path)).split("=", maxsplit=1) for edit in model.edits]
    patch = ConfigPatch(edits=tuple(Edit(path=path, value=value) for path, value in pairs))
    config = patch.apply(schema.read(model.config))
    found = check.check(schema.dump(fill.fill(config, dataset).apply(config)), records=dataset).findings
    # Those of stride 8 keep anchors of stride 16: it runs, and would learn from features far away.
    assert {finding.code for finding in found if finding.severity == "error"} <= {"ANC13"}


@pytest.mark.parametrize("rule", check.rules().values(), ids=lambda rule: rule.code)
def test_what_is_told_about_a_rule(rule: Any) -> None:
    assert rule.title.endswith(".") and "\n\n" not in rule.title
    assert rule.reason.endswith(".")
    assert rule.meaning.endswith(".")
    assert rule.source


def test_no_code_is_used_twice() -> None:
    modules = [
        plugins.load("pipeline_configs.checking.rules", check.FOLDER, name, "") for name in plugins.names(check.FOLDER)
    ]
    written = [value.code for module in modules for value in vars(module).values() if isinstance(value, Rule)]
    assert sorted(written) == list(check.rules())


def test_the_document_lists_every_rule() -> None:
    """If a rule is new or its title has changed, the row that is missing goes into docs/check_config.md."""
    rows = [
        f"| {rule.code} | {rule.severity} | {rule.about() or 'all'} | {rule.title} |" for rule in check.rules().values()
    ]
    listed = [
        line
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and line[2:5].isupper()
    ]
    assert listed == rows


def test_the_share_of_anchors_inside_the_image() -> None:
    """The figures are those of the engine's generator, counted with NumPy."""
    grid = template.read("faster_rcnn_resnet50").model.faster_rcnn.first_stage_anchor_generator.grid_anchor_generator
    for size, share in (((640, 640), 0.457), ((600, 1024), 0.495), ((300, 300), 0.226)):
        assert faster_rcnn._share_inside(grid, *size) == pytest.approx(share, abs=0.0006)
