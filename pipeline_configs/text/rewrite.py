"""Changes a few fields in the text of a config. The rest stays as its author wrote it, with comments and layout."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline_configs.patches.difference import subsequence
from pipeline_configs.patches.field_path import is_list, is_map, is_message
from pipeline_configs.text import positions, schema, text_proto
from pipeline_configs.text.positions import Place
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError, OutputError

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor

_SEPARATOR = re.compile(r"\s*[,;]|[ \t]*")
_INDENT = "  "


def content(source: Path, text: str, config: Config, output: Path) -> str:
    """What to write to `output` for `config`: `text` with the fewest changes, or a newly printed config.

    Args:
      source: the file that holds `text`.
      text: a config that the engine can read.
      config: what the new file means.
      output: the file to write.

    Raises:
      OutputError: as `printed`.
    """
    kept = rewritten(text, config)
    return printed(source, config, output) if kept is None else kept


def printed(source: Path | None, config: Config, output: Path) -> str:
    """The text of `config`, printed anew because the text in `source` cannot be changed in place.

    Args:
      source: the file that the config was made from; None where it is a template.
      config: the config.
      output: the file to write.

    Raises:
      OutputError: `output` is the file `source`, so its comments would be lost.
    """
    if source and output.exists() and output.samefile(source):
        message = (
            "cannot be changed in place: its layout is unusual, and its comments would be lost. Write to another file."
        )
        raise OutputError(message, path=source)
    return schema.dump(config)


def rewritten(text: str, target: Config) -> str | None:
    """`text` with the fewest changes that make it mean `target`.

    Args:
      text: a config that the engine can read.
      target: what the new text means.

    Returns:
      The new text; None where the layout of the old one is so unusual that it must be printed anew.
    """
    before = schema.parse(text)
    rewriter = _Rewriter(text, positions.read(text, before.DESCRIPTOR))
    changed = _applied(text, list(rewriter.message(before, target, "")))
    try:
        return changed if changed is not None and schema.parse(changed) == target else None
    except ConfigError:
        return None


@dataclass(frozen=True, slots=True, order=True)
class _Change:
    """The characters from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


def _applied(text: str, changes: list[_Change]) -> str | None:
    """The text with the changes made; None where two overlap."""
    parts, at = [], 0
    for change in sorted(set(changes)):
        if change.start < at:
            return None
        parts += [text[at : change.start], change.text]
        at = change.end
    return "".join([*parts, text[at:]])


class _Rewriter:
    """Compares what a text means with what it should mean, and finds what to change in it."""

    def __init__(self, text: str, places: Sequence[Place]) -> None:
        self._text = text
        self._places: dict[str, list[Place]] = {}
        for place in places:
            self._places.setdefault(place.path, []).append(place)

    def message(self, old: Any, new: Any, path: str) -> Iterator[_Change]:
        """The changes that turn the message at `path`, which means `old`, into `new`."""
        for field in new.DESCRIPTOR.fields:
            at = f"{path}.{field.name}".removeprefix(".")
            if is_map(field):
                yield from self._map(field, old, new, path, at)
            elif is_list(field):
                yield from self._list(field, old, new, path, at)
            elif old.HasField(field.name) and new.HasField(field.name):
                before, after = getattr(old, field.name), getattr(new, field.name)
                if is_message(field):
                    yield from self.message(before, after, at)
                elif _items([before], field) != _items([after], field):
                    place = self._places[at][-1]
                    yield _Change(place.value, place.end, *_items([after], field))
            elif old.HasField(field.name):
                yield from (self._without(place.statement) for place in self._places[at])
            elif new.HasField(field.name):
                yield self._inserted(_alone(new, field), path)

    def _map(self, field: FieldDescriptor, old: Any, new: Any, path: str, at: str) -> Iterator[_Change]:
        if dict(getattr(old, field.name)) == dict(getattr(new, field.name)):
            return
        entries = [
            places[-1] for name, places in self._places.items() if re.fullmatch(rf"{re.escape(at)}\[\d+\]", name)
        ]
        yield from (self._without(place.statement) for place in entries)
        if getattr(new, field.name):
            yield self._inserted(_alone(new, field), path)

    def _list(self, field: FieldDescriptor, old: Any, new: Any, path: str, at: str) -> Iterator[_Change]:
        before, after = _items(getattr(old, field.name), field), _items(getattr(new, field.name), field)
        if before == after:
            return
        places = [self._places[f"{at}[{index}]"][-1] for index in range(len(before))]
        statements = sorted({place.statement for place in places})
        one_each = len(statements) == len(places)
        if len(before) == len(after):
            for index, (one, other, place) in enumerate(zip(before, after, places, strict=True)):
                if isinstance(other, str):
                    yield from [_Change(place.value, place.end, other)] if one != other else []
                else:
                    yield from self.message(one, other, f"{at}[{index}]")
        elif after and len(statements) == 1 and not is_message(field):
            yield _Change(*statements[0], f"{field.name}: [{', '.join(after)}]")
        elif one_each and (kept := subsequence(after, before)) is not None:
            yield from (self._without(place.statement) for i, place in enumerate(places) if i not in kept)
        elif one_each and after[: len(before)] == before:
            rest = type(new)()
            getattr(rest, field.name).extend(getattr(new, field.name)[len(before) :])
            yield self._inserted(rest, path)
        else:
            yield from map(self._without, statements)
            if after:
                yield self._inserted(_alone(new, field), path)

    def _without(self, statement: tuple[int, int]) -> _Change:
        """The change that removes a statement, and its line where nothing else is on it."""
        start, end = statement
        end = _end_of(_SEPARATOR, self._text, end)
        line = self._text.rfind("\n", 0, start) + 1
        after = _end_of(re.compile(r"[ \t\r]*\n"), self._text, end)
        alone = not self._text[line:start].strip() and after > end
        return _Change(line, after, "") if alone else _Change(start, end, "")

    def _inserted(self, message: Any, path: str) -> _Change:
        """The change that adds the fields of `message` at the end of the message at `path`."""
        # Not splitlines, which splits at characters that a text may hold.
        lines = text_proto.to_text(message).removesuffix("\n").split("\n")
        if not path:
            gap = "" if not self._text or self._text.endswith("\n") else "\n"
            return _Change(len(self._text), len(self._text), gap + "".join(f"{line}\n" for line in lines))
        closing = self._places[path][-1].end - 1
        line = self._text.rfind("\n", 0, closing) + 1
        indent = self._text[line:closing]
        if not indent.strip():
            return _Change(line, line, "".join(f"{indent}{_INDENT}{added}\n" for added in lines))
        gap = "" if self._text[closing - 1].isspace() else " "
        return _Change(closing, closing, f"{gap}{' '.join(added.strip() for added in lines)} ")


def _items(values: Any, field: FieldDescriptor) -> list[Any]:
    """The values of a field as they are compared: messages, or texts. Texts differ for -0.0 and 0.0, as in protobuf."""
    return list(values) if is_message(field) else [text_proto.value_to_text(value, field) for value in values]


def _alone(message: Any, field: FieldDescriptor) -> Any:
    """A copy of `message` in which only `field` is set."""
    copy = type(message)()
    copy.CopyFrom(message)
    for other, _ in copy.ListFields():
        if other.name != field.name:
            copy.ClearField(other.name)
    return copy


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start
