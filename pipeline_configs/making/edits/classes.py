"""Sets the number of classes."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline_configs.patches.patch import Edit
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import UsageError

HELP = "Number of classes, if it is not that of the records: 2."


def edits(text: str, config: Config) -> Iterator[Edit]:
    """Sets num_classes of the architecture."""
    if not text.isdecimal() or not text.isascii() or not int(text[:9]):
        raise UsageError(f"--classes is '{text}'. Give a whole number, 1 or more.")
    yield Edit(path=f"model.{schema.architecture(config)}.num_classes", value=text)
