"""Templates, each with the edits that make it small enough to train for two steps on a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline_configs.making import template
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text.text_proto import Config

# Few examples, boxes and steps, at a low learning rate.
_TRAINED = """train_config={{
    batch_size: {0} num_steps: 2 gradient_clipping_by_norm: 10.0
    data_augmentation_options {{random_horizontal_flip {{}}}}
    optimizer {{
        use_moving_average: false
        momentum_optimizer {{
            learning_rate {{constant_learning_rate {{learning_rate: {1}}}}} momentum_optimizer_value: 0.9
        }}
    }}
}}"""
_SSD_TRAINED = _TRAINED.format(2, 0.001)
_FASTER_RCNN_TRAINED = _TRAINED.format(1, 0.0003)
_CENTER_NET_TRAINED = """train_config={
    batch_size: 2 num_steps: 2
    data_augmentation_options {random_horizontal_flip {keypoint_flip_permutation: [KEYPOINTS]}}
    optimizer {
        use_moving_average: false
        adam_optimizer {epsilon: 1e-7 learning_rate {constant_learning_rate {learning_rate: 0.0001}}}
    }
}"""

_SSD_NMS = "model.ssd.post_processing.batch_non_max_suppression"
_SSD_FEW = (
    f"{_SSD_NMS}.max_detections_per_class=20",
    f"{_SSD_NMS}.max_total_detections=20",
    # After two steps from random weights the scores of all boxes may be 0.
    "model.ssd.post_processing.logit_scale=1e6",
)
_SSD_FEATURES = "model.ssd.feature_extractor"
_PLAIN_NORMS = "model.ssd.inplace_batchnorm_update=false"
_SHARED = "model.ssd.box_predictor.weight_shared_convolutional_box_predictor"

_FASTER_RCNN_NMS = "model.faster_rcnn.second_stage_post_processing.batch_non_max_suppression"
_MASK_RCNN_PREDICTOR = "model.faster_rcnn.second_stage_box_predictor.mask_rcnn_box_predictor"
_FASTER_RCNN_FEW = (
    "model.faster_rcnn.first_stage_max_proposals=16",
    "model.faster_rcnn.second_stage_batch_size=16",
    f"{_FASTER_RCNN_NMS}.max_detections_per_class=16",
    f"{_FASTER_RCNN_NMS}.max_total_detections=16",
    # After two steps from random weights the scores of all boxes may be 0 and 1, and all boxes background.
    "model.faster_rcnn.second_stage_post_processing.logit_scale=1e6",
)
_FASTER_RCNN_SMALL = (
    "model.faster_rcnn.image_resizer.keep_aspect_ratio_resizer={min_dimension: 96 max_dimension: 128}",
    "model.faster_rcnn.first_stage_anchor_generator.grid_anchor_generator.scales=[0.25, 0.5, 1.0]",
)
_NOT_FOR_TPUS = (
    "model.faster_rcnn.use_matmul_crop_and_resize=false",
    "model.faster_rcnn.clip_anchors_to_image=false",
    "model.faster_rcnn.use_matmul_gather_in_matcher=false",
    "model.faster_rcnn.use_static_balanced_label_sampler=false",
    "model.faster_rcnn.use_static_shapes=false",
)
_CENTER_NET_SMALL = (
    "model.center_net.image_resizer.keep_aspect_ratio_resizer="
    "{min_dimension: 128 max_dimension: 128 pad_to_max_dimension: true}",
    "model.center_net.feature_extractor.channel_means=[123.68, 116.779, 103.939]",
    "model.center_net.feature_extractor.channel_stds=[58.395, 57.12, 57.375]",
    "model.center_net.object_center_params.max_box_predictions=20",
)
_KEYPOINTS = "model.center_net.keypoint_estimation_task[0]"


@dataclass(frozen=True, slots=True)
class Base:
    """A template and `field.path=value` edits, as make_config's --set takes them."""

    template: str
    edits: tuple[str, ...]

    @property
    def config(self) -> Path:
        """The file of the template."""
        return template.FOLDER / f"{self.template}.config"

    def small(self) -> Config:
        """The template with the edits, not filled from records."""
        return ConfigPatch(edits=tuple(Edit.read(edit) for edit in self.edits)).apply(template.read(self.template))


BASES: Mapping[str, Base] = {
    "ssd": Base("ssd_mobilenet_v2_300x300", (
        "model.ssd.image_resizer.fixed_shape_resizer={height: 96 width: 96}",
        f"{_SSD_FEATURES}.conv_hyperparams.batch_norm.decay=0.97",
        "model.ssd.box_predictor.convolutional_box_predictor.conv_hyperparams.batch_norm.decay=0.97",
        "model.ssd.box_predictor.convolutional_box_predictor.use_dropout=true",
        "model.ssd.box_predictor.convolutional_box_predictor.kernel_size=3",
        *_SSD_FEW, _SSD_TRAINED,
    )),
    "ssd_fpn": Base("ssd_resnet50_v1_fpn_shared_box_predictor_640x640", (
        # The ResNet extractors refuse images below 129 pixels.
        "model.ssd.image_resizer.fixed_shape_resizer={height: 160 width: 160}",
        f"{_SSD_FEATURES}.conv_hyperparams.batch_norm.decay=0.97",
        f"{_SSD_FEATURES}.fpn.additional_layer_depth=64",
        f"{_SHARED}.conv_hyperparams.batch_norm.decay=0.97",
        f"{_SHARED}.num_layers_before_predictor=2",
        f"{_SHARED}.depth=64",
        _PLAIN_NORMS, *_SSD_FEW, _SSD_TRAINED,
    )),
    "ssd_ppn": Base("ssd_mobilenet_v1_ppn_shared_box_predictor_300x300", (
        "model.ssd.image_resizer.fixed_shape_resizer={height: 160 width: 160}",
        f"{_SSD_FEATURES}.override_base_feature_extractor_hyperparams=false",
        f"{_SHARED}.depth=64",
        _PLAIN_NORMS, *_SSD_FEW, _SSD_TRAINED,
        "train_config.data_augmentation_options=[]",
    )),
    "efficientdet": Base("ssd_efficientdet_d0_512x512_keras", (
        "model.ssd.image_resizer.keep_aspect_ratio_resizer="
        "{min_dimension: 256 max_dimension: 256 pad_to_max_dimension: true}",
        "model.ssd.box_coder.faster_rcnn_box_coder={y_scale: 1.0 x_scale: 1.0 height_scale: 1.0 width_scale: 1.0}",
        _PLAIN_NORMS, *_SSD_FEW, _SSD_TRAINED,
        "train_config.batch_size=1",
        "train_config.gradient_clipping_by_norm=0.0",
        "train_config.data_augmentation_options[0]="
        "{random_scale_crop_and_pad_to_square {output_size: 256 scale_min: 0.5 scale_max: 2.0}}",
    )),
    "faster_rcnn": Base("faster_rcnn_resnet50", (
        *_FASTER_RCNN_SMALL, *_FASTER_RCNN_FEW, _FASTER_RCNN_TRAINED,
    )),
    "faster_rcnn_fpn": Base("faster_rcnn_resnet50_v1_fpn_640x640_keras", (
        "model.faster_rcnn.image_resizer.keep_aspect_ratio_resizer="
        "{min_dimension: 128 max_dimension: 128 pad_to_max_dimension: true}",
        "model.faster_rcnn.feature_extractor.override_base_feature_extractor_hyperparams=false",
        "model.faster_rcnn.first_stage_anchor_generator.multiscale_anchor_generator.anchor_scale=8.0",
        "model.faster_rcnn.first_stage_anchor_generator.multiscale_anchor_generator.scales_per_octave=1",
        "model.faster_rcnn.initial_crop_size=7",
        "model.faster_rcnn.maxpool_kernel_size=1",
        "model.faster_rcnn.maxpool_stride=1",
        *_NOT_FOR_TPUS, *_FASTER_RCNN_FEW, _FASTER_RCNN_TRAINED,
    )),
    "rfcn": Base("rfcn_resnet101", (
        "model.faster_rcnn.second_stage_box_predictor.rfcn_box_predictor.depth=64",
        "model.faster_rcnn.second_stage_box_predictor.rfcn_box_predictor.conv_hyperparams.activation=RELU_6",
        *_FASTER_RCNN_SMALL, *_FASTER_RCNN_FEW, _FASTER_RCNN_TRAINED,
    )),
    "mask_rcnn": Base("mask_rcnn_inception_v2", (
        f"{_MASK_RCNN_PREDICTOR}.mask_prediction_conv_depth=32",
        *_FASTER_RCNN_SMALL, *_FASTER_RCNN_FEW, _FASTER_RCNN_TRAINED,
    )),
    "context_rcnn": Base("context_rcnn_resnet101", (
        "model.faster_rcnn.image_resizer.fixed_shape_resizer={height: 96 width: 96}",
        "model.faster_rcnn.first_stage_anchor_generator.grid_anchor_generator.scales=[0.25, 0.5, 1.0]",
        "model.faster_rcnn.feature_extractor.batch_norm_trainable=false",
        f"{_MASK_RCNN_PREDICTOR}.share_box_across_classes=false",
        # As many as the records have.
        "model.faster_rcnn.context_config="
        "{max_num_context_features: 10 attention_bottleneck_dimension: 16 context_feature_length: 16}",
        *_NOT_FOR_TPUS, *_FASTER_RCNN_FEW, _FASTER_RCNN_TRAINED,
    )),
    "centernet": Base("centernet_resnet50_v2_512x512_keras", (
        *_CENTER_NET_SMALL, _CENTER_NET_TRAINED.replace("KEYPOINTS", ""),
    )),
    # The top and the bottom of each ball.
    "centernet_keypoints": Base("centernet_resnet50_v1_fpn_512x512_kpts_keras", (
        *_CENTER_NET_SMALL, _CENTER_NET_TRAINED.replace("KEYPOINTS", "0, 1"),
        f'{_KEYPOINTS}.task_name="ball_ends"',
        f'{_KEYPOINTS}.keypoint_class_name="ball"',
        f'{_KEYPOINTS}.keypoint_label_to_std=[{{key: "top" value: 0.3}}, {{key: "bottom" value: 0.3}}]',
        "train_input_reader.num_keypoints=2",
        "eval_input_reader[0].num_keypoints=2",
    )),
}  # fmt: skip
