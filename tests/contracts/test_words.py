"""Phrases that have to be read twice do not occur in what users and readers see: strings, docstrings, README and docs.

Each phrase stands for a habit. The second column says what to write in its place.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from contracts import sources

# As regular expressions; words are compared without regard to case.
PHRASES = {
    r"(?<=, )expected": "say what is wrong, and then what to do",
    r"(?-i:There is none)": "name the thing: there is no label map",
    r"all but": "almost, or all except",
    r"parted by": "separated by",
    r"nobody knows": "it is not known",
    r"nobody (can|could) (say|tell)": "it is not known",
    r"mend(s|ed|ing)?": "correct, fix, repair",
    r"heed(s|ed)?": "follow, use",
    r"whoever": "if you, or the person who",
    r"as of": "from, or since",
    r"as far as": "if, or how much",
    r"of which": "two sentences",
    r"whereof|thereof|wherein|therein": "of it, in it",
    r"found fault with": "wrong, or reported",
    r"spoil(s|t)": "damaged, or not usable",
    r"amiss": "wrong",
    r"in whatever": "in any",
    r"(is|are) no numbers?": "NaN, or not a number",
    r"ought to": "should",
    r"lest": "so that ... not",
    r"what \w+ (is|are) to \w+ (is|are)": "say it without a comparison",
}


def texts_of_source(file: str) -> Iterator[tuple[int, str]]:
    """The line and text of each string and docstring in a Python file; {} is in the place of a value."""
    tree = sources.tree(file)
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values]
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.lineno, node.value


def texts_of_page(file: str) -> Iterator[tuple[int, str]]:
    """The line and text of each paragraph of a page."""
    text = (sources.ROOT / file).read_text(encoding="utf-8")
    at = 1
    for paragraph in text.split("\n\n"):
        yield at, paragraph
        at += paragraph.count("\n") + 2


def found(texts: Iterator[tuple[int, str]]) -> list[str]:
    """A line for each phrase in the texts."""
    lines = []
    for number, text in texts:
        flat = " ".join(text.split())
        for phrase, advice in PHRASES.items():
            if match := re.search(rf"(?<!\w)(?:{phrase})(?!\w)", flat, re.IGNORECASE):
                lines.append(f"line {number}: '{match[0]}': {advice}")
    return lines


@pytest.mark.parametrize("file", sources.files())
def test_source(file: str) -> None:
    assert found(texts_of_source(file)) == []


PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (sources.ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("file", PAGES)
def test_pages(file: str) -> None:
    assert found(texts_of_page(file)) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("found 3, expected 4 of them", 1),
        ("It is\n    all\n  but done.", 1),
        ("Mended files, and amendments", 1),
        ("There is none. The others are None if there is none.", 1),
        ("The number of files is not as expected. Read all buttons.", 0),
    ],
)
def test_how_phrases_are_found(text: str, count: int) -> None:
    assert len(found(iter([(1, text)]))) == count
