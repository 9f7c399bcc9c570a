"""The configs to start from: one text proto a file, with what a data set decides left out.

The first line of a template is a comment, its description in one sentence.
"""

from __future__ import annotations

from pathlib import Path

from pipeline_configs import schema
from pipeline_configs.text_proto import Config
from tfod_tools.base import plugins
from tfod_tools.base.errors import UsageError

FOLDER = Path(__file__).parent / "templates"


def names() -> tuple[str, ...]:
    """The names of all templates, sorted."""
    return plugins.names(FOLDER, ".config")


def read(name: str) -> Config:
    """The config of the template `name`.

    Raises:
      UsageError: there is no such template.
    """
    return schema.read(_path(name))


def text(name: str) -> str:
    """The file of the template `name`.

    Raises:
      UsageError: there is no such template.
    """
    return _path(name).read_text(encoding="utf-8")


def description(name: str) -> str:
    """What the template `name` is, in one sentence.

    Raises:
      UsageError: there is no such template.
    """
    first_line = text(name).splitlines()[0]
    return first_line.removeprefix("#").strip()


def _path(name: str) -> Path:
    if name not in names():
        raise UsageError(f"no template is called '{name}'. {plugins.suggestion(name, names())}")
    return FOLDER / f"{name}.config"
