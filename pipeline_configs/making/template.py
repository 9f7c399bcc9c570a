"""The configs to start from: one text proto a file, with what a data set decides left out.

A template begins with comments. The first line is its description in one sentence; lines `# key: value` with the keys
of `_KEYS` say what can be told of it without reading the config, which takes much longer. Tests hold them to the config
and to the zoo.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base import plugins
from tfod_tools.base.errors import UsageError

FOLDER = Path(__file__).parents[1] / "templates"

_KEYS = ("style", "architecture", "input", "published", "zoo", "zoo data", "zoo mAP", "zoo speed")
_LINE = re.compile(f"# ({'|'.join(_KEYS)}): (.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What is known of a template without reading its config.

    Attributes:
      name: the template's name.
      description: what it is, in one sentence.
      style: "tf1" or "tf2".
      architecture: as people call it, such as "Mask R-CNN".
      input_size: pixels that the model sees: `height`x`width` where all images get that size, `min`-`max` where the
        sides of an image are kept in proportion between these two.
      published: file of tensorflow/models below `research/object_detection` with the values of the template; "" where
        the values are ours.
      checkpoint: archive of the detection zoo with weights for it, below the zoo's address and without ".tar.gz"; ""
        where there is none.
      zoo_data: the data set that those weights were trained on, which is also that of the two figures.
      zoo_map: the zoo's mAP of boxes, in percent: of COCO, or at an IoU of 0.5 for other data; None where it has none.
      zoo_speed_ms: the zoo's time for an image, on hardware that differs between its tables; None where it has none.
    """

    name: str
    description: str
    style: str
    architecture: str
    input_size: str
    published: str
    checkpoint: str
    zoo_data: str
    zoo_map: float | None
    zoo_speed_ms: float | None


@functools.cache
def names() -> tuple[str, ...]:
    """The names of all templates, sorted."""
    return plugins.names(FOLDER, ".config")


def listing() -> Sequence[Listed]:
    """All templates, sorted by name; quick, since no config is read."""
    return tuple(_listed(FOLDER / f"{name}.config") for name in names())


def listed(name: str) -> Listed:
    """What the comments at the beginning of the template `name` say.

    Raises:
      UsageError: there is no such template.
    """
    return _listed(_path(name))


def _listed(path: Path) -> Listed:
    with path.open(encoding="utf-8") as lines:
        first, *others = itertools.takewhile(lambda line: line.startswith("#"), lines)
    said = {match[1]: match[2] for line in others if (match := _LINE.fullmatch(line.rstrip("\n")))}
    return Listed(
        name=path.stem,
        description=first.removeprefix("#").strip(),
        style=said["style"],
        architecture=said["architecture"],
        input_size=said["input"],
        published=said.get("published", ""),
        checkpoint=said.get("zoo", ""),
        zoo_data=said.get("zoo data", ""),
        zoo_map=float(said["zoo mAP"]) if "zoo mAP" in said else None,
        zoo_speed_ms=float(said["zoo speed"].removesuffix(" ms")) if "zoo speed" in said else None,
    )


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
    return listed(name).description


def _path(name: str) -> Path:
    if name not in names():
        raise UsageError(f"no template is called '{name}'. {plugins.suggestion(name, names())}")
    return FOLDER / f"{name}.config"
