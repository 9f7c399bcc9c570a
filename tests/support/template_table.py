"""The table of templates, generated into docs/templates.md between two comments.

PYTHONPATH=tests:. python -m support.template_table
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from campaigns.models import templates

from pipeline_configs.making import template, zoo
from pipeline_configs.making.template import Listed

DOCUMENT = Path(__file__).parents[2] / "docs" / "templates.md"
BEGIN = "<!-- The tables of templates: made by `python -m support.template_table`, not by hand. -->"
END = "<!-- The end of the tables of templates. -->"

_HEAD = (
    "| template | architecture | input | mAP | ms | weights | of |",
    "| --- | --- | --- | --- | --- | --- | --- |",
)


def markdown(rows: Sequence[Listed]) -> str:
    """How many the engine has built and trained, and a table for each style, by architecture and name."""
    found = templates.read()
    built, trained = (sum(each.get(what, False) for each in found.values()) for what in ("built", "trained"))
    first = (
        f"The engine has built {built} of {len(rows)} at their own sizes (`make engine-templates`), and trained "
        f"{trained} of them for two steps with a batch of one (`ARGS=--train`), on a CPU with 24 GiB of memory."
    )
    failed = [f"- `{name}`: {each['why']}" for name, each in found.items() if "why" in each]
    if failed:
        first = "\n".join([f"{first} Not trained:", "", *failed])
    tables = [_table(style, [row for row in rows if row.style == style]) for style in ("tf1", "tf2")]
    return "\n\n".join([first, *tables])


def in_document(document: str, rows: Sequence[Listed]) -> str:
    """`document` with the tables of `rows` between the two comments; all else stays as it is."""
    parts = re.split(f"({re.escape(BEGIN)}|{re.escape(END)})", document)
    assert parts[1::2] == [BEGIN, END]
    return f"{parts[0]}{BEGIN}\n\n{markdown(rows)}\n\n{END}{parts[4]}"


def _table(style: str, rows: Sequence[Listed]) -> str:
    lines = [_line(row) for row in sorted(rows, key=lambda row: (row.architecture, row.name))]
    return "\n".join([f"### {style.upper()} style: {len(rows)}", "", *_HEAD, *lines])


def _line(row: Listed) -> str:
    found = zoo.checkpoint(row.name)
    weights = f"[{found.name}]({found.url})" if found else ""
    score = "" if row.zoo_map is None else f"{row.zoo_map:g}"
    speed = "" if row.zoo_speed_ms is None else f"{row.zoo_speed_ms:g}"
    cells = (f"`{row.name}`", row.architecture, row.input_size, score, speed, weights, row.zoo_data)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    DOCUMENT.write_text(in_document(DOCUMENT.read_text(encoding="utf-8"), template.listing()), encoding="utf-8")
