"""Named edits, spelled out for each architecture, and one line where they have no meaning."""

from __future__ import annotations

import pytest

from pipeline_configs.making import edits, template
from pipeline_configs.patches.patch import ConfigPatch
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import UsageError

SSD = template.read("ssd_mobilenet_v2_300x300")
FOCAL = template.read("ssd_mobilenet_v2_320x320_keras")
FASTER_RCNN = template.read("faster_rcnn_resnet50")
EMBEDDED = template.read("embedded_ssd_mobilenet_v1_256x256")
CENTER_NET = schema.parse('model { center_net { feature_extractor { type: "x" } } }')
NOTHING = schema.parse("model { ssd { } }")
MULTISCALE = schema.parse("model { ssd { anchor_generator { multiscale_anchor_generator { } } } }")
FLEXIBLE = schema.parse("model { ssd { anchor_generator { flexible_grid_anchor_generator { } } } }")

ANCHORS = "model.ssd.anchor_generator.ssd_anchor_generator"
LEVELS = "model.ssd.anchor_generator.multiscale_anchor_generator"
GRID = "model.faster_rcnn.first_stage_anchor_generator.grid_anchor_generator"
MINER = "model.ssd.loss.hard_example_miner"
LOSS = "model.ssd.loss.classification_loss.weighted_sigmoid_focal"
SECOND = "model.faster_rcnn.second_stage"
KEPT = "image_resizer.keep_aspect_ratio_resizer"
EXTRACTOR = "model.ssd.feature_extractor.conv_hyperparams.regularizer"
PREDICTOR = "model.ssd.box_predictor.convolutional_box_predictor"


@pytest.mark.parametrize(
    ("config", "name", "text", "spelled"),
    [
        (SSD, "classes", "2", ["model.ssd.num_classes=2"]),
        (CENTER_NET, "classes", "2", ["model.center_net.num_classes=2"]),
        (
            SSD,
            "resize",
            "300x512",
            [
                "model.ssd.image_resizer.fixed_shape_resizer.height=300",
                "model.ssd.image_resizer.fixed_shape_resizer.width=512",
            ],
        ),
        (
            SSD,
            "resize",
            "keep:600,1024",
            [
                f"model.ssd.{KEPT}.min_dimension=600",
                f"model.ssd.{KEPT}.max_dimension=1024",
                f"model.ssd.{KEPT}.pad_to_max_dimension=true",
            ],
        ),
        (
            FASTER_RCNN,
            "resize",
            "keep:300,300",
            [f"model.faster_rcnn.{KEPT}.min_dimension=300", f"model.faster_rcnn.{KEPT}.max_dimension=300"],
        ),
        (
            SSD,
            "regularizer",
            "l2:7e-5",
            [
                f"{EXTRACTOR}.l2_regularizer.weight=7e-5",
                f"{PREDICTOR}.conv_hyperparams.regularizer.l2_regularizer.weight=7e-5",
                "model.ssd.feature_extractor.override_base_feature_extractor_hyperparams=true",
            ],
        ),
        (SSD, "hard_miner", "off", [f"unset {MINER}"]),
        (SSD, "hard_miner", "negatives_per_positive=5", [f"{MINER}.max_negatives_per_positive=5"]),
        (
            SSD,
            "hard_miner",
            "iou_threshold=0.9, num_hard_examples=9",
            [f"{MINER}.iou_threshold=0.9", f"{MINER}.num_hard_examples=9"],
        ),
        (
            NOTHING,
            "hard_miner",
            "negatives_per_positive=5",
            [
                f"{MINER}.num_hard_examples=3000",
                f"{MINER}.iou_threshold=0.99",
                f"{MINER}.loss_type=CLASSIFICATION",
                f"{MINER}.max_negatives_per_positive=5",
                f"{MINER}.min_negatives_per_image=3",
            ],
        ),
        (FASTER_RCNN, "hard_miner", "off", ["unset model.faster_rcnn.hard_example_miner"]),
        (
            SSD,
            "focal",
            "0.25,2",
            [
                f"{LOSS}.alpha=0.25",
                f"{LOSS}.gamma=2",
                f"unset {MINER}",
                "model.ssd.post_processing.score_converter=SIGMOID",
                f"{PREDICTOR}.class_prediction_bias_init=-4.6",
            ],
        ),
        (
            NOTHING,
            "focal",
            " 1 , 0 ",
            [f"{LOSS}.alpha=1", f"{LOSS}.gamma=0", "model.ssd.post_processing.score_converter=SIGMOID"],
        ),
        (
            FASTER_RCNN,
            "focal",
            "0.25,2",
            [
                f"{SECOND}_classification_loss.weighted_sigmoid_focal.alpha=0.25",
                f"{SECOND}_classification_loss.weighted_sigmoid_focal.gamma=2",
                f"{SECOND}_post_processing.score_converter=SIGMOID",
            ],
        ),
        (
            SSD,
            "anchors",
            "scales=0.1..0.9 aspect_ratios=1,2",
            [
                f"{ANCHORS}.min_scale=0.1",
                f"{ANCHORS}.max_scale=0.9",
                f"unset {ANCHORS}.scales",
                f"{ANCHORS}.aspect_ratios=1,2",
            ],
        ),
        (
            SSD,
            "anchors",
            "scales=0.1,0.2;layers=2;reduce_boxes_in_lowest_layer=false",
            [f"{ANCHORS}.scales=0.1,0.2", f"{ANCHORS}.num_layers=2", f"{ANCHORS}.reduce_boxes_in_lowest_layer=false"],
        ),
        (
            MULTISCALE,
            "anchors",
            "scale=3 levels=2..5 scales_per_octave=3",
            [
                f"{LEVELS}.anchor_scale=3",
                f"{LEVELS}.min_level=2",
                f"{LEVELS}.max_level=5",
                f"{LEVELS}.scales_per_octave=3",
            ],
        ),
        (
            FASTER_RCNN,
            "anchors",
            "size=128 stride=8 scales=0.5,1",
            [
                f"{GRID}.height=128",
                f"{GRID}.width=128",
                f"{GRID}.height_stride=8",
                f"{GRID}.width_stride=8",
                f"{GRID}.scales=0.5,1",
            ],
        ),
    ],
)
def test_spelled_out(config: Config, name: str, text: str, spelled: list[str]) -> None:
    found = edits.edits(name, text, config)
    assert [str(edit) for edit in found] == spelled
    once = ConfigPatch(edits=found).apply(config)
    if name != "hard_miner" or config is not NOTHING:
        assert ConfigPatch(edits=edits.edits(name, text, once)).apply(once) == once


@pytest.mark.parametrize(
    ("config", "name", "text", "problem"),
    [
        (SSD, "classes", "0", "--classes is '0', expected a number from 1 on."),
        (SSD, "classes", "cat,dog", "--classes is 'cat,dog', expected a number"),
        (SSD, "resize", "300", "--resize is '300', expected HEIGHTxWIDTH or keep:MIN,MAX"),
        (SSD, "resize", "keep:600,300", "--resize is 'keep:600,300'"),
        (SSD, "resize", "0x300", "--resize is '0x300'"),
        (EMBEDDED, "resize", "300x300", "embedded_ssd_mobilenet_v1 takes only images of 256x256."),
        (SSD, "regularizer", "l3:1", "--regularizer is 'l3:1', expected l2:WEIGHT or l1:WEIGHT"),
        (SSD, "regularizer", "l2:nan", "--regularizer is 'l2:nan'"),
        (SSD, "regularizer", "l2", "--regularizer is 'l2'"),
        (CENTER_NET, "regularizer", "l2:1", "--regularizer: center_net has none in its config."),
        (SSD, "hard_miner", "on", "--hard_miner: found 'on', expected off or such as negatives_per_positive=3."),
        (SSD, "hard_miner", "negatives_per_image=3", "Did you mean min_negatives_per_image"),
        (FOCAL, "hard_miner", "negatives_per_positive=3", "--hard_miner: the focal loss weighs hard boxes itself"),
        (CENTER_NET, "hard_miner", "off", "--hard_miner: center_net has no hard example mining"),
        (SSD, "focal", "2", "--focal is '2', expected alpha from 0 to 1 and gamma from 0 on, such as 0.25,2."),
        (SSD, "focal", "2,0.25", "--focal is '2,0.25'"),
        (SSD, "focal", "a,b", "--focal is 'a,b'"),
        (CENTER_NET, "focal", "0.25,2", "--focal: center_net has a focal loss of its own"),
        (SSD, "anchors", "", "--anchors is empty"),
        (SSD, "anchors", "0.1..0.9", "--anchors: '0.1..0.9' has no value"),
        (SSD, "anchors", "aspect_ratio=1", "ssd_anchor_generator has no 'aspect_ratio'. Did you mean aspect_ratios?"),
        (
            SSD,
            "anchors",
            "aspect_ratios=1..2",
            "aspect_ratios=1..2 is a range, which ssd_anchor_generator takes of scales.",
        ),
        (FASTER_RCNN, "anchors", "scales=1..2", "which grid_anchor_generator takes of nothing."),
        (FLEXIBLE, "anchors", "scales=1", "the config has flexible_grid_anchor_generator, expected one of"),
        (NOTHING, "anchors", "scales=1", "the config has no anchor generator"),
        (CENTER_NET, "anchors", "scales=1", "--anchors: center_net has no anchors; it finds objects by their centers."),
    ],
)
def test_one_line_says_why_not(config: Config, name: str, text: str, problem: str) -> None:
    with pytest.raises(UsageError) as caught:
        edits.edits(name, text, config)
    assert problem in str(caught.value)


def test_a_bias_that_is_set_stays() -> None:
    config = ConfigPatch(edits=edits.edits("focal", "0.25,2", SSD)).apply(SSD)
    assert not [edit for edit in edits.edits("focal", "0.5,2", config) if "bias" in edit.path]


@pytest.mark.parametrize("name", edits.names())
def test_each_has_a_line_of_help(name: str) -> None:
    assert edits.help_of(name).endswith(".")
