"""Sets scales and aspect ratios of the anchors, by the field names of the config's generator.

    ssd_anchor_generator        scales=0.1..0.95 or scales=0.1,0.3,0.5,0.7,0.8,0.95, aspect_ratios=1,2,0.5, layers=6
    multiscale_anchor_generator scale=4, levels=3..7, aspect_ratios=1,2,0.5, scales_per_octave=2
    grid_anchor_generator       scales=0.25,0.5,1,2, aspect_ratios=0.5,1,2, size=256, stride=16

Every other field of the generator can be named as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline_configs.patches.patch import Edit
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base import plugins
from tfod_tools.base.errors import UsageError

HELP = "Scales and aspect ratios of the anchors: 'scales=0.1..0.95 aspect_ratios=1,2,0.5'."

_HOLDERS = {"ssd": "anchor_generator", "faster_rcnn": "first_stage_anchor_generator"}
# For each kind of generator: short names, and the fields that they set.
_SHORT: dict[str, dict[str, tuple[str, ...]]] = {
    "ssd_anchor_generator": {"layers": ("num_layers",)},
    "multiscale_anchor_generator": {"scale": ("anchor_scale",)},
    "grid_anchor_generator": {"size": ("height", "width"), "stride": ("height_stride", "width_stride")},
}
# What can be given as LOWEST..HIGHEST: the fields of the two ends, and the list that would override them.
_RANGES = {
    ("ssd_anchor_generator", "scales"): ("min_scale", "max_scale", "scales"),
    ("multiscale_anchor_generator", "levels"): ("min_level", "max_level", None),
}


def edits(text: str, config: Config) -> Iterator[Edit]:
    """Sets the named fields of the anchor generator; the others stay."""
    kind, path = _generator(config)
    words = text.replace(";", " ").split()
    if not words:
        raise UsageError("--anchors is empty. Write, for example, --anchors='scales=0.1..0.95 aspect_ratios=1,2,0.5'.")
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"--anchors: '{word}' has no value. Write, for example, aspect_ratios=1,2,0.5.")
        yield from _edits(kind, path, name, value, config)


def _generator(config: Config) -> tuple[str, str]:
    """The kind of the config's anchor generator, and its path."""
    architecture = schema.architecture(config)
    if architecture not in _HOLDERS:
        raise UsageError(f"--anchors: {architecture} has no anchors. It finds objects by their centers.")
    holder = _HOLDERS[architecture]
    kind = getattr(getattr(config.model, architecture), holder).WhichOneof("anchor_generator_oneof")
    if kind not in _SHORT:
        found = kind or "no anchor generator"
        raise UsageError(f"--anchors is for {', '.join(_SHORT)}, but the config has {found}. Use --set instead.")
    return kind, f"model.{architecture}.{holder}.{kind}"


def _edits(kind: str, path: str, name: str, value: str, config: Config) -> Iterator[Edit]:
    lowest, dots, highest = value.partition("..")
    if dots:
        if (kind, name) not in _RANGES:
            known = " or ".join(name for of_kind, name in _RANGES if of_kind == kind) or "no field"
            raise UsageError(f"--anchors: {name}={value} is a range, but {kind} takes ranges for {known}.")
        first, last, overriding = _RANGES[kind, name]
        yield Edit(path=f"{path}.{first}", value=lowest)
        yield Edit(path=f"{path}.{last}", value=highest)
        if overriding:
            yield Edit(path=f"{path}.{overriding}", value=None)
        return
    generators = config.model.ssd.anchor_generator.DESCRIPTOR.fields_by_name
    fields = [field.name for field in generators[kind].message_type.fields]
    if name not in fields and name not in _SHORT[kind]:
        hint = plugins.suggestion(name, [*fields, *_SHORT[kind]])
        raise UsageError(f"--anchors: {kind} has no '{name}'. {hint}")
    for field in _SHORT[kind].get(name, (name,)):
        yield Edit(path=f"{path}.{field}", value=value)
