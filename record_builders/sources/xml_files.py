"""XML files from unknown sources: the parser follows no entity and fetches nothing."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path

from lxml import etree

from record_builders.sources.folders import head
from tfod_tools.base import files
from tfod_tools.base.errors import AnnotationError

# Not a declaration (<?xml), a comment or a document type (<!).
_ROOT = re.compile(rb"<([^\s<>/?!]+)")


@functools.cache
def _parser() -> etree.XMLParser:
    # By default lxml follows external entities, which is unsafe in a file from an unknown source.
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        collect_ids=False,
        remove_blank_text=True,
        remove_comments=True,
        remove_pis=True,
    )


def root(path: Path | str, tag: str, format_name: str) -> etree._Element:
    """The root of the XML file at `path`, which must be a <tag>.

    Raises:
      AnnotationError: the file cannot be read, is not XML, or has another root element.
    """
    try:
        found = etree.fromstring(files.content(path), _parser())
    except OSError as exc:
        raise AnnotationError(f"cannot read the file: {exc.strerror}.", path=path) from exc
    except etree.XMLSyntaxError as exc:
        reason = re.sub(r", line \d+, column \d+$", "", exc.msg or "").rstrip(".")
        raise AnnotationError(f"the file is not valid XML: {reason}. Correct it.", path=path, line=exc.lineno) from exc
    if found.tag != tag:
        message = f"the root is <{found.tag}>, not <{tag}>. Is it really {format_name}? Name the format with --format."
        raise AnnotationError(message, path=path, line=found.sourceline)
    return found


def other_root(path: Path, tag: str) -> str:
    """Which root element the .xml file at `path` has, unless it is `tag`; '' if it has none."""
    found = _ROOT.search(head(path)) if path.suffix.lower() == ".xml" else None
    if found is None or found[1].decode("utf-8", "replace") == tag:
        return ""
    return f"its root is <{found[1].decode('utf-8', 'replace')[:60]}>. It needs <{tag}>."


# The first child of each tag.
Children = Mapping[str, etree._Element]


def children(element: etree._Element) -> Children:
    """The children of `element`."""
    return {child.tag: child for child in element.iterchildren(reversed=True)}


def text(of: Children, tag: str) -> str:
    """The text of the child `tag`; '' if there is no such child."""
    return (of[tag].text or "").strip() if tag in of else ""


def line(of: Children, tag: str, parent: etree._Element) -> int:
    """The line of the child `tag`, or of its parent if there is no such child."""
    return int(of.get(tag, parent).sourceline)
