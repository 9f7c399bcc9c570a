"""Where in a text proto each field is written: protobuf's own parser keeps no positions.

Reads the same grammar as `google.protobuf.text_format`, and goes as far as it can where the text is broken: what a text
means, and whether it may be read at all, is protobuf's to say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline_configs.field_path import is_list

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

# A mark of one character, or a word, by the rules of text_format.Tokenizer.
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
    """One value in the text.

    Attributes:
      path: the field, as `pipeline_configs.field_path` reads it; every item of a list has its index.
      line: of the field's name, from 1; of the value itself for the second and later ones in brackets.
      offset: where that starts, in characters from the beginning of the text.
      holder: the path of the message that has the field; "" for the whole config.
      owner: the type of that message; None where it is inside a field that does not exist.
      field: None where there is no such field.
    """

    path: str
    line: int
    offset: int
    holder: str
    owner: Descriptor | None
    field: FieldDescriptor | None

    @property
    def name(self) -> str:
        """The last part of the path, without an index."""
        return self.path.removeprefix(f"{self.holder}.").partition("[")[0]


def read(text: str, root: Descriptor) -> tuple[Place, ...]:
    """Every field that `text`, a message of the type `root`, sets, in the order of the text."""
    return tuple(_Reader(text).message(_Open(path="", type=root, closer="")))


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
    """A message that is being read."""

    path: str
    type: Descriptor | None
    closer: str
    items: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int


class _Reader:
    """Follows the tokens of a text; messages inside one another are kept on a list, so that no depth is too deep."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [
            _Token(match.lastgroup or "", match.group(), match.start())
            for match in _TOKEN.finditer(text)
            if match.lastgroup != "skip"
        ]
        self._next = 0
        self._line, self._counted = 1, 0
        self._opened: dict[str, _Open] = {}

    def message(self, outermost: _Open) -> Iterator[Place]:
        """The places in `outermost` and all below it."""
        # Above a message in a bracketed list lies the field of that list.
        stack: list[_Open | _Name] = [outermost]
        while stack and self._next < len(self._tokens):
            top = stack[-1]
            if isinstance(top, _Name):
                yield from self._item(top, stack)
            elif self._peek() == top.closer:
                self._next += 1
                stack.pop()
            elif self._peek() in (",", ";"):
                self._next += 1
            else:
                yield from self._field(top, stack)

    def _field(self, top: _Open, stack: list[_Open | _Name]) -> Iterator[Place]:
        name = self._name(top)
        if self._peek() == ":":
            self._next += 1
        if self._peek() == "[":
            self._next += 1
            stack.append(name)
        else:
            yield self._value(name, stack)

    def _item(self, name: _Name, stack: list[_Open | _Name]) -> Iterator[Place]:
        """The next item of a list in brackets, or its end."""
        if self._peek() == "]":
            self._next += 1
            stack.pop()
        elif self._peek() == ",":
            self._next += 1
        else:
            # The first item is where the name is, as it would be without brackets.
            yield self._value(name, stack)
            name.offset = None

    def _name(self, top: _Open) -> _Name:
        token = self._take()
        text = token.text
        while text.startswith("[") and not text.endswith("]") and self._next < len(self._tokens):
            text += self._take().text  # the name of an extension
        known = top.type.fields_by_name.get(text) if top.type else None
        return _Name(text, top, known, token.offset)

    def _value(self, name: _Name, stack: list[_Open | _Name]) -> Place:
        token = self._take()
        place = self._place(name, token.offset if name.offset is None else name.offset)
        if token.text in _CLOSED_BY and token.kind == "mark":
            stack.append(self._open(place, _CLOSED_BY[token.text]))
        while token.kind == "text" and self._next < len(self._tokens) and self._tokens[self._next].kind == "text":
            self._next += 1  # strings beside each other are one value
        return place

    def _open(self, place: Place, closer: str) -> _Open:
        """The message at `place`: if it is not the first one there, its lists go on where the first one's ended."""
        known = place.field.message_type if place.field else None
        before = self._opened.get(place.path)
        opened = _Open(path=place.path, type=known, closer=closer, items=before.items if before else Counter())
        self._opened[place.path] = opened
        return opened

    def _place(self, name: _Name, offset: int) -> Place:
        path = f"{name.holder.path}.{name.text}".removeprefix(".")
        if name.field is not None and is_list(name.field):
            index = name.holder.items[name.text]
            name.holder.items[name.text] += 1
            path = f"{path}[{index}]"
        self._line += self._text.count("\n", self._counted, offset)
        self._counted = offset
        return Place(
            path=path, line=self._line, offset=offset, holder=name.holder.path, owner=name.holder.type, field=name.field
        )

    def _peek(self) -> str:
        return self._tokens[self._next].text if self._next < len(self._tokens) else ""

    def _take(self) -> _Token:
        if self._next >= len(self._tokens):
            return _Token("end", "", len(self._text))
        self._next += 1
        return self._tokens[self._next - 1]


@dataclass(slots=True)
class _Name:
    """A field whose value follows.

    Attributes:
      text: its name.
      holder: the message that has it.
      field: None where there is no such field.
      offset: of the name; None from the second item of a list in brackets on, which have places of their own.
    """

    text: str
    holder: _Open
    field: FieldDescriptor | None
    offset: int | None
