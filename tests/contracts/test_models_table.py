"""The record of which models work covers every one, and the table in the documents is made from it."""

from __future__ import annotations

import pytest
from campaigns.models import runs, table
from campaigns.models.catalogue import ARCHITECTURES, Model, models

from pipeline_configs import extractors
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text import schema


def test_every_feature_extractor_is_recorded() -> None:
    recorded = {(result["type"], result["style"]) for result in runs.read()}
    assert recorded == {(name, of) for types in extractors.known().values() for name, of in types.items()}


def test_every_architecture_is_recorded() -> None:
    recorded = [(result["architecture"], result["type"]) for result in runs.read()]
    assert recorded == [(model.architecture, model.type) for model in models()]
    assert {architecture for architecture, _ in recorded} == set(ARCHITECTURES)


def test_what_does_not_work_has_a_reason() -> None:
    assert all(result["ok"] or (result["stage"] and result["why"]) for result in runs.read())
    assert all(result["ok"] is False or result["parameters"] > 0 for result in runs.read())


def test_the_table_is_made_from_the_record() -> None:
    document = table.DOCUMENT.read_text(encoding="utf-8")
    assert table.in_document(document, runs.read()) == document, "run make engine-models"


@pytest.mark.parametrize("model", models(), ids=lambda model: model.name)
def test_the_config_of_a_model_is_of_its_type(model: Model) -> None:
    edits = tuple(Edit(path=path, value=value) for path, _, value in (edit.partition("=") for edit in model.edits))
    config = ConfigPatch(edits=edits).apply(schema.read(model.config))
    assert getattr(config.model, schema.architecture(config)).feature_extractor.type == model.type
    assert extractors.style_of(config) == model.style


RESULTS = [
    {"type": "x", "architecture": "SSD", "style": "tf1", "ok": True, "parameters": 1_250_000, "seconds": 9},
    {
        "type": "y",
        "architecture": "CenterNet",
        "style": "tf2",
        "parameters": None,
        "seconds": 9,
        "ok": False,
        "stage": "train",
        "why": "ValueError: a | b",
    },
]


def test_only_what_is_between_the_comments_changes() -> None:
    made = table.in_document(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n", RESULTS)
    assert made.startswith(f"before\n{table.BEGIN}\n")
    assert made.endswith(f"\n{table.END}\nafter\n")
    assert "old" not in made
    assert "1 of 2 work." in made
    assert "| SSD | TF1 | `x` | 1.2 M | yes |" in made
    assert "| CenterNet | TF2 | `y` |  | no, stops at train: ValueError: a \\| b |" in made
    assert table.in_document(made, RESULTS) == made


@pytest.mark.parametrize("document", ["", table.BEGIN, f"{table.END}\n{table.BEGIN}", 2 * f"{table.BEGIN}{table.END}"])
def test_a_document_without_a_place_for_the_table_is_refused(document: str) -> None:
    with pytest.raises(ValueError, match="expected the lines"):
        table.in_document(document, RESULTS)
