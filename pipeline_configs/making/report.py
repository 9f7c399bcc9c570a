"""What `make_config` says: lines for people, and the same content for programs."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline_configs import extension
from pipeline_configs.making import template
from pipeline_configs.making.make import MadeConfig, Step
from pipeline_configs.patches.patch import Edit
from pipeline_configs.schedules import run, summary
from pipeline_configs.schedules.run import Run

_NOTE = """\
mAP (of boxes, in percent) and ms (for one image) are the model zoo's figures for its weights; --checkpoint=auto uses
these weights. mAP is at an IoU of 0.5 where the data is not COCO. The times are from different machines.
docs/templates.md says more about each template."""


def lines(made: MadeConfig, start: str, images: int | None) -> list[str]:
    """What the flags stand for, what changes, and how the run goes.

    Args:
      made: the config.
      start: the template or the file that it was made from.
      images: how many images there are to train on; None if that is not known.
    """
    return [
        *(line for step in made.steps for line in _step(step)),
        f"Changed from {start}:" if made.changes else f"Nothing changes in {start}.",
        *(f"  {change}" for change in made.changes),
        f"Trains in {made.style.upper()} style.",
        *summary.lines(made.config, images),
    ]


def document(made: MadeConfig, start: str, images: int | None) -> dict[str, Any]:
    """The same for programs; docs/make_config.md describes the keys."""
    return {
        "start": start,
        "style": made.style,
        "steps": [
            {"flags": step.flags, "edits": [_edit(edit) for edit in step.edits], "reason": step.reason}
            for step in made.steps
            if step.edits
        ],
        "changes": [dataclasses.asdict(change) for change in made.changes],
        "run": summary.document(made.config, images),
    }


def next_words(made: MadeConfig, asked: Run, images: int | None, path: Path, own: str | None) -> list[str]:
    """The words after `tfod train` that train with the new config.

    Args:
      made: the config.
      asked: the size of the run that the user asked for.
      images: how many images there are to train on; None if that is not known.
      path: the file of the config.
      own: the value of `--extension`.
    """
    train_config = made.config.train_config
    words = [str(path), f"--model_dir={path.parent / 'model'}"]
    if asked.batch_size or asked.gpus or asked.steps or asked.epochs:
        every = run.checkpoint_every(train_config.num_steps, train_config.batch_size, images)
        words.append(f"--checkpoint_every={every}")
    return [*words, *extension.flags(own)]


def templates() -> list[str]:
    """The templates as a table, and what its columns mean."""
    shown = [("template", "style", "input", "mAP", "ms", "of"), *map(_row, template.listing())]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return [*(_table_line(cells, widths) for cells in shown), *_NOTE.splitlines()]


def _table_line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        f"{cell:>{width}}" if column in (3, 4) else f"{cell:{width}}"
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


def _row(one: template.Listed) -> tuple[str, ...]:
    precision, speed = (f"{number:g}" if number is not None else "-" for number in (one.zoo_map, one.zoo_speed_ms))
    return one.name, one.style, one.input_size, precision, speed, one.zoo_data


def _step(step: Step) -> Iterator[str]:
    """The edits of flags that the user gave, as the flags that could stand in their place."""
    if not step.flags:
        return
    yield f"{step.flags} stands for:" if step.edits else f"{step.flags} changes nothing."
    for edit in step.edits:
        yield f"  {shlex.quote(f'--unset={edit.path}' if edit.value is None else f'--set={edit}')}"
    if step.reason:
        yield f"  {step.reason}"


def _edit(edit: Edit) -> dict[str, Any]:
    return {"path": edit.path, "value": edit.value, "operation": edit.operation}
