"""The stages of the engine: the parts of its training loops one by one, and evaluation.

read       the config is read
model      the model is built, to be trained
optimizer  the optimizer and its learning rate are built, and the rate is read at every turn of its curve
input      the decoding, augmentation and resizing of records is built
batch      the first batch is read
loss       the graph of a step is built: the model's predictions and the loss
values     the graph is run on the batch
start      the style's own loop, up to its first step
train      tfod_tools.engine.train, two steps further than checkpoints in the folder of training
evaluate   tfod_tools.engine.evaluate, on a checkpoint of the model whose loss was built
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Each stage with those that it needs. A run with several stages runs each once, in this order.
STAGES: dict[str, tuple[str, ...]] = {
    "read": ("read",),
    "model": ("read", "model"),
    "optimizer": ("read", "optimizer"),
    "input": ("read", "model", "input"),
    "batch": ("read", "model", "input", "batch"),
    "loss": ("read", "model", "input", "loss"),
    "values": ("read", "model", "input", "batch", "loss", "values"),
    "detect": ("read", "detect"),
    "start": ("read", "start"),
    "train": ("read", "train"),
    "evaluate": ("read", "model", "input", "loss", "evaluate"),
}
_PATIENCE_S = 20
_LONGEST_RUN = 10**7
_STEPS = 2


class Stages:
    """One config, with a method for each stage. The stages leave the attributes, which `misbehaviour` checks.

    Attributes:
      configs: what the engine read.
      rates: learning rates at all turns.
      detector: the engine's model.
      first: features and labels of the first batch, as NumPy arrays.
      waits: whether no first batch came.
      loaded: how many variables TF1 style takes from a checkpoint; None where it is given none.
      predictions: what the model says of the batch, as NumPy arrays.
      losses: what is made of that, by name.
      gpus: how many share a batch, in TF2 style.
      machines: how many read records, of which this is the last.
    """

    style = ""

    def __init__(self, config: Path, model_dir: Path, *, patient: bool) -> None:
        """Of the file `config`, trained in `model_dir`; a `patient` one waits for a first batch for a limited time."""
        self.path = str(config)
        self.folder = config.parent
        self.model_dir = str(model_dir)
        self.configs: dict[str, Any] = {}
        self.rates: list[float] = []
        self.detector: Any = None
        self.first: Any = None
        self.waits = False
        self.loaded: int | None = None
        self.predictions: dict[str, Any] = {}
        self.losses: dict[str, float] = {}
        self.gpus = self.machines = 1
        self._patient = patient

    def read(self) -> None:
        from object_detection.utils import config_util

        self.configs = config_util.get_configs_from_pipeline_file(self.path)

    def batch(self) -> None:
        if not self._patient:
            self.first = self.read_batch()
            return
        reading = threading.Thread(target=self.read_batch, daemon=True)
        reading.start()
        reading.join(_PATIENCE_S)
        self.waits = reading.is_alive()

    def train(self) -> None:
        from tfod_tools.engine import checkpoints, train

        steps = checkpoints.last_step(self.model_dir, self.style) + _STEPS  # type: ignore[arg-type]
        flags = [f"--style={self.style}", f"--config={self.path}", f"--model_dir={self.model_dir}", f"--steps={steps}"]
        train.FLAGS(["train", *flags])
        train.main(_Nobody())

    def evaluate(self) -> None:
        from tfod_tools.engine import evaluate

        model_dir = self.folder / "evaluated"
        model_dir.mkdir()
        self.save(str(model_dir / "model-1"))
        evaluate.FLAGS(["evaluate", f"--style={self.style}", f"--config={self.path}", f"--model_dir={model_dir}"])
        evaluate.main(_Nobody())

    def read_batch(self) -> Any:
        """Features and labels, as NumPy arrays."""
        raise NotImplementedError

    def save(self, prefix: str, *, spoilt: bool = False) -> None:
        """Writes a checkpoint of the model, whose loss was built, with a `prefix` such as FOLDER/ckpt-0.

        The weights of one that is `spoilt` are no numbers.
        """
        raise NotImplementedError

    def anchors_on(self, height: int, width: int) -> Any:
        """The anchors of Faster R-CNN's first stage on features of this size: ymin, xmin, ymax, xmax, in pixels."""
        raise NotImplementedError

    def turns(self) -> list[int]:
        """The steps at which the learning rate takes a turn, and those around them."""
        from google.protobuf import text_format

        from pipeline_configs.schedules import schedule
        from pipeline_configs.text import schema

        text = text_format.MessageToString(self.configs["train_config"])
        found = schedule.of(schema.parse(f"train_config {{ {text} }}"))
        turns = found.turns() if found else []
        return sorted({0, 1, *(step + by for step in turns for by in (-1, 0, 1) if 0 <= step + by < _LONGEST_RUN)})


def tensors_of(predictions: Mapping[str, Any], kind: type) -> dict[str, Any]:
    """The tensors among predictions; of a list of one for each level of features, the first."""
    first = {name: value[0] if isinstance(value, list) and value else value for name, value in predictions.items()}
    return {name: value for name, value in first.items() if isinstance(value, kind)}


class _Nobody:
    """Who is sent events and does not listen."""

    def send(self, event: str, **fields: Any) -> None:
        pass
