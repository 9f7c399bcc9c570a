"""A whole pipeline.config: reading, printing, and which architecture its model has."""

from __future__ import annotations

from pathlib import Path

from pipeline_configs.text import text_proto
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError

ARCHITECTURES = ("ssd", "faster_rcnn", "center_net")


def read(path: Path) -> Config:
    """The config in the file `path`.

    Raises:
      ConfigError: the file is missing, or the engine could not load it either.
      MissingPackageError: the engine's messages are not installed.
    """
    return parse(text(path), path=path)


def text(path: Path) -> str:
    """The content of the file `path`.

    Raises:
      ConfigError: the file is missing, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError("there is no such file. Check the path.", path=path) from error
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror}), expected a pipeline.config.", path=path) from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 text, expected a pipeline.config.", path=path) from error


def parse(content: str, *, path: Path | str | None = None) -> Config:
    """The config that `content` holds; `path` says in errors where it came from.

    Raises:
      ConfigError: the engine could not load the text either.
      MissingPackageError: the engine's messages are not installed.
    """
    config = text_proto.empty_config()
    text_proto.merge(content, config, path=path)
    return config


def dump(config: Config) -> str:
    """The text of `config`, the same for equal configs."""
    return text_proto.to_text(config)


def architecture(config: Config) -> str:
    """Which of `ARCHITECTURES` the config's model is.

    Raises:
      ConfigError: the config has no model, or one of another kind.
    """
    found = config.model.WhichOneof("model")
    if found not in ARCHITECTURES:
        raise ConfigError(f"model holds {found or 'nothing'}, expected one of {', '.join(ARCHITECTURES)}.")
    return str(found)
