"""The size that images have in the model."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline_configs import extractors
from pipeline_configs.patches.patch import Edit
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import UsageError

HELP = "Size of images in the model: HEIGHTxWIDTH, or keep:MIN,MAX of the sides, in proportion: 300x300, keep:600,1024."

_FIXED = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")
_KEPT = re.compile(r"keep:([1-9][0-9]{0,4}),([1-9][0-9]{0,4})")


def edits(text: str, config: Config) -> Iterator[Edit]:
    """Sets the resizer; the one that was there gives way where it is of another kind."""
    architecture = schema.architecture(config)
    extractor = getattr(config.model, architecture).feature_extractor.type
    side = extractors.of(extractor).input_side
    if side and text != f"{side}x{side}":
        raise UsageError(f"--resize is '{text}', but {extractor} takes only images of {side}x{side}.")
    path = f"model.{architecture}.image_resizer"
    if fixed := _FIXED.fullmatch(text):
        yield Edit(path=f"{path}.fixed_shape_resizer.height", value=fixed[1])
        yield Edit(path=f"{path}.fixed_shape_resizer.width", value=fixed[2])
        return
    kept = _KEPT.fullmatch(text)
    if kept is None or int(kept[1]) > int(kept[2]):
        raise UsageError(
            f"--resize is '{text}', expected HEIGHTxWIDTH or keep:MIN,MAX, such as 300x300, keep:600,1024."
        )
    yield Edit(path=f"{path}.keep_aspect_ratio_resizer.min_dimension", value=kept[1])
    yield Edit(path=f"{path}.keep_aspect_ratio_resizer.max_dimension", value=kept[2])
    if config.train_config.batch_size > 1:
        # Images of a batch have one size.
        yield Edit(path=f"{path}.keep_aspect_ratio_resizer.pad_to_max_dimension", value="true")
