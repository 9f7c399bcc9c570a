"""How many classes the model tells apart."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline_configs.patches.patch import Edit
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import UsageError

HELP = "Number of classes, where it is not that of --records: 2."


def edits(text: str, config: Config) -> Iterator[Edit]:
    """Sets num_classes, wherever the architecture has it."""
    if not text.isdecimal() or not text.isascii() or not int(text[:9]):
        raise UsageError(f"--classes is '{text}', expected a number from 1 on.")
    yield Edit(path=f"model.{schema.architecture(config)}.num_classes", value=text)
