"""The style of a config follows from the engine's own lists of feature extractors."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pipeline_configs import style
from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError

ROOT = Path(__file__).parents[2]
WILD = ROOT.parent / "shared" / "data" / "wild_configs"


def config_with(architecture: str, extractor: str) -> Config:
    return schema.parse(f'model {{ {architecture} {{ feature_extractor {{ type: "{extractor}" }} }} }}')


OWN = {path.stem for path in (ROOT / "tfod_tools" / "engine" / "extractors").glob("[a-z]*.py")}


def test_all_extractors_of_the_engine_are_found() -> None:
    known = style.extractors()
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
    assert style.style_of(config_with(architecture, extractor)) == expected


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
        style.style_of(config_with(architecture, extractor))
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
    assert style.style_of(config_with(architecture, extractor), "mine.py") == expected


def test_an_extension_does_not_make_up_for_a_type_that_is_missing() -> None:
    with pytest.raises(ConfigError, match="no extractor is called ''"):
        style.style_of(config_with("ssd", ""), "mine.py")


def test_every_extractor_of_this_package_is_known() -> None:
    assert OWN
    known = style.extractors()
    assert OWN.issubset(name for names in known.values() for name in names)


def test_the_engine_is_read_and_not_run() -> None:
    code = (
        "import sys; from pipeline_configs import style; style.extractors();"
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
    found = {name: style.style_of(schema.read(WILD / "pipeline" / name)) for name in names}
    assert {name for name in found if found[name] == "tf2"} == {
        name for name in found if "efficientdet" in name or "inference_graph" in name
    }
