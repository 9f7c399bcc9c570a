"""How the weights are kept small, at every place of the model that has them."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline_configs import extractors
from pipeline_configs.patches import nested
from pipeline_configs.patches.patch import Edit
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import UsageError

HELP = "Kind and weight of the regularizer of every convolution: l2:7e-5, or l1:WEIGHT."

_KINDS = ("l1", "l2")


def edits(text: str, config: Config) -> Iterator[Edit]:
    """Sets the regularizer of all hyperparameters of convolutions that the model has."""
    kind, _, weight = text.partition(":")
    if kind not in _KINDS or not _is_weight(weight):
        raise UsageError(f"--regularizer is '{text}', expected l2:WEIGHT or l1:WEIGHT, such as l2:7e-5.")
    places = [path for path, _ in nested.messages(config.model, "Hyperparams", "model")]
    if not places:
        raise UsageError(f"--regularizer: {schema.architecture(config)} has none in its config.")
    for path in places:
        yield Edit(path=f"{path}.regularizer.{kind}_regularizer.weight", value=weight)
    if extractors.of(config.model.ssd.feature_extractor.type).backbone.built_in:
        # Without this the base network keeps its built-in weight, and only the layers that SSD adds get the new one.
        yield Edit(path="model.ssd.feature_extractor.override_base_feature_extractor_hyperparams", value="true")


def _is_weight(text: str) -> bool:
    try:
        return 0 <= float(text) < float("inf")
    except ValueError:
        return False
