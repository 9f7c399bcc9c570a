"""What is told of the template that a config is most like, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline_configs.checking.nearest import Resemblance
from pipeline_configs.making import zoo
from pipeline_configs.text.text_proto import Config

LineOf = Callable[[str], int]


def lines(like: Resemblance, config: Config, file: str, line_of: LineOf) -> list[str]:
    """A line that counts the fields, one for each that decides the result, and one for all the others.

    Args:
      like: the template, and where the config differs.
      config: the config.
      file: where it was read.
      line_of: the line of a field there.
    """
    count = len(like.changes) + len(like.lesser)
    differ = "1 field differs" if count == 1 else f"{count} fields differ"
    found = [f"{differ} from template {like.template}{':' if count else '.'}"]
    found += [f"  {file}:{line_of(change.path)}: {change}" for change in like.changes]
    if like.lesser:
        others = "; ".join(f"{change} (line {line_of(change.path)})" for change in like.lesser)
        also = "and " if like.changes else ""
        found.append(f"  {file}: {also}{len(like.lesser)} that the data decides or the engine ignores: {others}")
    weights = zoo.checkpoint(like.template)
    if weights and not config.train_config.fine_tune_checkpoint:
        found.append(f"It starts from none of the weights that were published for the template: {weights.name}.")
    return found


def as_json(like: Resemblance, line_of: LineOf) -> dict[str, Any]:
    """The fields of `like` by name; of each change its path and line, the old value and the new one."""
    lists = {"changes": like.changes, "lesser": like.lesser}
    shown = {
        name: [{"path": one.path, "line": line_of(one.path), "old": one.old, "new": one.new} for one in changes]
        for name, changes in lists.items()
    }
    return {"template": like.template, **shown}
