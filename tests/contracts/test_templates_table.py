"""The tables of templates in the documents are made from the templates, and the engine builds all of them."""

from __future__ import annotations

from campaigns.models import templates
from support import template_table

from pipeline_configs.making import template


def test_the_tables_are_made_from_the_templates() -> None:
    document = template_table.DOCUMENT.read_text(encoding="utf-8")
    assert template_table.in_document(document, template.listing()) == document, "run python -m support.template_table"


def test_the_readme_counts_them() -> None:
    rows = template.listing()
    published = [row.style for row in rows if row.published]
    readme = (template_table.DOCUMENT.parents[1] / "README.md").read_text(encoding="utf-8")
    counts = f"for TF1 ({published.count('tf1')}) and TF2 ({published.count('tf2')})"
    assert (
        f"There are {len(rows)} templates, {len(published)} of them with the values that were published {counts}"
        in readme
    )


def test_what_was_tried_is_built() -> None:
    recorded = templates.read()
    assert set(recorded) <= set(template.names())
    assert {name: found["why"] for name, found in recorded.items() if not found["built"]} == {}
