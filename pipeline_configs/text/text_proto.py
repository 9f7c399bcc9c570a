"""Reads and prints text protos of the engine's messages, by the engine's rules and with errors that help.

This is the only module that imports protobuf and the engine's `protos`. It does so only when a function is called: the
engine is an extra, and `--help` of a command must not load it.
"""

from __future__ import annotations

import importlib.util
import io
import re
from typing import TYPE_CHECKING, Any, NoReturn

from tfod_tools.base import plugins
from tfod_tools.base.errors import ConfigError, MissingPackageError

if TYPE_CHECKING:
    from pathlib import Path

    from google.protobuf.descriptor import FieldDescriptor
    from google.protobuf.message import Message

# A `TrainEvalPipelineConfig`. protobuf generates its message classes without types.
Config = Any

_UNKNOWN_FIELD = re.compile(r'Message type "(?P<type>[^"]+)" has no field named "(?P<name>[^"]*)"')
_UNKNOWN_VALUE = re.compile(r'Enum type "(?P<type>[^"]+)" has no value named (?P<name>\w+)')
# protobuf's messages start with line and column, and often repeat the whole line of text.
_PREFIX = re.compile(r"^\d+:\d+ : ('.*': )?", re.DOTALL)


def empty_config() -> Config:
    """A config in which nothing is set.

    Raises:
      MissingPackageError: the engine's messages are not installed.
      ConfigError: another folder with the engine's name hides them.
    """
    return _protos()[0].TrainEvalPipelineConfig()


def empty_label_map() -> Any:
    """A label map without items. Raises what `empty_config` raises."""
    return _protos()[1].StringIntLabelMap()


def _protos() -> tuple[Any, Any]:
    """The engine's compiled protos of configs and of label maps."""
    from tfod_tools.base import engine_source

    engine_source.activate()
    try:
        from object_detection.protos import pipeline_pb2, string_int_label_map_pb2
    except ImportError as error:
        hidden_by = importlib.util.find_spec("object_detection")
        if hidden_by is None:
            raise MissingPackageError("tf-object-detection-api", "train") from error
        folder = next(iter(hidden_by.submodule_search_locations or ()), hidden_by.origin)
        message = "has the engine's name, so Python imports it instead of the engine. Run from another folder."
        raise ConfigError(message, path=folder) from error
    return pipeline_pb2, string_int_label_map_pb2


def merge(text: str, message: Message, *, path: Path | str | None = None, unknown_fields: bool = False) -> None:
    """Reads `text` into `message` as the engine does. Of two values for one field, the later one counts.

    Args:
      text: fields of the message's type.
      message: it gets the fields of `text` in addition to its own.
      path: the file with the text, for errors.
      unknown_fields: whether to skip fields that do not exist. The engine stops at the first one.

    Raises:
      ConfigError: the text is not valid, and the engine could not read it either.
    """
    from google.protobuf import text_format

    try:
        text_format.Merge(text, message, allow_unknown_field=unknown_fields)
    except text_format.ParseError as error:
        _raise_config_error(error, path)
    except RecursionError as error:
        raise ConfigError("has too many messages inside one another. It is not a config.", path=path) from error


def parse_values(text: str, field: FieldDescriptor) -> Message:
    """A message of the type that has `field`, with only `field` set.

    Args:
      text: one or more `name: value`; nothing for an empty list.
      field: the only field that `text` may name.

    Raises:
      ConfigError: `text` holds something other than values of `field`.
    """
    from google.protobuf import message_factory, text_format

    message: Message = message_factory.GetMessageClass(field.containing_type)()
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        _raise_config_error(error, None)
    except (RecursionError, UnicodeEncodeError) as error:
        raise ConfigError("has too many messages inside one another, or a broken character.") from error
    if any(found.name != field.name for found, _ in message.ListFields()):
        raise ConfigError(f"has more than a value of {field.name}.")
    return message


def to_text(message: Message) -> str:
    """The text of the message: one field a line, in the order of the schema. Equal messages give equal text."""
    from google.protobuf import text_format

    return str(text_format.MessageToString(message, as_utf8=True))


def value_to_text(value: object, field: FieldDescriptor) -> str:
    """One value of `field` on one line, as a config has it: `0.004`, `"a/b"`, `SIGMOID`, `{ ssd { } }`."""
    from google.protobuf import text_format

    out = io.StringIO()
    text_format.PrintFieldValue(field, value, out, as_one_line=True, as_utf8=True)
    return out.getvalue().strip()


def _raise_config_error(error: Any, path: Path | str | None) -> NoReturn:
    message = f"{_explain(_PREFIX.sub('', str(error)))} (column {error.GetColumn()})."
    raise ConfigError(message, path=path, line=error.GetLine()) from error


def _explain(problem: str) -> str:
    from google.protobuf import descriptor_pool

    pool = descriptor_pool.Default()
    if match := _UNKNOWN_FIELD.search(problem):
        known = pool.FindMessageTypeByName(match["type"])
        return f"{known.name} has no field '{match['name']}'. {plugins.suggestion(match['name'], known.fields_by_name)}"
    if match := _UNKNOWN_VALUE.search(problem):
        known = pool.FindEnumTypeByName(match["type"])
        return f"{known.name} has no value '{match['name']}'. {plugins.suggestion(match['name'], known.values_by_name)}"
    return problem.rstrip(".")
