"""The label map that an input reader names, as the engine reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline_configs import inputs
from pipeline_configs.text import schema, text_proto


def read(path: str) -> list[Any] | None:
    """The items of the label map `path`; None where there is no such file on this machine.

    Raises:
      ConfigError: the file is not the text of a label map.
    """
    if not inputs.matching(path, literally=True):
        return None
    label_map = text_proto.empty_label_map()
    text_proto.merge(schema.text(Path(path), "a label map"), label_map, path=path)
    return list(label_map.item)
