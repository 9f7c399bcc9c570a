"""The models to try: every feature extractor type, and the architectures that share a type.

A model is a template of `bases`, made small, with the type of its feature extractor and the few edits that this type
needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from campaigns.models.bases import BASES

from pipeline_configs import extractors
from pipeline_configs.extractors import Style

ARCHITECTURES = (
    "SSD", "SSD with FPN", "SSD with PPN", "SSD with MnasFPN", "EfficientDet",
    "Faster R-CNN", "Faster R-CNN with FPN", "R-FCN", "Mask R-CNN", "Context R-CNN",
    "CenterNet", "CenterNet with keypoints",
)  # fmt: skip

# The place of the records in an edit; known when a model is run.
DATA = "{data}"

_SSD_SIZE = "model.ssd.image_resizer.fixed_shape_resizer={{height: {0} width: {0}}}"
_OVERRIDE = "model.ssd.feature_extractor.override_base_feature_extractor_hyperparams=true"
_LAYERS = "model.ssd.anchor_generator.ssd_anchor_generator.num_layers=5"
_DEPTHWISE = (
    "model.ssd.feature_extractor.use_depthwise=true",
    "model.ssd.box_predictor.convolutional_box_predictor.use_depthwise=true",
)
_CROPS_17 = (
    "model.faster_rcnn.initial_crop_size=17",
    "model.faster_rcnn.maxpool_kernel_size=1",
    "model.faster_rcnn.maxpool_stride=1",
)
_NAS = (
    # The network asks for sizes when it is built.
    "model.faster_rcnn.image_resizer={fixed_shape_resizer {height: 96 width: 96}}",
    *_CROPS_17,
)
_STRIDE_8 = (
    "model.faster_rcnn.feature_extractor.first_stage_features_stride=8",
    "model.faster_rcnn.first_stage_atrous_rate=2",
    "model.faster_rcnn.first_stage_anchor_generator.grid_anchor_generator.height_stride=8",
    "model.faster_rcnn.first_stage_anchor_generator.grid_anchor_generator.width_stride=8",
    *_CROPS_17,
)
# Many layers with random weights and untrained normalisation move the boxes out of the image, unless the weights that
# predict the boxes are close to 0 and stay there.
_RATE = "train_config.optimizer.momentum_optimizer.learning_rate.constant_learning_rate.learning_rate=1e-9"
_SSD_AT_0 = (
    "model.ssd.box_predictor.convolutional_box_predictor.conv_hyperparams.initializer.truncated_normal_initializer.stddev"
    "=1e-12",
    _RATE,
)
_FASTER_RCNN_AT_0 = (
    "model.faster_rcnn.first_stage_box_predictor_conv_hyperparams.initializer.truncated_normal_initializer.stddev=1e-12",
    "model.faster_rcnn.second_stage_box_predictor.mask_rcnn_box_predictor.fc_hyperparams.initializer="
    "{truncated_normal_initializer {stddev: 1e-12}}",
    _RATE,
)
# At full depth the engine downloads ImageNet weights whenever it builds the model.
_NARROW = "model.center_net.feature_extractor.depth_multiplier=0.75"
_SEPARABLE = "model.center_net.feature_extractor.use_separable_conv=true"

# The first pattern that is all of `architecture/type` decides.
_RULES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("ssd/.*mnasfpn", "ssd_fpn", "SSD with MnasFPN", (
        "model.ssd.feature_extractor.fpn={min_level: 3 max_level: 6 additional_layer_depth: 48}",
        "model.ssd.anchor_generator.multiscale_anchor_generator.max_level=6",
        "model.ssd.feature_extractor.use_depthwise=true",
        # The pyramid needs a size that 64 divides.
        _SSD_SIZE.format(128),
    )),
    ("ssd/.*efficientnet.*", "efficientdet", "EfficientDet", ()),
    ("ssd/.*_fpn(_keras)?", "ssd_fpn", "SSD with FPN", ()),
    ("ssd/.*_ppn", "ssd_ppn", "SSD with PPN", ()),
    ("ssd/ssd_inception_v.", "ssd", "SSD", (_OVERRIDE,)),
    ("ssd/embedded_.*", "ssd", "SSD", (_SSD_SIZE.format(256), _LAYERS)),
    ("ssd/ssd_spaghettinet", "ssd", "SSD", (
        'model.ssd.feature_extractor.spaghettinet_arch_name="spaghettinet_edgetpu_s"', _LAYERS,
    )),
    ("ssd/ssd_vgg16_keras", "ssd", "SSD", (_SSD_SIZE.format(300),)),
    ("ssd/ssd_(mobilenet_v3_.*|mobilenet_edgetpu|mobiledet_.*)", "ssd", "SSD", _DEPTHWISE),
    ("ssd/ssd_pnasnet", "ssd", "SSD", _SSD_AT_0),
    ("ssd/.*", "ssd", "SSD", ()),
    ("faster_rcnn/.*_fpn_keras", "faster_rcnn_fpn", "Faster R-CNN with FPN", ()),
    ("faster_rcnn/.*_nas", "faster_rcnn", "Faster R-CNN", (*_NAS, *_FASTER_RCNN_AT_0)),
    ("faster_rcnn/.*_pnas", "faster_rcnn", "Faster R-CNN", _NAS),
    ("faster_rcnn/.*inception_resnet_v2", "faster_rcnn", "Faster R-CNN", _STRIDE_8),
    ("faster_rcnn/.*inception_resnet_v2_keras", "faster_rcnn", "Faster R-CNN", _CROPS_17),
    ("faster_rcnn/.*resnet(50|152)", "faster_rcnn", "Faster R-CNN", _FASTER_RCNN_AT_0),
    ("faster_rcnn/.*", "faster_rcnn", "Faster R-CNN", ()),
    ("center_net/mobilenet_v2_fpn_sep_conv", "centernet", "CenterNet", (_NARROW, _SEPARABLE)),
    ("center_net/mobilenet_v2.*", "centernet", "CenterNet", (_NARROW,)),
    ("center_net/.*", "centernet", "CenterNet", ()),
)  # fmt: skip

_KEYPOINTS = (f'model.center_net.keypoint_label_map_path="{DATA}/keypoints.pbtxt"',)

# Architectures that differ in something else than the type.
_VARIANTS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("faster_rcnn_resnet101", "rfcn", "R-FCN", ()),
    ("faster_rcnn_resnet101_keras", "rfcn", "R-FCN", ()),
    ("faster_rcnn_inception_v2", "mask_rcnn", "Mask R-CNN", ()),
    ("faster_rcnn_resnet50", "mask_rcnn", "Mask R-CNN", ()),
    ("faster_rcnn_resnet50_keras", "mask_rcnn", "Mask R-CNN", ()),
    ("faster_rcnn_inception_resnet_v2_keras", "mask_rcnn", "Mask R-CNN", _CROPS_17),
    ("faster_rcnn_resnet101", "context_rcnn", "Context R-CNN", ()),
    ("faster_rcnn_resnet50_keras", "context_rcnn", "Context R-CNN", ()),
    ("resnet_v2_50", "centernet_keypoints", "CenterNet with keypoints", _KEYPOINTS),
    ("resnet_v1_50_fpn", "centernet_keypoints", "CenterNet with keypoints", _KEYPOINTS),
    ("hourglass_104", "centernet_keypoints", "CenterNet with keypoints", _KEYPOINTS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model to try.

    Attributes:
      name: unique among the models, and fit for a file name.
      type: of its feature extractor.
      architecture: as people call it, such as "Mask R-CNN".
      style: "tf1" or "tf2".
      config: what it starts from.
      edits: `field.path=value`, as make_config's --set takes them; may hold `DATA`.
      stages: the commands that it goes through.
    """

    name: str
    type: str
    architecture: str
    style: Style
    config: Path
    edits: tuple[str, ...]
    stages: tuple[str, ...] = ("make_config", "train", "export", "predict")


def models() -> tuple[Model, ...]:
    """Every model, by architecture, then style, then type."""
    found = [*_of_the_maps(), *_variants()]
    return tuple(sorted(found, key=lambda model: (ARCHITECTURES.index(model.architecture), model.style, model.type)))


def _of_the_maps() -> Iterator[Model]:
    for architecture, types in extractors.known().items():
        for name, of_style in types.items():
            key = f"{architecture}/{name}"
            base, kind, edits = next(rest for pattern, *rest in _RULES if re.fullmatch(pattern, key))
            yield _model(architecture, name, of_style, base, kind, edits)


def _variants() -> Iterator[Model]:
    style_of = {(kind, name): found for kind, types in extractors.known().items() for name, found in types.items()}
    for name, base, kind, edits in _VARIANTS:
        architecture = "center_net" if kind.startswith("CenterNet") else "faster_rcnn"
        yield _model(architecture, name, style_of[architecture, name], base, kind, edits)


def _model(architecture: str, name: str, of_style: Style, base: str, kind: str, edits: tuple[str, ...]) -> Model:
    by_type = f'model.{architecture}.feature_extractor.type="{name}"'
    return Model(
        name=f"{base}-{name}",
        type=name,
        architecture=kind,
        style=of_style,
        config=BASES[base].config,
        edits=(*BASES[base].edits, by_type, *edits),
    )
