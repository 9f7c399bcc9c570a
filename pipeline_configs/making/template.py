"""The configs to start from. Each one is a file with a text proto, without what the records decide.

A template begins with comments. The first line describes it in one sentence. Lines `# key: value` with the keys of
`_KEYS` give its main facts, because reading the config itself takes much longer. Tests compare them with the config and
with the model zoo.
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
    """The main facts of a template, from its comments.

    Attributes:
      name: the template's name.
      description: what it is, in one sentence.
      style: "tf1" or "tf2".
      architecture: the usual name, such as "Mask R-CNN".
      input_size: the size of the input in pixels: `height`x`width` if all images get this size, `min`-`max` if the
        sides of an image keep their proportion between these two.
      published: the file of tensorflow/models below `research/object_detection` with the values of the template; "" if
        the values are our own.
      checkpoint: the archive of the model zoo with weights, below the zoo's address and without ".tar.gz"; "" if there
        is none.
      zoo_data: the data set of those weights and of the two figures.
      zoo_map: the zoo's mAP of boxes, in percent; at an IoU of 0.5 if the data is not COCO; None if there is none.
      zoo_speed_ms: the zoo's time for one image; None if there is none. The hardware differs between the zoo's tables.
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
    """All templates, sorted by name. This is quick, because it reads no config."""
    return tuple(_listed(FOLDER / f"{name}.config") for name in names())


def listed(name: str) -> Listed:
    """The main facts of the template `name`.

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
    """The text of the template `name`.

    Raises:
      UsageError: there is no such template.
    """
    return _path(name).read_text(encoding="utf-8")


def _path(name: str) -> Path:
    if name not in names():
        raise UsageError(f"no template is called '{name}'. {plugins.suggestion(name, names())}")
    return FOLDER / f"{name}.config"
