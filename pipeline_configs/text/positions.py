"""Finds where each field is written in a text proto, because protobuf's own parser keeps no positions.

This reads the same grammar as `google.protobuf.text_format`. In a broken text it stops where it cannot go on. Only
protobuf decides what a text means, and whether it is valid.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline_configs.patches.field_path import is_list

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

# One character or one word, by the rules of text_format.Tokenizer.
_TOKEN = re.compile(
    r"""(?P<skip>(?:\s|\#[^\n]*)+)
      | (?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<word>[a-zA-Z_][0-9a-zA-Z_+-]*|(?:[0-9+-]|\.[0-9])[0-9a-zA-Z_.+-]*)
      | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
_CLOSED_BY = {"{": "}", "<": ">"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One value in the text. Offsets count characters from the beginning of the text.

    Attributes:
      path: the field, as `pipeline_configs.patches.field_path` reads it; every item of a list has its index.
      line: the line of the field's name, from 1. For the second and later values in brackets, the line of the value.
      offset: where the name starts, or the value for these later ones.
      value: where the value starts; for a message, where its bracket opens.
      end: where the value ends.
      statement: where the statement starts and ends: the name with its value, or with all values in the same brackets.
      holder: the path of the message that has the field; "" for the whole config.
      owner: the type of that message; None if it is inside a field that does not exist.
      field: the field; None if it does not exist.
    """

    path: str
    line: int
    offset: int
    value: int
    end: int
    statement: tuple[int, int]
    holder: str
    owner: Descriptor | None
    field: FieldDescriptor | None

    @property
    def name(self) -> str:
        """The last part of the path, without an index."""
        return self.path.removeprefix(f"{self.holder}.").partition("[")[0]


def read(text: str, root: Descriptor) -> tuple[Place, ...]:
    """Every field that `text`, a message of the type `root`, sets, in the order of the text."""
    reader = _Reader(text)
    reader.read(_Open(path="", type=root, closer="", place=None, items=Counter()))
    return tuple(reader.places)


def line_of(path: str, places: Sequence[Place]) -> int:
    """The line where `path` is set, the last time where that is more than once.

    A field that the text does not set has the line of the message that would hold it, and line 1 where there is none.
    """
    lines = {place.path: place.line for place in places}
    while path and path not in lines and f"{path}[0]" not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path) or lines.get(f"{path}[0]", 1)


@dataclass(slots=True, kw_only=True)
class _Open:
    """A message that is being read; `place` is the index of its own place, None for the whole text."""

    path: str
    type: Descriptor | None
    closer: str
    place: int | None
    items: Counter[str]


@dataclass(slots=True, kw_only=True)
class _Name:
    """A field whose values follow, in brackets where it stays on the stack; `values` are indices of their places."""

    text: str
    holder: _Open
    field: FieldDescriptor | None
    offset: int
    values: list[int]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int

    @property
    def end(self) -> int:
        return self.offset + len(self.text)


class _Reader:
    """Follows the tokens of a text; messages inside one another are kept on a list, so that no depth is too deep."""

    def __init__(self, text: str) -> None:
        self.places: list[Place] = []
        self._text = text
        self._tokens = [
            _Token(match.lastgroup or "", match.group(), match.start())
            for match in _TOKEN.finditer(text)
            if match.lastgroup != "skip"
        ]
        self._next = 0
        self._line, self._counted = 1, 0
        self._opened: dict[str, _Open] = {}

    def read(self, outermost: _Open) -> None:
        """Finds the places in `outermost` and all below it."""
        stack: list[_Open | _Name] = [outermost]
        while stack and self._next < len(self._tokens):
            top, token = stack[-1], self._tokens[self._next]
            closer = "]" if isinstance(top, _Name) else top.closer
            if token.text == closer:
                self._next += 1
                self._close(top, token.end)
                stack.pop()
            elif token.text in (",", ";"):
                self._next += 1
            elif isinstance(top, _Name):
                self._value(top, stack)
            else:
                self._field(top, stack)

    def _field(self, top: _Open, stack: list[_Open | _Name]) -> None:
        name = self._name(top)
        if self._peek() == ":":
            self._next += 1
        if self._peek() == "[":
            self._next += 1
            stack.append(name)
        else:
            self._value(name, stack)

    def _name(self, top: _Open) -> _Name:
        token = self._take()
        text = token.text
        while text.startswith("[") and not text.endswith("]") and self._next < len(self._tokens):
            text += self._take().text  # the name of an extension
        known = top.type.fields_by_name.get(text) if top.type else None
        return _Name(text=text, holder=top, field=known, offset=token.offset, values=[])

    def _value(self, name: _Name, stack: list[_Open | _Name]) -> None:
        token = last = self._take()
        while token.kind == "text" and self._peek_kind() == "text":
            last = self._take()  # strings beside each other are one value
        place = self._place(name, token.offset, last.end)
        if token.text in _CLOSED_BY and token.kind == "mark":
            stack.append(self._open(place, _CLOSED_BY[token.text]))

    def _place(self, name: _Name, value: int, end: int) -> Place:
        path = f"{name.holder.path}.{name.text}".removeprefix(".")
        if name.field is not None and is_list(name.field):
            path = f"{path}[{name.holder.items[name.text]}]"
            name.holder.items[name.text] += 1
        # The first item in brackets is where the name is, as it would be without them.
        offset = value if name.values else name.offset
        self._line += self._text.count("\n", self._counted, offset)
        self._counted = offset
        place = Place(
            path=path,
            line=self._line,
            offset=offset,
            value=value,
            end=end,
            statement=(name.offset, end),
            holder=name.holder.path,
            owner=name.holder.type,
            field=name.field,
        )
        name.values.append(len(self.places))
        self.places.append(place)
        return place

    def _open(self, place: Place, closer: str) -> _Open:
        """The message at `place`: if it is not the first one there, its lists go on where the first one's ended."""
        known = place.field.message_type if place.field else None
        before = self._opened.get(place.path)
        items = before.items if before else Counter[str]()
        opened = _Open(path=place.path, type=known, closer=closer, place=len(self.places) - 1, items=items)
        self._opened[place.path] = opened
        return opened

    def _close(self, top: _Open | _Name, end: int) -> None:
        if isinstance(top, _Name):
            for index in top.values:
                self.places[index] = replace(self.places[index], statement=(top.offset, end))
        elif top.place is not None:
            place = self.places[top.place]
            self.places[top.place] = replace(place, end=end, statement=(place.statement[0], end))

    def _peek(self) -> str:
        return self._tokens[self._next].text if self._next < len(self._tokens) else ""

    def _peek_kind(self) -> str:
        return self._tokens[self._next].kind if self._next < len(self._tokens) else ""

    def _take(self) -> _Token:
        if self._next >= len(self._tokens):
            return _Token("end", "", len(self._text))
        self._next += 1
        return self._tokens[self._next - 1]
