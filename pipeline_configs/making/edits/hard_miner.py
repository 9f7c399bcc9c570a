"""Sets hard example mining, which computes the loss of the worst boxes only."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline_configs.patches.patch import Edit
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base import plugins
from tfod_tools.base.errors import UsageError

HELP = "Hard example mining: off, or fields of it, such as negatives_per_positive=3,num_hard_examples=3000."

_PATHS = {"ssd": "model.ssd.loss.hard_example_miner", "faster_rcnn": "model.faster_rcnn.hard_example_miner"}
_SHORT = {"negatives_per_positive": "max_negatives_per_positive"}
_FOCAL = "weighted_sigmoid_focal"
# The values of the published SSD configs.
_PUBLISHED = {
    "num_hard_examples": "3000",
    "iou_threshold": "0.99",
    "loss_type": "CLASSIFICATION",
    "max_negatives_per_positive": "3",
    "min_negatives_per_image": "3",
}


def edits(text: str, config: Config) -> Iterator[Edit]:
    """Removes the miner, or sets the named fields. The other fields of a new miner get the published values."""
    architecture = schema.architecture(config)
    if architecture not in _PATHS:
        raise UsageError(f"--hard_miner: {architecture} has no hard example mining: its loss covers the whole image.")
    path, model = _PATHS[architecture], getattr(config.model, architecture)
    if text == "off":
        yield Edit(path=path, value=None)
        return
    holder = model.loss if architecture == "ssd" else model
    known = [field.name for field in holder.hard_example_miner.DESCRIPTOR.fields]
    wished = dict(_wished(text, known))
    if architecture == "ssd" and model.loss.classification_loss.WhichOneof("classification_loss") == _FOCAL:
        raise UsageError("--hard_miner: the focal loss weighs hard boxes itself, and the engine takes no miner with it."
                         " Set model.ssd.loss.classification_loss.weighted_sigmoid={} first.")  # fmt: skip
    values = wished if holder.HasField("hard_example_miner") else _PUBLISHED | wished
    for name, value in values.items():
        yield Edit(path=f"{path}.{name}", value=value)


def _wished(text: str, known: list[str]) -> Iterator[tuple[str, str]]:
    for word in text.split(","):
        name, equals, value = (part.strip() for part in word.partition("="))
        if not equals:
            raise UsageError(
                f"--hard_miner is '{word}'. Give off, or fields with values, such as negatives_per_positive=3."
            )
        if name not in known and name not in _SHORT:
            hint = plugins.suggestion(name, [*known, *_SHORT])
            raise UsageError(f"--hard_miner: there is no field '{name}'. {hint}")
        yield _SHORT.get(name, name), value
