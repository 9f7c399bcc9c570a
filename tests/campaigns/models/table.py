"""The table of what works, generated into docs/engine.md between two comments."""

from __future__ import annotations

import re
from collections.abc import Sequence

from campaigns import campaign
from campaigns.models.runs import Result

DOCUMENT = campaign.ROOT / "docs" / "engine.md"
BEGIN = "<!-- The table of models: made by `make engine-models`, not by hand. -->"
END = "<!-- The end of the table of models. -->"


def line(result: Result) -> str:
    """One line on a model that has been run."""
    outcome = "works" if result["ok"] else f"stops at {result['stage']}: {result['why']}"
    return f"{result['architecture']}, {result['style']}, {result['type']}: {outcome} ({result['seconds']} s)"


def markdown(found: Sequence[Result]) -> str:
    """The table as Markdown."""
    rows = ["| architecture | style | feature extractor | parameters | works |", "| --- | --- | --- | --- | --- |"]
    for result in found:
        parameters = "" if result["parameters"] is None else f"{result['parameters'] / 1e6:.1f} M"
        works = "yes" if result["ok"] else f"no, stops at {result['stage']}: {_cell(result['why'])}"
        rows.append(
            f"| {result['architecture']} | {result['style'].upper()} | `{result['type']}` | {parameters} | {works} |"
        )
    working = sum(result["ok"] for result in found)
    return "\n".join([f"{working} of {len(found)} work.", "", *rows])


def in_document(document: str, found: Sequence[Result]) -> str:
    """`document` with the table of `found` between the two comments; all else stays as it is.

    Raises:
      ValueError: the document does not hold the two comments, once each and in order.
    """
    parts = re.split(f"({re.escape(BEGIN)}|{re.escape(END)})", document)
    if parts[1::2] != [BEGIN, END]:
        raise ValueError(f"expected the lines {BEGIN!r} and {END!r} in the document, found {parts[1::2]}")
    return f"{parts[0]}{BEGIN}\n\n{markdown(found)}\n\n{END}{parts[4]}"


def write(found: Sequence[Result]) -> None:
    """Puts the table of `found` into the document."""
    document = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(in_document(document, found), encoding="utf-8")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
