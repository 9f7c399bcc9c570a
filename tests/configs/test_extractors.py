"""What the type names of feature extractors mean."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from support import tiny_run

from pipeline_configs import extractors
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError

ROOT = Path(__file__).parents[2]
WILD = ROOT.parent / "shared" / "data" / "wild_configs"


def config_with(architecture: str, extractor: str) -> Config:
    return schema.parse(f'model {{ {architecture} {{ feature_extractor {{ type: "{extractor}" }} }} }}')


OWN = {path.stem for path in (ROOT / "tfod_tools" / "engine" / "extractors").glob("[a-z]*.py")}


def test_all_extractors_of_the_engine_are_found() -> None:
    known = extractors.known()
    counts = Counter(
        (architecture, found)
        for architecture in known
        for name, found in known[architecture].items()
        if name not in OWN
    )
    assert counts == {
        ("ssd", "tf1"): 25,
        ("faster_rcnn", "tf1"): 7,
        ("ssd", "tf2"): 15,
        ("faster_rcnn", "tf2"): 7,
        ("center_net", "tf2"): 14,
    }


@pytest.mark.parametrize(
    ("architecture", "extractor", "expected"),
    [
        ("ssd", "ssd_mobilenet_v2", "tf1"),
        ("ssd", "ssd_mobilenet_v2_keras", "tf2"),
        ("ssd", "ssd_efficientnet-b0_bifpn_keras", "tf2"),
        ("faster_rcnn", "faster_rcnn_resnet50", "tf1"),
        ("faster_rcnn", "faster_rcnn_resnet50_fpn_keras", "tf2"),
        ("center_net", "hourglass_104", "tf2"),
        ("ssd", "ssd_vgg16_keras", "tf2"),
    ],
)
def test_style_of(architecture: str, extractor: str, expected: str) -> None:
    assert extractors.style_of(config_with(architecture, extractor)) == expected


@pytest.mark.parametrize(
    ("architecture", "extractor", "expected"),
    [
        (
            "ssd",
            "ssd_mobilnet_v2",
            "model.ssd.feature_extractor.type: no extractor is called 'ssd_mobilnet_v2'. Did you",
        ),
        ("ssd", "faster_rcnn_resnet50", "no extractor is called 'faster_rcnn_resnet50'"),
        ("center_net", "", "no extractor is called ''. Known: hourglass_10, "),
        ("faster_rcnn", "ssd_vgg16_keras", "no extractor is called 'ssd_vgg16_keras'"),
    ],
)
def test_unknown_extractors(architecture: str, extractor: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        extractors.style_of(config_with(architecture, extractor))
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("architecture", "extractor", "expected"),
    [
        ("ssd", "ssd_mine", "tf1"),
        ("ssd", "ssd_mine_keras", "tf2"),
        ("faster_rcnn", "mine", "tf1"),
        ("faster_rcnn", "mine_keras", "tf2"),
        ("center_net", "mine", "tf2"),
        ("ssd", "ssd_mobilenet_v2_keras", "tf2"),
    ],
)
def test_the_style_of_an_extractor_of_ones_own_is_in_its_name(architecture: str, extractor: str, expected: str) -> None:
    assert extractors.style_of(config_with(architecture, extractor), "mine.py") == expected


def test_an_extension_does_not_make_up_for_a_type_that_is_missing() -> None:
    with pytest.raises(ConfigError, match="no extractor is called ''"):
        extractors.style_of(config_with("ssd", ""), "mine.py")


def test_every_extractor_of_this_package_is_known() -> None:
    assert OWN
    known = extractors.known()
    assert OWN.issubset(name for names in known.values() for name in names)


def test_the_engine_is_read_and_not_run() -> None:
    code = (
        "import sys; from pipeline_configs import extractors; extractors.known();"
        "print(sorted({'tensorflow', 'object_detection', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_configs_of_other_people_have_a_style() -> None:
    if not WILD.is_dir():
        pytest.skip("the collection of configs from other repositories is not here")
    with (WILD / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        rows = [row for row in csv.DictReader(index, delimiter="\t") if row["parse_merge"] == "ok"]
    names = [row["file"] for row in rows if row["kind"] == "pipeline"]
    found = {name: extractors.style_of(schema.read(WILD / "pipeline" / name)) for name in names}
    assert {name for name in found if found[name] == "tf2"} == {
        name for name in found if "efficientdet" in name or "inference_graph" in name
    }


# Prints, for each backbone, millions of numbers that the convolutions of Keras's model put out for 224x224 pixels.
COUNT = """
import json
import tf_keras
models = tf_keras.applications
BUILDERS = {
    "mobilenet_v1": models.MobileNet, "mobilenet_v2": models.MobileNetV2,
    "mobilenet_v3_large": models.MobileNetV3Large, "mobilenet_v3_small": models.MobileNetV3Small,
    "resnet50": models.ResNet50, "resnet101": models.ResNet101, "resnet152": models.ResNet152,
    "resnet_v1_50": models.ResNet50, "resnet_v1_101": models.ResNet101,
    "resnet_v2_50": models.ResNet50V2, "resnet_v2_101": models.ResNet101V2,
    "inception_resnet_v2": models.InceptionResNetV2, "inception_v3": models.InceptionV3, "vgg16": models.VGG16,
    **{f"efficientnet-b{i}": getattr(models, f"EfficientNetB{i}") for i in range(8)},
}
CONVOLUTIONS = (tf_keras.layers.Conv2D, tf_keras.layers.DepthwiseConv2D)
def count(build):
    model = build(weights=None, include_top=False, input_shape=(224, 224, 3))
    shapes = [layer.output_shape for layer in model.layers if isinstance(layer, CONVOLUTIONS)]
    return sum(height * width * channels for _, height, width, channels in shapes) / 1e6
print(json.dumps({name: count(build) for name, build in BUILDERS.items()}))
"""


@pytest.mark.long
def test_the_counts_of_base_networks_are_those_of_keras() -> None:
    done = subprocess.run([sys.executable, "-c", COUNT], env=tiny_run.environment(), capture_output=True, text=True,
                          check=True)  # fmt: skip
    counted = json.loads(done.stdout.splitlines()[-1])
    counts = {name: one.millions for name, one in extractors.BACKBONES.items() if one.millions}
    assert counted == pytest.approx(counts, abs=0.005)


@pytest.mark.parametrize("architecture", ["ssd", "faster_rcnn"])
def test_only_one_extractor_has_feature_maps_that_are_not_known(architecture: str) -> None:
    unknown = {name for name in extractors.known()[architecture] if extractors.of(name).maps == "unknown"}
    assert unknown == ({"ssd_spaghettinet"} if architecture == "ssd" else set())


def test_a_pyramid_is_described_by_a_field_that_the_type_takes() -> None:
    for types in extractors.known().values():
        for found in map(extractors.of, types):
            assert not found.pyramid or found.pyramid in found.takes


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ssd_mobilenet_v1_ppn", False),
        ("ssd_resnet50_v1_ppn", True),
        ("ssd_mobilenet_v2", True),
        ("ssd_mobilenet_v2_fpn", False),
        ("ssd_mobilenet_v3_small", False),
        ("ssd_vgg16_keras", True),
        ("embedded_ssd_mobilenet_v1", False),
    ],
)
def test_which_types_ask_for_the_number_of_feature_maps(name: str, expected: bool) -> None:
    assert extractors.of(name).uses_num_layers == expected


def test_a_type_of_the_users_own_is_read_by_its_name() -> None:
    found = extractors.of("ssd_mobilenet_v2_mine_fpn_keras")
    assert (found.pyramid, found.backbone) == ("fpn", extractors.BACKBONES["mobilenet_v2"])
    assert extractors.of("mine").backbone == extractors.Backbone()
