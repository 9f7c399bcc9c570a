"""TensorFlow and the engine's own decoder and evaluators read from the records what the annotations say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree
from records import flagged

from record_builders import formats
from record_builders.annotations import AnnotatedImage, Wanted
from record_builders.output import writing
from record_builders.planning import build
from record_builders.planning.plan import Request
from tfod_tools.base import plugins

if TYPE_CHECKING:
    from tests.records.conftest import VocFolder

FORMATS = Path(formats.__file__).parent
SAMPLES = Path(__file__).parents[1] / "formats"

CHILD = Path(__file__).with_name("engine_eyes.py")


def seen_by_the_engine(*outputs: Path, keypoints: int = 0) -> dict[str, dict[str, Any]]:
    """For each folder `images` as the engine decodes them, by source_id, and `metrics` of the boxes themselves."""
    command = [sys.executable, str(CHILD), str(keypoints), *map(str, outputs)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def assert_engine_sees_the_xml(annotations: Path, images: Path, output: Path) -> None:
    """Makes records and compares every box, class and flag with the XML, read here in the most naive way."""
    manifest = writing.write(
        build.plan(Request(format="voc", annotations=annotations, images=images, output=output, shards=3)),
        lambda count: None,
    )
    ids = {entry["name"]: entry["id"] for entry in manifest["label_map"]["classes"]}
    found = seen_by_the_engine(output)[str(output)]["images"]
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


@pytest.mark.engine
def test_the_engine_sees_every_format(tmp_path: Path) -> None:
    """The sample of each format: boxes, classes, flags, areas, weights, masks, keypoints, labels of images.

    And its evaluators take them: with the boxes themselves as detections, COCO's and Pascal's precision is whole.
    """
    plans = {}
    for name in plugins.names(FORMATS):
        plans[name] = build.plan(
            Request(
                format=name,
                annotations=SAMPLES / name / "annotations",
                images=SAMPLES / name / "images",
                output=tmp_path / name,
                val_fraction=0,
                wanted=Wanted(masks=True),
            )
        )
        writing.write(plans[name], lambda count: None)
    with_keypoints = tmp_path / "coco"
    found = seen_by_the_engine(*(tmp_path / name for name in plans if name != "coco"))
    found |= seen_by_the_engine(with_keypoints, keypoints=2)
    for name, plan in plans.items():
        seen = found[str(tmp_path / name)]
        assert sorted(seen["images"]) == sorted(image.image_id for image in plan.images)
        for image in plan.images:
            assert_engine_sees(seen["images"][image.image_id], image, plan.label_map.ids_by_name())
        assert seen["metrics"]["DetectionBoxes_Precision/mAP"] == pytest.approx(1, abs=1e-6)
        assert seen["metrics"]["PascalBoxes_Precision/mAP@0.5IOU"] == pytest.approx(1, abs=1e-6)
        assert "OpenImagesV2_Precision/mAP@0.5IOU" in seen["metrics"]


def assert_engine_sees(seen: dict[str, Any], image: AnnotatedImage, ids: dict[str, int]) -> None:
    """Everything that the engine decodes is what was annotated."""
    width, height, objects = image.header.width, image.header.height, image.objects
    assert seen["shape"] == [height, width, 3]
    assert seen["classes"] == [ids[item.label] for item in objects]
    for box, item in zip(seen["boxes"], objects, strict=True):
        corners = [item.box.ymin / height, item.box.xmin / width, item.box.ymax / height, item.box.xmax / width]
        assert box == pytest.approx(corners, abs=1e-6)
    for flag in ("difficult", "group_of", "is_crowd"):
        assert list(map(bool, seen[flag])) == [getattr(item, flag) for item in objects]
    assert seen["area"] == pytest.approx([item.area or item.box.area for item in objects])
    assert seen["weights"] == [item.weight for item in objects]
    labels = [item for item in image.labels if item.label in ids]
    assert seen["image_classes"] == [ids[item.label] for item in labels]
    assert seen["image_confidences"] == [float(item.present) for item in labels]
    if any(item.mask for item in objects):
        assert seen["instance_mask_weights"] == [float(item.mask is not None) for item in objects]
        for mask, item in zip(seen["instance_masks"], objects, strict=True):
            assert (len(mask), len(mask[0])) == (height, width)
            assert (sum(map(sum, mask)) > 0) == (item.mask is not None)
    if any(item.keypoints for item in objects):
        visible = [[point.visibility > 0 for point in item.keypoints] for item in objects]
        assert seen["keypoint_visibilities"] == visible


INSIDE = (85, 25, 110, 50)

PASCAL = "PascalBoxes_PerformanceByCategory/AP@0.5IOU/cat"
COCO = "DetectionBoxes_Precision/mAP"
OPEN_IMAGES = "OpenImagesV2_PerformanceByCategory/AP@0.5IOU/cat"
CHALLENGE = "OpenImagesDetectionChallenge_PerformanceByCategory/AP@0.5IOU/dog"

# Of each flag what is detected, on which image, as what and how surely; then metrics with the flag and without. A cat
# that is missed, or a wrong detection before a right one, halves recall or precision.
CASES: dict[str, tuple[dict[str, list[tuple[tuple[int, ...], str, float]]], dict[str, tuple[float, float]]]] = {
    # Whoever misses the difficult cat loses nothing.
    "difficult": ({"a": [(flagged.PLAIN, "cat", 0.5)]}, {PASCAL: (1, 0.5), COCO: (0.505, 0.505)}),
    # What is found in a crowd is passed over, and the crowd need not be found.
    "is_crowd": ({"a": [(flagged.PLAIN, "cat", 0.5), (INSIDE, "cat", 0.9)]}, {COCO: (1, 0.2525), PASCAL: (0.25, 0.25)}),
    "group_of": (
        {"a": [(flagged.PLAIN, "cat", 0.5), (INSIDE, "cat", 0.9)]},
        {OPEN_IMAGES: (1, 0.25), PASCAL: (0.25, 0.25)},
    ),
    # By its area the cat is small, by its box it is of medium size; the other one is of medium size anyway.
    "area": (
        {"a": [(flagged.PLAIN, "cat", 0.5), (flagged.FLAGGED, "cat", 0.9)]},
        {f"{COCO} (small)": (1, -1), f"{COCO} (medium)": (1, 1), COCO: (1, 1)},
    ),
    # A dog where a person saw none is wrong; where nobody looked, it does not count.
    "labels": (
        {"a": [(flagged.FLAGGED, "dog", 0.9)], "b": [(flagged.PLAIN, "dog", 0.5)]},
        {CHALLENGE: (0.5, 1)},
    ),
    # These change no metric of the engine, which does not decode them: they are in the records for others.
    **{
        flag: ({"a": [(flagged.PLAIN, "cat", 0.5)]}, {PASCAL: (0.5, 0.5), OPEN_IMAGES: (0.5, 0.5)})
        for flag in ("truncated", "occluded", "depiction", "inside")
    },
}


@pytest.mark.engine
def test_flags_do_in_evaluation_what_they_are_for(tmp_path: Path) -> None:
    """All in one process of the engine, which is slow to start."""
    outputs = {}
    for name, (_, flags) in flagged.FORMATS.items():
        for flag in flags:
            for on in (True, False):
                folder = tmp_path / name / flag / str(on)
                flagged.write(folder, name, flag, on=on)
                outputs[name, flag, on] = folder / "records"
                make(name, folder, outputs[name, flag, on], CASES[flag][0])
    found = seen_by_the_engine(*outputs.values())
    wrong = []
    for (name, flag, on), output in outputs.items():
        seen = found[str(output)]
        if flag not in ("area", "labels"):
            assert seen["images"]["a"]["raw"].get(flag, [0, 0]) == [0, int(on)], (name, flag)
        for metric, values in CASES[flag][1].items():
            expected = values[0] if on else values[1]
            if seen["metrics"][metric] != pytest.approx(expected, abs=2e-3):
                wrong.append((name, flag, on, metric, seen["metrics"][metric], expected))
    assert not wrong


def make(name: str, folder: Path, output: Path, detections: dict[str, list[Any]]) -> None:
    """The records of the scene in `folder`, with what is detected on it for the engine's process beside them."""
    request = Request(
        format=name, annotations=folder / "annotations", images=folder / "images", output=output, val_fraction=0
    )
    plan = build.plan(request)
    writing.write(plan, lambda count: None)
    ids = plan.label_map.ids_by_name()
    boxes = {
        image: [{"box": box, "class": ids[label], "score": score} for box, label, score in items]
        for image, items in detections.items()
    }
    (output / "detections.json").write_text(json.dumps(boxes))
