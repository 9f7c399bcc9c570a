"""Prepares the cases of rules for the engine: each in every style that has such a config, and made small."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from campaigns.verdicts import records

from pipeline_configs import extractors
from pipeline_configs.extractors import Style
from pipeline_configs.making import template
from pipeline_configs.text import schema

_SMALL_IMAGES = "{keep_aspect_ratio_resizer {min_dimension: 240 max_dimension: 320}}"
_QUICK_READER = {
    "train_input_reader.shuffle": "false",
    "train_input_reader.num_parallel_batches": "1",
    "train_input_reader.num_prefetch_batches": "1",
}


def _type_path(case: Mapping[str, Any]) -> str:
    return f"model.{schema.architecture(template.read(case['template']))}.feature_extractor.type"


def _type(case: Mapping[str, Any]) -> str | None:
    """The type of the case's feature extractor; None if it has none."""
    edits, path = case.get("set", {}), _type_path(case)
    if edits.get("model", "") is None:
        return None
    written: str | None = edits.get(path, "")
    if written == "":
        architecture = path.split(".")[1]
        written = getattr(template.read(case["template"]).model, architecture).feature_extractor.type
    return written


def _style(case: Mapping[str, Any]) -> Style | None:
    known = extractors.known()[_type_path(case).split(".")[1]]
    return known.get(_type(case) or "")


def in_style(case: dict[str, Any], style_: Style) -> dict[str, Any] | None:
    """The case in a style; None if that style has no such config."""
    own = _style(case)
    if own in (None, style_):
        return case
    known = extractors.known()[_type_path(case).split(".")[1]]
    found = _type(case) or ""
    other = f"{found}_keras" if style_ == "tf2" else found.removesuffix("_keras")
    if known.get(other) != style_:
        return None
    return {**case, "set": {**case.get("set", {}), _type_path(case): other}}


def small(code: str, case: dict[str, Any]) -> dict[str, Any]:
    """The case with a batch that holds each record once, and without augmentation unless it is about augmentation."""
    if code.startswith("AUG"):
        edits = {"train_config.data_augmentation_options[1]": "{random_horizontal_flip {}}"}  # random crops take long
    else:
        edits = {"train_config.data_augmentation_options": "[]"}
    if _type_path(case).startswith("model.faster_rcnn"):
        edits |= {"model.faster_rcnn.image_resizer": _SMALL_IMAGES, "train_config.batch_size": "1"}
    else:
        edits["train_config.batch_size"] = str(records.IMAGES)
    if "train_input_reader" not in case.get("set", {}):
        edits |= _QUICK_READER
    return {**case, "set": {**edits, **case.get("set", {})}}
