"""TensorFlow and the engine's own decoder read from the records what the XML files say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from record_builders import build
from record_builders.plan import Request

if TYPE_CHECKING:
    from tests.records.conftest import VocFolder

DECODE = """
    import glob, json, sys
    from tfod_tools.engine import shims

    shims.apply("tf2")
    import tensorflow as tf
    from object_detection.data_decoders.tf_example_decoder import TfExampleDecoder

    output = sys.argv[1]
    decoder = TfExampleDecoder(label_map_proto_file=f"{output}/label_map.pbtxt")
    found = {}
    for record in tf.data.TFRecordDataset(sorted(glob.glob(f"{output}/*.record-?????-of-?????"))):
        decoded = decoder.decode(record)
        found[decoded["source_id"].numpy().decode()] = {
            "shape": decoded["image"].shape.as_list(),
            "boxes": decoded["groundtruth_boxes"].numpy().tolist(),
            "classes": decoded["groundtruth_classes"].numpy().tolist(),
            "difficult": decoded["groundtruth_difficult"].numpy().tolist(),
        }
    json.dump(found, sys.stdout)
"""


def decoded_by_the_engine(output: Path) -> dict[str, dict[str, Any]]:
    """What the engine sees of each image, by source_id; boxes are ymin, xmin, ymax, xmax."""
    command = [sys.executable, "-c", textwrap.dedent(DECODE), str(output)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def assert_engine_sees_the_xml(annotations: Path, images: Path, output: Path) -> None:
    """Makes records and compares every box, class and flag with the XML, read here in the most naive way."""
    manifest = build.write(
        build.plan(Request(format="voc", annotations=annotations, images=images, output=output, shards=3)),
        lambda count: None,
    )
    ids = {entry["name"]: entry["id"] for entry in manifest["label_map"]["classes"]}
    found = decoded_by_the_engine(output)
    paths = sorted(annotations.rglob("*.xml"))
    assert len(found) == len(paths)
    for path in paths:
        root = etree.parse(str(path)).getroot()
        seen = found[path.stem]
        height, width, _ = seen["shape"]
        objects = root.findall("object")
        assert seen["classes"] == [ids[item.findtext("name")] for item in objects]
        assert seen["difficult"] == [item.findtext("difficult", "0") == "1" for item in objects]
        for box, item in zip(seen["boxes"], objects, strict=True):
            corners = [float(item.findtext(f"bndbox/{side}")) for side in ("ymin", "xmin", "ymax", "xmax")]
            sizes = [height, width, height, width]
            assert box == pytest.approx([a / b for a, b in zip(corners, sizes, strict=True)], abs=1e-6)


@pytest.mark.engine
def test_the_engine_sees_every_kind_of_image(voc: VocFolder) -> None:
    """JPEG, PNG and BMP, one of them without objects."""
    voc.add("empty")
    for number, suffix in enumerate(("jpg", "png", "bmp")):
        voc.image(f"{suffix}.{suffix}", (90 + number, 70))
        voc.xml(f"{suffix}.xml", voc.marked("cat", 1, 2.5, 60, 50) + voc.marked("dög", 10, 3, 80 + number, 60))
    assert_engine_sees_the_xml(voc.annotations, voc.images, voc.root / "out")


@pytest.mark.engine
@pytest.mark.parametrize(
    ("annotations", "images"),
    [
        ("voc_raccoon/annotations", "voc_raccoon/images"),
        ("zoo_globox_voc100/data/gts/pascalvoc_format", "zoo_globox_voc100/data/images"),
    ],
)
def test_the_engine_sees_real_data(shared_data: Path, tmp_path: Path, annotations: str, images: str) -> None:
    """The 217 and 273 boxes of two published sets."""
    assert_engine_sees_the_xml(shared_data / annotations, shared_data / images, tmp_path / "out")
