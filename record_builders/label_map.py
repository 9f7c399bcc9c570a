"""The label map: which number belongs to which class. The engine reads it as text (.pbtxt).

This is the only reader. It loads protobuf only when a function is called, so that a command's help stays quick.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from tfod_tools.base.errors import LabelMapError

_BACKGROUND = "background"
_NO_FIELD = re.compile(r"""StringIntLabelMap" has no (?:field|extension) named "(.*?)\"""")
# Comments and strings are matched first, so that the word `item` inside them does not count.
_ITEM = re.compile(r"""#[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\b(?P<item>item)\b""")


class Item(NamedTuple):
    """An item of a label map, as the engine reads it.

    Attributes:
      name: the name of the class; '' if it is missing.
      id: the number of the class; 0 if it is missing.
      display_name: a second name of the class; '' if it is missing. The engine accepts both names in records.
      line: the line on which the item starts, from 1; None if the text writes the items as one list.
    """

    name: str
    id: int
    display_name: str = ""
    line: int | None = None


class Fault(NamedTuple):
    """What is wrong with an item, in one or more sentences, and the line of the item."""

    message: str
    line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMap:
    """Classes and their numbers. The background, which some label maps list with the number 0, is left out.

    Attributes:
      names: the classes, in the order of the label map.
      ids: a positive number for each of `names`, unique.
      display_names: a second name for each of `names`, or '' if there is none. The engine accepts both in records.
    """

    names: tuple[str, ...]
    ids: tuple[int, ...]
    display_names: tuple[str, ...]

    @classmethod
    def of(cls, labels: Iterable[str]) -> LabelMap:
        """The label map that numbers the distinct `labels` from 1 in alphabetical order."""
        names = tuple(sorted(set(labels)))
        return cls(names=names, ids=tuple(range(1, len(names) + 1)), display_names=("",) * len(names))

    def names_by_label(self) -> dict[str, str]:
        """The class for each of its names: its own, and its display name if no other class has the same."""
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
        """This label map, then the classes that only `other` has, in its order, with the next larger numbers."""
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
        """The text that the engine reads; the inverse of `parse`."""
        from google.protobuf import text_format

        from record_builders.records.protos import StringIntLabelMap

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
    text = _text(path)
    return parse(text, path), text


def read_items(path: Path) -> Sequence[Item]:
    """The items of the label map in the file at `path`, as the engine reads them; see `faults`.

    Raises:
      LabelMapError: the file cannot be read, or it is not the text of a label map.
    """
    return items(_text(path), path)


def parse(text: str, path: Path | None = None) -> LabelMap:
    """The label map in `text`, with every class under a name and a number of its own.

    Stricter than the engine. From two items with the same id or name, the engine silently keeps one. From two names in
    one item, it keeps the last. Like the engine, this accepts a background of id 0, and display names that several
    classes share.

    Args:
      text: the content of a label map file.
      path: the file that errors name.

    Raises:
      LabelMapError: not a label map, no class, or a class without a name, number or display name of its own.
    """
    found = _checked(text, path, once=True)
    if not found:
        example = "item { id: 1 name: 'cat' }"
        raise LabelMapError(f"the label map is empty. Add an item for each class, such as {example}.", path=path)
    wrong = sorted((*_unnamed(found), *faults(found), *_shared_names(found)), key=lambda fault: fault.line or 0)
    if wrong:
        raise LabelMapError(wrong[0].message, path=path, line=wrong[0].line)
    classes = [item for item in found if item.id]
    if not classes:
        raise LabelMapError("the label map has no class but the background. Add the classes.", path=path)
    return LabelMap(
        names=tuple(item.name for item in classes),
        ids=tuple(item.id for item in classes),
        display_names=tuple(item.display_name for item in classes),
    )


def items(text: str, path: Path | None = None) -> Sequence[Item]:
    """The items of the label map in `text`, as the engine reads them: of two values of a field, the last one counts.

    Raises:
      LabelMapError: it is not the text of a label map.
    """
    return _checked(text, path, once=False)


def faults(found: Sequence[Item]) -> Iterator[Fault]:
    """The items for which the engine stops, or with which it confuses classes. Each id and name is reported once."""
    ids: dict[int, Item] = {}
    names: dict[str, Item] = {}
    reported: set[int | str] = set()
    for item in found:
        other, namesake = ids.setdefault(item.id, item), names.setdefault(item.name, item)
        if item.id not in reported and not _is_background(item) and (item.id < 1 or other is not item):
            reported.add(item.id)
            yield Fault(_about_id(item, other), item.line)
        if item.name not in reported and item.name and namesake is not item:
            reported.add(item.name)
            yield _named_before(item.name, namesake, item)


def _is_background(item: Item) -> bool:
    return item.id == 0 and _BACKGROUND in (item.name, item.display_name)


def _about_id(item: Item, other: Item) -> str:
    if item.id < 1:
        return (
            f"class '{item.name}' has id {item.id}, but ids start at 1; 0 is the background. Number the classes from 1."
        )
    return f"classes '{other.name}' and '{item.name}' both have id {item.id}. Give each class its own id."


def _unnamed(found: Sequence[Item]) -> Iterator[Fault]:
    for item in found:
        if not item.name:
            yield Fault(f"the item with id {item.id} has no name. Add the name of its class.", item.line)


def _shared_names(found: Sequence[Item]) -> Iterator[Fault]:
    """Names that are the display name of another class."""
    places = {item.name: place for place, item in enumerate(found)}
    for place, item in enumerate(found):
        other = places.get(item.display_name, place)
        if item.display_name and other != place:
            yield _named_before(item.display_name, found[min(place, other)], found[max(place, other)])


def _named_before(name: str, first: Item, second: Item) -> Fault:
    where = f" in line {first.line}" if first.line else ""
    return Fault(f"the name '{name}' is used{where} already. Give each class its own name.", second.line)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as exc:
        raise LabelMapError(f"cannot read the label map: {exc.strerror}.", path=path) from exc
    except UnicodeDecodeError as exc:
        raise LabelMapError("the label map is not UTF-8 text. Save it as UTF-8.", path=path) from exc


def _checked(text: str, path: Path | None, *, once: bool) -> Sequence[Item]:
    from google.protobuf import text_format

    try:
        return _items(text, once)
    except text_format.ParseError as exc:
        raise _not_a_label_map(exc, path) from exc
    except RecursionError as exc:
        raise LabelMapError("not a label map: messages are nested too deep.", path=path) from exc


@lru_cache(maxsize=4)  # Many rules read the same few label maps, and 20,000 items take half a second.
def _items(text: str, once: bool) -> tuple[Item, ...]:
    """The items; with `once`, a field that is set twice in one item is an error."""
    from google.protobuf import text_format

    from record_builders.records.protos import StringIntLabelMap

    message = StringIntLabelMap()
    (text_format.Parse if once else text_format.Merge)(text, message)
    lines = _item_lines(text, len(message.item))
    return tuple(
        Item(item.name, item.id, item.display_name, line) for item, line in zip(message.item, lines, strict=True)
    )


def _not_a_label_map(error: Any, path: Path | None) -> LabelMapError:
    reason = re.sub(r"^\d+:\d+ : ", "", str(error)).rstrip(".")
    if other := _NO_FIELD.search(reason):
        return LabelMapError(
            f"not a label map: it has '{other[1]}', but a label map has only items, such as "
            "item { id: 1 name: 'cat' }. Is this the configuration of another program?",
            path=path,
            line=error.GetLine(),
        )
    return LabelMapError(f"not a label map: {reason}. Correct the line.", path=path, line=error.GetLine())


def _item_lines(text: str, count: int) -> list[int | None]:
    """The line on which each of `count` items starts, from 1; unknown if the text writes the items as one list."""
    starts = [match.start() for match in _ITEM.finditer(text) if match["item"]]
    if len(starts) != count:
        return [None] * count
    lines: list[int | None] = []
    line, before = 1, 0
    for start in starts:
        line += text.count("\n", before, start)
        lines.append(line)
        before = start
    return lines
