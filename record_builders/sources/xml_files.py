"""Reading XML of strangers: no entity is followed, nothing is fetched."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path

from lxml import etree

from tfod_tools.base import files
from tfod_tools.base.errors import AnnotationError


@functools.cache
def _parser() -> etree.XMLParser:
    # The defaults of lxml would follow external entities of a file that a stranger made.
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
      AnnotationError: the file cannot be read, is not XML, or has another root.
    """
    try:
        found = etree.fromstring(files.content(path), _parser())
    except OSError as exc:
        raise AnnotationError(f"cannot read the file: {exc.strerror}.", path=path) from exc
    except etree.XMLSyntaxError as exc:
        reason = re.sub(r", line \d+, column \d+$", "", exc.msg or "").rstrip(".")
        raise AnnotationError(f"not readable as XML: {reason}. Repair the file.", path=path, line=exc.lineno) from exc
    if found.tag != tag:
        message = f"the root is <{found.tag}>, expected <{tag}>. Is this another format than {format_name}?"
        raise AnnotationError(message, path=path, line=found.sourceline)
    return found


# The first child of each tag.
Children = Mapping[str, etree._Element]


def children(element: etree._Element) -> Children:
    """The children of `element`."""
    return {child.tag: child for child in element.iterchildren(reversed=True)}


def text(of: Children, tag: str) -> str:
    """The text of the child `tag`; '' where there is none."""
    return (of[tag].text or "").strip() if tag in of else ""


def line(of: Children, tag: str, parent: etree._Element) -> int:
    """The line of the child `tag`, or of its parent where there is none."""
    return int(of.get(tag, parent).sourceline)
