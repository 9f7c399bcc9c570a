"""Other sizes of the input that are worth trying: moves for `search`, made by `image_resizer`.

Anchors that are parts of the image, or are fitted anew, cover more on a larger input, since they lie closer together
there. What that costs is told by the number of pixels, to which the time and memory of the network are nearly
proportional.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline_configs import extractors
from pipeline_configs.anchors.moves import Move
from pipeline_configs.patches.patch import Edit
from pipeline_configs.text.text_proto import Config

# Sides are multiples of the largest stride at which a network adds up maps of two sizes.
_UNIT = 32
_BIFPN_UNIT = 128
_SMALLEST = 0.5
_LARGEST = 2.0


def of_config(config: Config, shapes: Sequence[float]) -> Iterator[Move]:
    """Both sides from half to twice as long as they are, in proportion as far as multiples of a stride allow."""
    kind = config.model.WhichOneof("model")
    model = getattr(config.model, kind)
    found = _sides(model.image_resizer)
    extractor = extractors.of(model.feature_extractor.type)
    if found is None or extractor.input_side or _has_strides(model):
        return
    (names, sides), unit = found, _BIFPN_UNIT if extractor.pyramid == "bifpn" else _UNIT
    path = f"model.{kind}.image_resizer.{model.image_resizer.WhichOneof('image_resizer_oneof')}"
    shorter, longer = sorted(sides)
    for short in range(unit, int(shorter * _LARGEST) + 1, unit):
        long = max(short, round(short * longer / shorter / unit) * unit)
        if short >= shorter * _SMALLEST and (short, long) != (shorter, longer):
            values = (short, long) if sides[0] <= sides[1] else (long, short)
            yield tuple(
                Edit(path=f"{path}.{name}", value=str(value)) for name, value in zip(names, values, strict=True)
            )


def _sides(image_resizer: Any) -> tuple[tuple[str, str], tuple[int, int]] | None:
    """The names and values of the fields that decide on the size; None where the image does."""
    if image_resizer.HasField("fixed_shape_resizer"):
        fixed = image_resizer.fixed_shape_resizer
        return ("height", "width"), (fixed.height, fixed.width)
    if image_resizer.HasField("keep_aspect_ratio_resizer"):
        kept = image_resizer.keep_aspect_ratio_resizer
        return ("min_dimension", "max_dimension"), (kept.min_dimension, kept.max_dimension)
    return None


def _has_strides(model: Any) -> bool:
    """Whether the anchors of an SSD lie at distances that were given in pixels, for one size of the input."""
    if "anchor_generator" not in model.DESCRIPTOR.fields_by_name:
        return False
    generator = model.anchor_generator.ssd_anchor_generator
    return bool(generator.height_stride or generator.height_offset)
