"""A whole pipeline.config: how to read it, print it, and find the architecture of its model."""

from __future__ import annotations

from pathlib import Path

from pipeline_configs.text import text_proto
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError

ARCHITECTURES = ("ssd", "faster_rcnn", "center_net")


def read(path: Path) -> Config:
    """The config in the file `path`.

    Raises:
      ConfigError: as `text` and `parse`.
      MissingPackageError: the engine's messages are not installed.
    """
    return parse(text(path), path=path)


def text(path: Path, kind: str = "a pipeline.config") -> str:
    """The content of the text file `path`.

    Args:
      path: the file.
      kind: what the file should be, for messages: "a pipeline.config", "a YAML file".

    Raises:
      ConfigError: the file is missing, cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError("there is no such file. Check the path.", path=path) from error
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror}). Name {kind}.", path=path) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"is not UTF-8 text. Name {kind}, saved as UTF-8.", path=path) from error


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
        problem = f"model.{found} is not an architecture that is known here" if found else "the config has no model"
        raise ConfigError(f"{problem}. Use one of {', '.join(ARCHITECTURES)}.")
    return str(found)
