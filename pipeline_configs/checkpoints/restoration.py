"""Which weights of a model would come from a checkpoint: the engine, in a child process, builds the model and says."""

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
    """What becomes of the weights that the engine looks for.

    Attributes:
      restored: names of weights that the checkpoint has, in the shape that the model gives them.
      missing: those that it does not have.
      other_shape: those that it has in another shape: the checkpoint's, and the model's.
      others: how many weights of the model are not looked for: they start from random values.
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
        """The part of them that is restored; 0 where it looks for none."""
        return len(self.restored) / max(1, self.wanted)

    def lines(self) -> Iterator[str]:
        """What is told of it: counts, and what is not restored, in groups of like names."""
        others = f"; it does not look for {self.others} more of the model" if self.others else ""
        yield f"{len(self.restored)} of the {self.wanted} weights that the engine looks for would be restored{others}."
        for name, count in groups(self.missing):
            yield f"  not in the checkpoint: {count} {name}"
        for name, count in groups(self.other_shape):
            theirs, ours = next(shapes for one, shapes in self.other_shape.items() if f"{one}/".startswith(f"{name}/"))
            yield f"  of another shape: {count} {name}, such as {list(theirs)} that is {list(ours)} in the model"


def groups(names: Iterable[str]) -> list[tuple[str, int]]:
    """Common beginnings of names, as long as there are at most eight of them, and how many names have each."""
    parts = [name.split("/") for name in names]
    found = Counter[str]()
    for depth in range(1, max(map(len, parts), default=0) + 1):
        longer = Counter("/".join(one[:depth]) for one in parts)
        if found and len(longer) > _MOST_GROUPS:
            break
        found = longer
    return list(found.items())


def ask(config: Config, prefix: str, style: Style, own: str | None) -> Restoration:
    """Has the engine build the model of `config`, and compare it with the checkpoint `prefix`.

    Args:
      config: the pipeline.config; it is not changed.
      prefix: of the checkpoint, in place of the config's own.
      style: of the config.
      own: file or module that brings the config's feature extractor; None if it is not the user's own.

    Raises:
      EngineError: the engine cannot build the model, or load anything into it.
    """
    from tfod_tools.base import engine_process  # a config is mostly checked without

    copy = type(config)()
    copy.CopyFrom(config)
    copy.train_config.fine_tune_checkpoint = str(Path(prefix).absolute())
    folder = Path(tempfile.mkdtemp(prefix="tfod-restoration-"))
    file = folder / "pipeline.config"
    file.write_text(schema.dump(copy), encoding="utf-8")
    words = ["tfod_tools.engine.restoration", f"--style={style}", f"--config={file}", *extension.flags(own)]
    result = engine_process.run(words, log=folder / "engine.log")
    shutil.rmtree(folder)  # stays where the engine failed: its log is there
    return Restoration(
        restored=tuple(result["restored"]),
        missing=tuple(result["missing"]),
        other_shape={name: (tuple(theirs), tuple(ours)) for name, (theirs, ours) in result["other_shape"].items()},
        others=result["others"],
    )
