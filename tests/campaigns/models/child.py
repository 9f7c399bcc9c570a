"""Runs one model through its stages in this process: make_config, check_config, train, export, predict.

    python -m campaigns.models.child NAME DATA RESULT

The commands and the engine's entries are the real ones; what differs from a user's run is that the entries run one
after the other here, in place of a child process each, so that TensorFlow and the engine are loaded once. Writes to the
file RESULT what became of the model.
"""

from __future__ import annotations

import gc
import importlib
import json
import math
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from campaigns.models import templates
from campaigns.models.catalogue import DATA, Model, models

from tfod_tools import app
from tfod_tools.base import engine_process
from tfod_tools.base.errors import EngineError, TfodError

STEPS = 2
_LONGEST_REASON = 300
Event = engine_process.Event
Stage = tuple[str, Sequence[str], Callable[[], dict[str, Any]]]

# Building a graph makes millions of objects that stay. A search for garbage among them takes much of the time.
_RARE_COLLECTIONS = (100_000, 50, 50)

# What a checkpoint holds besides the weights.
_NO_WEIGHTS = ("global_step", "/Momentum", "/Adam", "/Adam_1", "beta1_power", "beta2_power", "save_counter")
_AVERAGES = ("moving_mean", "moving_variance")


class Failure(Exception):
    """A model fails at a stage. The message says why."""


class _Events:
    """Takes the events of an entry, as they would arrive through the pipe."""

    def __init__(self, on_event: Callable[[Event], None]) -> None:
        self.last: Event = {}
        self._on_event = on_event

    def send(self, event: str, **fields: Any) -> None:
        line = json.dumps({"event": event, **fields})
        self.last = json.loads(line, parse_constant=lambda name: None)
        if event != "result":
            self._on_event(self.last)


class _InThisProcess:
    """Replaces `engine_process.run`. Keeps the events and the error of the last entry."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.why = ""

    def __call__(self, argv: Sequence[str], *, log: Path, on_event: Callable[[Event], None] = lambda e: None) -> Event:
        self.events.clear()
        log.parent.mkdir(parents=True, exist_ok=True)

        def kept(event: Event) -> None:
            self.events.append(event)
            on_event(event)

        entry, events = importlib.import_module(argv[0]), _Events(kept)
        entry.FLAGS(list(argv))
        try:
            entry.main(events)
        except TfodError as error:
            self.why = str(error)
            raise
        except Exception as error:
            self.why = f"{type(error).__name__}: {' '.join(str(error).split())[:_LONGEST_REASON]}"
            traceback.print_exc()
            raise EngineError(f"the engine stopped with {self.why}") from error
        self.events.append(events.last)
        return events.last


def main(name: str, data: str, result: str) -> None:
    """Runs the model `name` on the records of `data`, in the current folder, and leaves only the result there."""
    model = next(model for model in (*models(), *templates.models()) if model.name == name)
    found: dict[str, Any] = {"ok": False, "stage": "make_config", "parameters": None, "seconds": {}}
    engine_process.run = engine = _InThisProcess()
    gc.set_threshold(*_RARE_COLLECTIONS)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        for stage, words, check in _stages(model, Path(data), Path(folder), engine):
            if stage not in model.stages:
                continue
            found["stage"] = stage
            Path(result).write_text(json.dumps({**found, "why": "the process ended"}))
            started = time.monotonic()
            try:
                _command(stage, *words, engine=engine)
                found.update(check())
            except Failure as failure:
                found["why"] = str(failure).replace(f"{folder}/", "")
                break
            found["seconds"][stage] = round(time.monotonic() - started, 1)
        else:
            found["ok"] = True
    Path(result).write_text(json.dumps(found))


def _stages(model: Model, data: Path, folder: Path, engine: _InThisProcess) -> Iterator[Stage]:
    """The commands with their flags, and a check after each."""
    config, run, exported, pictures = (folder / name for name in ("pipeline.config", "model", "export", "found"))
    edits = [f"--set={edit.replace(DATA, str(data))}" for edit in model.edits]
    made = (f"--from={model.config}", f"--records={data / 'records'}", f"--output={config}", *edits)
    yield "make_config", made, dict
    yield "check_config", (f"--config={config}", f"--records={data / 'records'}"), dict
    yield "train", (f"--config={config}", f"--model_dir={run}", f"--steps={STEPS}"), lambda: _trained(engine.events)
    yield "export", (f"--model_dir={run}", f"--output={exported}"), lambda: _exported(exported)
    graph = f"--model={exported / 'frozen_inference_graph.pb'}"
    yield "predict", (graph, f"--images={data / 'image.jpg'}", f"--output={pictures}"), lambda: _predicted(pictures)


def _command(name: str, *flags: str, engine: _InThisProcess) -> None:
    """Runs a command as `python -m tfod_tools.NAME FLAGS` does."""
    command = importlib.import_module(f"tfod_tools.{name}")
    engine.why = ""
    code = app.status(command.main, command.FLAGS, command.__doc__, [name, *flags])
    if code:
        raise Failure(engine.why or f"the command ends with exit code {code}")


def _trained(events: Sequence[Event]) -> dict[str, Any]:
    losses = [event["losses"] for event in events if event["event"] == "progress"]
    if not losses or not all(losses):
        raise Failure("training reports no loss")
    bad = {name for of_step in losses for name, value in of_step.items() if value is None}
    if bad:
        raise Failure(f"not finite: {', '.join(sorted(bad))}")
    result = events[-1]
    if result["step"] != STEPS or not Path(f"{result['checkpoint']}.index").is_file():
        raise Failure(f"no checkpoint of step {STEPS}, but {result}")
    return {"parameters": _parameters(result["checkpoint"])}


def _parameters(checkpoint: str) -> int:
    """The number of weights that are trained, without the averages of batch normalisation and the optimizer's."""
    import tensorflow.compat.v1 as tf

    shapes = tf.train.load_checkpoint(checkpoint).get_variable_to_shape_map()
    tf2 = any(name.startswith("model/") for name in shapes)
    weights = {
        name: shape
        for name, shape in shapes.items()
        if not (tf2 and not name.startswith("model/"))
        and ".OPTIMIZER_SLOT" not in name
        and not name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE").endswith((*_NO_WEIGHTS, *_AVERAGES))
        and not name.startswith("_")
    }
    return sum(math.prod(shape) for shape in weights.values())


def _exported(folder: Path) -> dict[str, Any]:
    for name in ("frozen_inference_graph.pb", "saved_model/saved_model.pb"):
        if not (folder / name).is_file():
            raise Failure(f"the export holds no {name}")
    return {}


def _predicted(folder: Path) -> dict[str, Any]:
    (image,) = json.loads((folder / "detections.json").read_text())["images"]
    if not image["detections"]:
        raise Failure("no detection at all, not even of a score near 0")
    for detection in image["detections"]:
        if not all(math.isfinite(detection[key]) for key in ("score", "xmin", "ymin", "xmax", "ymax")):
            raise Failure(f"a detection is not finite: {detection}")
    return {}


if __name__ == "__main__":
    main(*sys.argv[1:])
