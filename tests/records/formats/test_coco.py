"""What only COCO files have: ids of any kind, outlines, keypoints, several files in a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from record_builders.annotations import AnnotatedImage, Fault, Found, Keypoint, Wanted
from record_builders.formats import coco
from record_builders.images.masks import Polygons, RunLengths
from record_builders.sources.folders import ImageFolder
from tfod_tools.base.errors import AnnotationError

IMAGES = [{"id": 2**40, "file_name": "train/a.jpg"}, {"id": "b", "file_name": "b.jpg", "width": 100, "height": 50}]
CATEGORIES = [
    {"id": 90, "name": "cat", "keypoints": ["nose", "tail"]},
    {"id": 2**33, "name": "dog", "keypoints": ["tail", "ear"]},
    {"id": 3, "name": "ant"},
]


def annotation(image_id: object, category_id: int, **others: object) -> dict[str, Any]:
    return {"image_id": image_id, "category_id": category_id, "bbox": [1, 2, 29.5, 38]} | others


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images" / "train").mkdir(parents=True)
    for name in ("train/a.jpg", "b.jpg", "other/a.jpg"):
        (tmp_path / "images" / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (100, 50)).save(tmp_path / "images" / name)
    return tmp_path


def read(folder: Path, *annotations: object, name: str = "x.json", **wanted: Any) -> list[Found]:
    content = {"images": IMAGES, "categories": CATEGORIES, "annotations": annotations}
    (folder / name).write_text(json.dumps(content))
    return list(coco.read(folder / name, ImageFolder(folder / "images"), Wanted(**wanted)))


def test_ids_and_names(folder: Path) -> None:
    """Ids beyond 32 bits and texts; names with folders; an image without an annotation is background."""
    found = read(folder, annotation(2**40, 2**33, iscrowd=1, area=7.5), annotation(2**40, 3))
    images = [item for item in found if isinstance(item, AnnotatedImage)]
    assert [(image.image_id, image.image_name, len(image.objects)) for image in images] == [
        ("train/a.jpg", "train/a.jpg", 2),
        ("b", "b.jpg", 0),
    ]
    crowd, ant = images[0].objects
    assert (crowd.label, crowd.is_crowd, crowd.area, crowd.box.xmax, crowd.box.ymax) == ("dog", True, 7.5, 30.5, 40)
    assert (ant.label, ant.is_crowd, ant.area) == ("ant", False, None)


def test_outlines(folder: Path) -> None:
    """Only where they are wanted."""
    ring, counts = [1, 2, 30, 2, 30, 40], [4000, 20, 980]
    objects = [
        annotation("b", 90, segmentation=[ring]),
        annotation("b", 90, segmentation={"size": [50, 100], "counts": counts}),
        annotation("b", 90, segmentation=[]),
    ]
    with_masks = read(folder, *objects, masks=True)[1]
    assert isinstance(with_masks, AnnotatedImage)
    assert [item.mask for item in with_masks.objects] == [
        Polygons(rings=(tuple(map(float, ring)),)),
        RunLengths(counts=tuple(counts), width=100, height=50),
        None,
    ]
    without = read(folder, *objects)[1]
    assert isinstance(without, AnnotatedImage)
    assert not any(item.mask for item in without.objects)


def test_keypoints(folder: Path) -> None:
    """Every object has those of all categories in one order, as the engine needs the same number for each."""
    cat = annotation("b", 90, keypoints=[5, 6, 2, 7, 8, 1])
    dog = annotation("b", 2**33, keypoints=[1, 2, 2, 3, 4, 2])
    image = read(folder, cat, dog, annotation("b", 3))[1]
    assert isinstance(image, AnnotatedImage)
    assert [tuple((p.name, p.x, p.y, p.visibility) for p in item.keypoints) for item in image.objects] == [
        (("nose", 5, 6, 2), ("tail", 7, 8, 1), ("ear", 0, 0, 0)),
        (("nose", 0, 0, 0), ("tail", 1, 2, 2), ("ear", 3, 4, 2)),
        (("nose", 0, 0, 0), ("tail", 0, 0, 0), ("ear", 0, 0, 0)),
    ]
    assert isinstance(image.objects[0].keypoints[0], Keypoint)


def test_the_files_of_a_folder(folder: Path) -> None:
    """Captions lie next to instances and are passed over; image sets are parts of names."""
    content = {"images": IMAGES[:1], "categories": CATEGORIES, "annotations": []}
    for name in ("instances_train2017", "instances_val2017", "captions_val2017"):
        (folder / f"{name}.json").write_text(json.dumps(content | {"images": [IMAGES["val" in name]]}))

    def names(*sets: str) -> list[str]:
        found = coco.read(folder, ImageFolder(folder / "images"), Wanted(image_sets=sets))
        return [item.image_name for item in found if isinstance(item, AnnotatedImage)]

    assert names() == ["train/a.jpg", "b.jpg"]
    assert names("val2017") == names("instances_val2017") == ["b.jpg"]
    with pytest.raises(
        AnnotationError, match=r"there is no image set .val2014.\. The image sets here: instances_train2017, inst"
    ):
        names("val2014")


def test_published_samples(shared_data: Path) -> None:
    """Layouts of folders, crowds as run lengths, keypoints."""
    assets = shared_data / "zoo_datumaro_assets" / "tests" / "assets" / "coco_dataset"
    for name, boxes in {"coco": 3, "coco_roboflow": 3, "mmdet_coco": 3, "coco_stuff": 2, "coco_image_info": 0}.items():
        found = list(coco.read(assets / name, ImageFolder(assets / name), Wanted(masks=True)))
        assert not [item.error for item in found if isinstance(item, Fault)]
        assert sum(len(item.objects) for item in found if isinstance(item, AnnotatedImage)) == boxes
