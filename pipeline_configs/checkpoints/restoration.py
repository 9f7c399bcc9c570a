"""Which weights of a model come from a checkpoint: the engine builds the model in a child process and answers."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline_configs import extension
from pipeline_configs.checkpoints.checkpoint import Shape
from pipeline_configs.extractors import Style
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config

_MOST_GROUPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """What the checkpoint gives for the weights that the engine looks for.

    Attributes:
      restored: names of weights that the checkpoint has in the model's shape.
      missing: names of weights that the checkpoint does not have.
      other_shape: names of weights that the checkpoint has in another shape; with its shape and the model's.
      others: how many weights of the model the engine does not look for; they start from random values.
    """

    restored: tuple[str, ...]
    missing: tuple[str, ...]
    other_shape: Mapping[str, tuple[Shape, Shape]]
    others: int

    @property
    def wanted(self) -> int:
        """How many weights the engine looks for."""
        return len(self.restored) + len(self.missing) + len(self.other_shape)

    @property
    def share(self) -> float:
        """The share of them that is restored, from 0 to 1; 0 if the engine looks for none."""
        return len(self.restored) / max(1, self.wanted)

    def lines(self) -> Iterator[str]:
        """The text for people: the counts, and the weights that are not restored, in groups of similar names."""
        yield f"The engine would restore {len(self.restored)} of the {self.wanted} weights that it looks for."
        if self.others:
            yield f"Other weights of the model, which start from random values: {self.others}."
        for name, count in _groups(self.missing):
            yield f"  not in the checkpoint: {name} ({_weights(count)})"
        for name, count in _groups(self.other_shape):
            theirs, ours = next(shapes for one, shapes in self.other_shape.items() if f"{one}/".startswith(f"{name}/"))
            example = f"for example {list(theirs)} in the checkpoint and {list(ours)} in the model"
            yield f"  in another shape: {name} ({_weights(count)}), {example}"


def _weights(count: int) -> str:
    return f"{count} weight{'' if count == 1 else 's'}"


def _groups(names: Iterable[str]) -> list[tuple[str, int]]:
    """Common beginnings of the names, as long as possible with at most eight of them, and how many names have each."""
    parts = [name.split("/") for name in names]
    found = Counter[str]()
    for depth in range(1, max(map(len, parts), default=0) + 1):
        longer = Counter("/".join(one[:depth]) for one in parts)
        if found and len(longer) > _MOST_GROUPS:
            break
        found = longer
    return list(found.items())


def ask(config: Config, prefix: str, style: Style, own: str | None) -> Restoration:
    """Lets the engine build the model of `config` and compare it with a checkpoint.

    Args:
      config: the pipeline.config; it is not changed.
      prefix: the checkpoint; it takes the place of the config's own.
      style: the style of the config.
      own: the user's file or module with the feature extractor; None if the extractor is not the user's own.

    Raises:
      EngineError: the engine cannot build the model, or load anything into it.
    """
    from tfod_tools.base import engine_process  # only needed here; most checks do not ask the engine

    copy = type(config)()
    copy.CopyFrom(config)
    copy.train_config.fine_tune_checkpoint = str(Path(prefix).absolute())
    folder = Path(tempfile.mkdtemp(prefix="tfod-restoration-"))
    file = folder / "pipeline.config"
    file.write_text(schema.dump(copy), encoding="utf-8")
    words = ["tfod_tools.engine.restoration", f"--style={style}", f"--config={file}", *extension.flags(own)]
    result = engine_process.run(words, log=folder / "engine.log")
    shutil.rmtree(folder)  # after a failure the folder stays, because it holds the engine's log
    return Restoration(
        restored=tuple(result["restored"]),
        missing=tuple(result["missing"]),
        other_shape={name: (tuple(theirs), tuple(ours)) for name, (theirs, ours) in result["other_shape"].items()},
        others=result["others"],
    )
