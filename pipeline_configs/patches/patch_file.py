"""A patch in a YAML file: field paths and values, one below the other or inside one another.

    model.ssd.num_classes: 2
    model..l2_regularizer.weight: 7e-5
    train_config:
      num_steps: 5000
      gradient_clipping_by_norm:            # no value: left unset
      data_augmentation_options+:           # one more; with - in place of + one less
        random_adjust_hue: {}
      optimizer: "{adam_optimizer {}}"      # text as --set takes it replaces all of a message

Numbers and names reach the field as they are written, whatever YAML would make of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline_configs.patches import patch
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text import schema
from tfod_tools.base.errors import ConfigError

if TYPE_CHECKING:
    import yaml

_NULL = "tag:yaml.org,2002:null"
# What a text proto has without quotes: a number, or the name of an enum's value.
_BARE = re.compile(r"[A-Za-z_]\w*|[-+]?\.?\d[\w.+-]*")


def read(path: Path) -> ConfigPatch:
    """The patch in the file `path`, in the order of its lines.

    Raises:
      ConfigError: the file is missing, is no YAML, or holds something else than fields and values.
    """
    return parse(schema.text(path, "a YAML file"), file=str(path))


def parse(content: str, *, file: str) -> ConfigPatch:
    """The patch in `content`; `file` says in errors where it came from.

    Raises:
      ConfigError: `content` is no YAML, or holds something else than fields and values.
    """
    import yaml

    try:
        # An alias may hold itself, or unfold to more than fits into memory.
        alias = next((token for token in yaml.scan(content) if isinstance(token, yaml.AliasToken)), None)
        root = None if alias else yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise ConfigError(f"is not YAML: {error.problem or error.context}.", path=file, line=line) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError("is not YAML, expected field paths and values.", path=file) from error
    if alias is not None:
        line = alias.start_mark.line + 1
        raise ConfigError(f"has the alias *{alias.value}, expected the value itself.", path=file, line=line)
    if root is None or root.tag == _NULL:
        return ConfigPatch()
    return ConfigPatch(edits=tuple(_edits(root, "", file)))


def _edits(node: yaml.Node, prefix: str, file: str) -> Iterator[Edit]:
    line = node.start_mark.line + 1
    if node.id != "mapping":
        raise ConfigError("holds no fields, expected lines such as model.ssd.num_classes: 2.", path=file, line=line)
    for key, value in node.value:
        line = key.start_mark.line + 1
        if key.id != "scalar":
            raise ConfigError("has a list or a map in place of a field path.", path=file, line=line)
        name = f"{prefix}{key.value.strip()}"
        if value.id == "mapping" and value.value and name[-1:] not in "+-":
            yield from _edits(value, f"{name}.", file)
        else:
            yield patch.named(name, _text(value), file=file, line=line)


def _text(node: yaml.Node) -> str | None:
    """The value as `--set` takes it; None where there is none."""
    if node.id != "scalar":
        return _nested(node)
    return None if node.tag == _NULL and not node.style else str(node.value)


def _nested(node: yaml.Node) -> str:
    """The value as it is inside a list or a message of a text proto."""
    if node.id == "sequence":
        return f"[{', '.join(map(_nested, node.value))}]"
    if node.id == "mapping":
        return f"{{{' '.join(f'{key.value}: {_nested(value)}' for key, value in node.value)}}}"
    bare = not node.style and _BARE.fullmatch(node.value)
    return str(node.value) if bare else json.dumps(node.value, ensure_ascii=False)
