"""All that the type name of a feature extractor means: the one table that everything else reads.

`known` and `style_of` say which types exist, and in which of the engine's two styles each one trains: "tf1" (slim,
Estimator) or "tf2" (Keras, eager). The engine has one list of types for each style in `builders/model_builder.py`. That
source is read here without running it, because running it imports TensorFlow. The style of a user's own type follows
from the engine's rule for names: types that end in `_keras` are TF2 style, and so are all of CenterNet.

`of` says the rest, from three tables whose rows are matched by name:

  `BACKBONES`  the base network that a name holds. The built-in weight of l2 regularisation and the built-in decay of
               batch normalisation are from nets/mobilenet and nets/resnet_utils of slim and from models/keras_models of
               the engine. The size of the feature maps is counted in Keras's own models by
               tests/configs/test_extractors.py.
  `_SHAPES`    what the constructor takes, and what the network makes of its input: from the classes in models/ of the
               engine. tests/engine/test_anchors.py compares the feature maps of each type with the engine.
  `_RATES`     learning rates, from the published configs of the model zoo.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base import plugins
from tfod_tools.base.errors import ConfigError, MissingPackageError

Style = Literal["tf1", "tf2"]

# How `model_builder` starts the names of its lists.
_LIST_PREFIXES = {"ssd": "SSD_", "faster_rcnn": "FASTER_RCNN_", "center_net": "CENTER_NET_"}
# Each file is an extractor of its name. Its architecture is at the beginning of that name.
_OWN = Path(plugins.__file__).parents[1] / "engine" / "extractors"
_STYLE_TESTS: dict[str, Style] = {"is_tf1": "tf1", "is_tf2": "tf2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbone:
    """A base network.

    Attributes:
      millions: how many million numbers its convolutions put out for one image of 224 x 224 pixels; None where nobody
        counted them.
      built_in: the weight of l2 regularisation and the decay of batch normalisation that the network has in an SSD
        unless override_base_feature_extractor_hyperparams is true; None where it has none of its own.
    """

    millions: float | None = None
    built_in: tuple[float, float] | None = None


_MOBILENET = (0.00004, 0.9997)
_RESNET = (0.0001, 0.997)

# By the part of the type name that is the network's name. The first row that fits counts.
BACKBONES: Mapping[str, Backbone] = {
    "mobilenet_v1": Backbone(millions=5.043, built_in=_MOBILENET),
    "mobilenet_v2": Backbone(millions=6.678, built_in=_MOBILENET),
    "mobilenet_v3_large": Backbone(millions=4.405, built_in=_MOBILENET),
    "mobilenet_v3_small": Backbone(millions=1.416, built_in=_MOBILENET),
    "mobilenet": Backbone(built_in=_MOBILENET),
    "inception_resnet_v2": Backbone(millions=12.568),
    "inception_v3": Backbone(millions=4.648),
    "resnet50": Backbone(millions=10.587, built_in=_RESNET),
    "resnet101": Backbone(millions=15.705, built_in=_RESNET),
    "resnet152": Backbone(millions=22.027, built_in=_RESNET),
    "resnet_v1_50": Backbone(millions=10.587, built_in=_RESNET),
    "resnet_v1_101": Backbone(millions=15.705, built_in=_RESNET),
    "resnet_v2_50": Backbone(millions=9.270, built_in=_RESNET),
    "resnet_v2_101": Backbone(millions=14.388, built_in=_RESNET),
    "resnet": Backbone(built_in=_RESNET),
    "vgg16": Backbone(millions=13.548),
    "efficientnet-b0": Backbone(millions=6.747),
    "efficientnet-b1": Backbone(millions=9.355),
    "efficientnet-b2": Backbone(millions=9.808),
    "efficientnet-b3": Backbone(millions=13.006),
    "efficientnet-b4": Backbone(millions=17.045),
    "efficientnet-b5": Backbone(millions=23.420),
    "efficientnet-b6": Backbone(millions=29.965),
    "efficientnet-b7": Backbone(millions=40.092),
}

# How the side of an input becomes the sides of feature maps; `anchors.feature_maps` has the formulas.
Maps = Literal["halved", "unpadded", "inception_v3", "vgg16", "stride", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extractor:
    """What a type name means. Sides and strides are in pixels.

    Attributes:
      backbone: its base network.
      rate_per_image: the highest learning rate of the published configs with momentum, divided by the batch.
      takes: the fields of the `feature_extractor` message that its constructor takes and that of some others does not.
      pyramid: the field that describes its feature pyramid; "" where it has no pyramid.
      levels: the levels of that pyramid, where the config cannot change them.
      maps: how its network makes feature maps of an input.
      map_count: how many feature maps it has, where the config cannot change that.
      input_side: the height and width that an input must have; None where there is a choice.
      least_side: the smallest side of an input that an SSD takes.
      strides: what first_stage_features_stride of a Faster R-CNN may be.
      needs_override: whether override_base_feature_extractor_hyperparams must be true.
    """

    backbone: Backbone = Backbone()
    rate_per_image: float = 0.0
    takes: frozenset[str] = frozenset()
    pyramid: Literal["", "fpn", "bifpn"] = ""
    levels: range | None = None
    maps: Maps = "halved"
    map_count: int | None = None
    input_side: int | None = None
    least_side: int = 33
    strides: tuple[int, ...] = (8, 16)
    needs_override: bool = False

    @property
    def uses_num_layers(self) -> bool:
        """Whether the field `num_layers` decides how many feature maps there are."""
        return "num_layers" in self.takes and self.map_count is None


_NUM_LAYERS, _FPN, _BIFPN = frozenset(["num_layers"]), frozenset(["fpn"]), frozenset(["bifpn"])

# By the whole type name. The first row that fits counts.
_SHAPES: Mapping[str, Extractor] = {
    r".*bifpn.*": Extractor(takes=_BIFPN, pyramid="bifpn", least_side=129),
    r"ssd_.*mnasfpn.*": Extractor(takes=_FPN, pyramid="fpn", levels=range(3, 7)),
    r"ssd_.*_fpn.*": Extractor(takes=_FPN, pyramid="fpn"),
    r"ssd_spaghettinet": Extractor(takes=frozenset(["spaghettinet_arch_name"]), maps="unknown"),
    r"ssd_vgg16.*": Extractor(takes=_NUM_LAYERS, maps="vgg16"),
    r"ssd_inception_v3.*": Extractor(takes=_NUM_LAYERS, maps="inception_v3", needs_override=True),
    r"ssd_inception.*": Extractor(takes=_NUM_LAYERS, needs_override=True),
    r"ssd_pnasnet.*": Extractor(takes=_NUM_LAYERS, maps="unpadded", least_side=1),
    r"ssd_mobilenet_v1_ppn": Extractor(takes=_NUM_LAYERS, map_count=6),
    r"ssd_(mobilenet_v1|mobilenet_v2|resnet).*": Extractor(takes=_NUM_LAYERS),
    r"embedded_ssd.*": Extractor(map_count=5, input_side=256),
    r"ssd_.*": Extractor(map_count=6),
    r"faster_rcnn_.*_fpn.*": Extractor(takes=_FPN | {"conv_hyperparams"}, pyramid="fpn"),
    r"faster_rcnn_p?nas": Extractor(maps="unpadded", strides=(16,)),
    r"faster_rcnn_resnet.*_keras": Extractor(maps="stride", strides=(16,)),
    r"faster_rcnn_.*": Extractor(maps="stride"),
    r".*": Extractor(maps="unknown"),
}

# By how the type name begins. The first row that fits counts. Most configs have 0.04 for a batch of 64; the rate grows
# in proportion to the batch (Goyal et al. 2017, arXiv:1706.02677).
_RATES: Mapping[str, float] = {
    "ssd_mobilenet_v2_mnasfpn": 4 / 1024,
    "ssd_mobilenet_v2_fpn_keras": 0.08 / 128,
    "ssd_mobilenet_v2_fpn": 0.4 / 512,
    "ssd_mobilenet_v1_fpn": 0.04 / 64,
    "ssd_mobilenet_v3": 0.4 / 512,
    "ssd_mobile": 0.8 / 512,
    "": 0.04 / 64,
}


@functools.cache
def of(name: str) -> Extractor:
    """What the type `name` means; for a type of the user's own, what its name suggests."""
    return replace(
        next(shape for pattern, shape in _SHAPES.items() if re.fullmatch(pattern, name, re.DOTALL)),
        backbone=next((backbone for part, backbone in BACKBONES.items() if part in name), Backbone()),
        rate_per_image=next(rate for beginning, rate in _RATES.items() if name.startswith(beginning)),
    )


def style_of(config: Config, extension: str | None = None) -> Style:
    """The style in which the engine trains `config`.

    Args:
      config: the pipeline.config.
      extension: the user's module with a feature extractor, from `--extension`. The module itself is not read.

    Raises:
      ConfigError: the type of the model's feature extractor does not exist, and there is no extension.
      MissingPackageError: the engine is not installed.
    """
    architecture = schema.architecture(config)
    wanted = getattr(config.model, architecture).feature_extractor.type
    types = known()[architecture]
    if wanted in types:
        return types[wanted]
    if wanted and extension:
        return _by_name(architecture, wanted)
    raise ConfigError(
        f"model.{architecture}.feature_extractor.type: no extractor is called '{wanted}'."
        f" {plugins.suggestion(wanted, types)} For an extractor of your own, add --extension."
        " In a job file, add the key extension."
    )


@functools.cache
def known() -> Mapping[str, Mapping[str, Style]]:
    """The types of the engine and of this package: the style of each, by architecture and type.

    Raises:
      MissingPackageError: the engine is not installed.
    """
    found: dict[str, dict[str, Style]] = {architecture: {} for architecture in schema.ARCHITECTURES}
    for style, name, types in _lists(ast.parse(_model_builder().read_text(encoding="utf-8"))):
        for architecture, prefix in _LIST_PREFIXES.items():
            if name.startswith(prefix):
                found[architecture].update(dict.fromkeys(types, style))
    for name in plugins.names(_OWN):
        architecture = next((a for a in ("ssd", "faster_rcnn") if name.startswith(f"{a}_")), "center_net")
        found[architecture][name] = _by_name(architecture, name)
    return found


def is_engines(architecture: str, name: str) -> bool:
    """Whether the type `name` of `architecture` is the engine's, and neither this package's nor the user's own."""
    return name in known().get(architecture, {}) and name not in plugins.names(_OWN)


def _by_name(architecture: str, name: str) -> Style:
    return "tf2" if architecture == "center_net" or name.endswith("_keras") else "tf1"


def _model_builder() -> Path:
    from tfod_tools.base import engine_source

    package = engine_source.package()
    path = package and package / "builders" / "model_builder.py"
    if path and path.is_file():
        return path
    raise MissingPackageError("tf-object-detection-api", "train")


def _lists(source: ast.Module) -> Iterator[tuple[Style, str, list[str]]]:
    """Style, name and keys of each dict that is assigned under `if tf_version.is_tf1():` or `is_tf2()`."""
    for block in source.body:
        match block:
            case ast.If(test=ast.Call(func=ast.Attribute(attr=test)), body=body) if test in _STYLE_TESTS:
                for statement in body:
                    match statement:
                        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=keys)):
                            yield (
                                _STYLE_TESTS[test],
                                name,
                                [str(key.value) for key in keys if isinstance(key, ast.Constant)],
                            )
