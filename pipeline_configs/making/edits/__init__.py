"""Named edits: flags of make_config that stand for several edits by field path. Each file is one flag of its name.

A file has `HELP`, the flag's line of help, and `edits(text, config)`, which returns the edits of `config` that the
flag's value `text` stands for. It raises a UsageError if the architecture has no such thing, or if `text` is wrong.
"""

from __future__ import annotations

from pathlib import Path

from pipeline_configs.patches.patch import Edit
from pipeline_configs.text.text_proto import Config
from tfod_tools.base import plugins

FOLDER = Path(__file__).parent


def names() -> tuple[str, ...]:
    """The names of all named edits, sorted."""
    return plugins.names(FOLDER)


def help_of(name: str) -> str:
    """The line of help of the edit `name`."""
    text: str = plugins.load(__name__, FOLDER, name, "named edit").HELP
    return text


def edits(name: str, text: str, config: Config) -> tuple[Edit, ...]:
    """The edits of `config` that `--name=text` stands for.

    Raises:
      UsageError: they have no meaning for its architecture, or `text` cannot be read.
      ConfigError: the config has no model that the engine knows.
    """
    found: tuple[Edit, ...] = tuple(plugins.load(__name__, FOLDER, name, "named edit").edits(text, config))
    return found
