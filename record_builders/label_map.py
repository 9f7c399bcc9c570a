"""The label map: which number stands for which class, in the engine's pbtxt form."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import text_format

from record_builders.records.protos import StringIntLabelMap
from tfod_tools.base.errors import LabelMapError

# Comments and strings are matched first, so that an `item` inside them is passed over.
_NO_ITEM = re.compile(r"""StringIntLabelMap" has no (?:field|extension) named "(.*?)\"""")
_BACKGROUND = "background"
_ITEM = re.compile(r"""#[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\b(?P<item>item)\b""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMap:
    """Classes and their numbers.

    Attributes:
      names: the classes, in the order of the map, without the background, which some maps list under the number 0.
      ids: a positive number for each of `names`, unique.
      display_names: a second name for each of `names`, or '' where it has none. The engine accepts both in records.
    """

    names: tuple[str, ...]
    ids: tuple[int, ...]
    display_names: tuple[str, ...]

    @classmethod
    def of(cls, labels: Iterable[str]) -> LabelMap:
        """The map that numbers the distinct `labels` from 1 in alphabetical order."""
        names = tuple(sorted(set(labels)))
        return cls(names=names, ids=tuple(range(1, len(names) + 1)), display_names=("",) * len(names))

    def names_by_label(self) -> dict[str, str]:
        """The class name for each way to write it: itself, or its display name if no other class has the same."""
        alike = Counter(self.display_names)
        displayed = {
            shown: name
            for shown, name in zip(self.display_names, self.names, strict=True)
            if shown and alike[shown] == 1
        }
        return displayed | {name: name for name in self.names}

    def ids_by_name(self) -> dict[str, int]:
        """The number of each class."""
        return dict(zip(self.names, self.ids, strict=True))

    def merged(self, other: LabelMap) -> LabelMap:
        """This map with the classes that only `other` has, numbered on from the largest number, in their order."""
        known = self.names_by_label()
        added = [
            (name, shown)
            for name, shown in zip(other.names, other.display_names, strict=True)
            if name not in known and not (shown and shown in known)
        ]
        first = max(self.ids, default=0) + 1
        return LabelMap(
            names=(*self.names, *(name for name, _ in added)),
            ids=(*self.ids, *range(first, first + len(added))),
            display_names=(*self.display_names, *(shown for _, shown in added)),
        )

    def to_pbtxt(self) -> str:
        """The map as the text that the engine reads; the inverse of `parse`."""
        message = StringIntLabelMap()
        for name, label_id, shown in zip(self.names, self.ids, self.display_names, strict=True):
            item = message.item.add(name=name, id=label_id)
            if shown:
                item.display_name = shown
        return str(text_format.MessageToString(message, as_utf8=True))


def read(path: Path) -> tuple[LabelMap, str]:
    """The label map in the file at `path`, and the file's text.

    Raises:
      LabelMapError: the file cannot be read, or `parse` refuses it.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as exc:
        raise LabelMapError(f"cannot read the label map: {exc.strerror}.", path=path) from exc
    except UnicodeDecodeError as exc:
        raise LabelMapError("the label map is not UTF-8 text. Save it as UTF-8.", path=path) from exc
    return parse(text, path), text


def parse(text: str, path: Path | None = None) -> LabelMap:
    """The label map in `text`; `path` is the file to name in errors.

    Stricter than the engine, which silently keeps one of two items with the same id or name, and the last of two names
    within an item. As the engine does, it accepts a background of id 0, and display names that several classes share.

    Raises:
      LabelMapError: not a label map, no item, an item without name or positive id, or an id or name given twice.
    """
    message = StringIntLabelMap()
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as exc:
        reason = re.sub(r"^\d+:\d+ : ", "", str(exc)).rstrip(".")
        if other := _NO_ITEM.search(reason):
            message = (
                f"not a label map: it has '{other[1]}', expected only item {{ id: 1 name: 'x' }}, one for each class. "
                "Is this the configuration of another program?"
            )
            raise LabelMapError(message, path=path, line=exc.GetLine()) from exc
        raise LabelMapError(f"not a label map: {reason}. Correct the line.", path=path, line=exc.GetLine()) from exc
    if not message.item:
        raise LabelMapError("the label map is empty, expected item { id: 1 name: 'x' } for each class.", path=path)
    ids: dict[int, str] = {}
    lines: dict[str, int | None] = {}
    shown: dict[str, int | None] = {}
    for item, line in zip(message.item, _item_lines(text, len(message.item)), strict=True):
        problem = _problem(item.id, item.name, item.display_name, ids, lines, shown)
        if problem:
            raise LabelMapError(problem, path=path, line=line)
        ids[item.id] = item.name
        lines[item.name] = line
        shown |= {item.display_name: line} if item.display_name else {}
    items = [item for item in message.item if item.id]
    if not items:
        raise LabelMapError("the label map has nothing but a background, expected classes. Add them.", path=path)
    return LabelMap(
        names=tuple(item.name for item in items),
        ids=tuple(item.id for item in items),
        display_names=tuple(item.display_name for item in items),
    )


_Lines = dict[str, int | None]


def _problem(label_id: int, name: str, shown: str, ids: dict[int, str], names: _Lines, display_names: _Lines) -> str:
    """What is wrong with an item that follows others with `ids` and names on lines; '' for nothing."""
    if not name:
        return f"the item with id {label_id} has no name, expected the name of its class. Add it."
    if label_id <= 0 and not (label_id == 0 and _BACKGROUND in (name, shown)):
        return f"class '{name}' has id {label_id}, expected 1 or more: 0 is the background. Number the classes from 1."
    if label_id in ids:
        return f"id {label_id} of class '{name}' is also that of '{ids[label_id]}'. Give each class its own id."
    for given, before in ((name, names | display_names), (shown, names)):
        if given in before:
            return f"the name '{given}' was given before, in line {before[given]}. Give each class its own name."
    return ""


def _item_lines(text: str, count: int) -> list[int | None]:
    """The 1-based line on which each of `count` items starts; unknown where the text writes items as a list."""
    starts = [match.start() for match in _ITEM.finditer(text) if match["item"]]
    return [text.count("\n", 0, start) + 1 for start in starts] if len(starts) == count else [None] * count
