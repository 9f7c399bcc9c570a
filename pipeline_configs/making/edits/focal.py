"""Sets the focal loss, in which hard boxes count more than easy ones (Lin et al. 2017, arXiv:1708.02002)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline_configs.patches.patch import Edit
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import UsageError

HELP = "Focal loss for the classes, with this alpha and gamma: 0.25,2."

# Paths of the loss, of the hard example miner, and of the scores, which must be sigmoids with this loss.
_PATHS = {
    "ssd": ("loss.classification_loss", "loss.hard_example_miner", "post_processing"),
    "faster_rcnn": ("second_stage_classification_loss", "hard_example_miner", "second_stage_post_processing"),
}
# Each box starts as an object with the probability 0.01. Otherwise the many boxes without an object would dominate the
# first steps (section 4.1).
_BIAS = "-4.6"


def edits(text: str, config: Config) -> Iterator[Edit]:
    """Sets the loss and what it needs: no hard example mining, scores by sigmoid, a bias of the predictor."""
    architecture = schema.architecture(config)
    if architecture not in _PATHS:
        raise UsageError(f"--focal: {architecture} has a focal loss of its own. Use --set=model.{architecture}"
                         ".object_center_params.classification_loss=VALUE.")  # fmt: skip
    alpha, gamma = _numbers(text)
    model, path = getattr(config.model, architecture), f"model.{architecture}"
    loss, miner, scores = (f"{path}.{part}" for part in _PATHS[architecture])
    yield Edit(path=f"{loss}.weighted_sigmoid_focal.alpha", value=alpha)
    yield Edit(path=f"{loss}.weighted_sigmoid_focal.gamma", value=gamma)
    if (model.loss if architecture == "ssd" else model).HasField("hard_example_miner"):
        yield Edit(path=miner, value=None)
    yield Edit(path=f"{scores}.score_converter", value="SIGMOID")
    if architecture == "ssd":
        yield from _bias(model)


def _bias(model: Any) -> Iterator[Edit]:
    kind = model.box_predictor.WhichOneof("box_predictor_oneof")
    predictor = getattr(model.box_predictor, kind) if kind else None
    if predictor is None or "class_prediction_bias_init" not in predictor.DESCRIPTOR.fields_by_name:
        return
    if not predictor.class_prediction_bias_init:
        yield Edit(path=f"model.ssd.box_predictor.{kind}.class_prediction_bias_init", value=_BIAS)


def _numbers(text: str) -> list[str]:
    numbers = [part.strip() for part in text.split(",")]
    try:
        if len(numbers) == 2 and 0 <= float(numbers[0]) <= 1 and 0 <= float(numbers[1]) < float("inf"):
            return numbers
    except ValueError:
        pass
    raise UsageError(f"--focal is '{text}'. Give alpha (0 to 1) and gamma (0 or more), such as 0.25,2.")
