"""What the samples of CSV, YOLO, LabelMe, CVAT, KITTI and BDD100K do not show; and how a format is recognised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from record_builders import formats
from record_builders.annotations import AnnotatedImage, Fault, Found, LeftOut, ObjectAnnotation, Wanted
from record_builders.sources.folders import ImageFolder
from record_builders.sources.recognise import recognise
from tfod_tools.base import plugins
from tfod_tools.base.errors import AnnotationError, Problems, UsageError

FOLDER = Path(formats.__file__).parent


class Sample:
    """A folder of annotations and one of images of 100x50 pixels."""

    def __init__(self, root: Path) -> None:
        self.annotations, self.images = root / "annotations", root / "images"
        self.annotations.mkdir()
        self.images.mkdir()
        self.image("x.jpg")

    def image(self, name: str) -> None:
        path = self.images / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (100, 50)).save(path)

    def write(self, name: str, text: str) -> Path:
        path = self.annotations / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def read(self, name: str, *sets: str, masks: bool = False) -> list[Found]:
        module = plugins.load("record_builders.formats", FOLDER, name, "annotation format")
        return list(module.read(self.annotations, ImageFolder(self.images), Wanted(image_sets=sets, masks=masks)))

    def objects(self, name: str, *sets: str) -> list[ObjectAnnotation]:
        """Of all images; nothing may be wrong."""
        found = self.read(name, *sets)
        assert not [item.error for item in found if isinstance(item, Fault)]
        return [each for item in found if isinstance(item, AnnotatedImage) for each in item.objects]

    def names(self, name: str, *sets: str) -> list[str]:
        return [item.image_name for item in self.read(name, *sets) if isinstance(item, AnnotatedImage)]


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample(tmp_path)


def corners(item: ObjectAnnotation) -> tuple[float, ...]:
    return tuple(round(side, 6) for side in (item.box.xmin, item.box.ymin, item.box.xmax, item.box.ymax))


@pytest.mark.parametrize(
    "text",
    [
        "filename,width,height,class,xmin,ymin,xmax,ymax\nx.jpg,100,50,cat,1,2,30,40\n",
        "ymax;ymin;xmax;xmin;label;image\n40;2;30;1;cat;x.jpg\n",
        "image_name\tlabel_name\tx1\ty1\tw\th\nx.jpg\tcat\t1\t2\t29\t38\n",
        '"Image Path","Category","X_Min","Y_Min","X_Max","Y_Max","by"\n"C:\\pics\\x.jpg","cat","1","2","30","40",""\n',
        "\ufefffilename,class,xmin,ymin,xmax,ymax\r\nx,cat,1,2,30,40\r\n",
    ],
)
def test_csv_columns(sample: Sample, text: str) -> None:
    """By name, in any order, however they are parted; the file with folders, or its stem alone."""
    sample.write("a.csv", text)
    (item,) = sample.objects("csv")
    assert (item.label, corners(item), item.line) == ("cat", (1, 2, 30, 40), 2)


def test_csv_rows_apart(sample: Sample) -> None:
    """Rows of one image need not follow one another; flags have columns; sets are files."""
    sample.image("y.jpg")
    rows = ["x.jpg,cat,1,2,30,40,1,0", "y.jpg,dog,1,2,30,40,0,0", "x.jpg,ant,1,2,30,40,0,true", "", "y.jpg,,,,,,,"]
    header = "filename,class,xmin,ymin,xmax,ymax,difficult,is_crowd"
    sample.write("train_labels.csv", "\n".join([header, *rows]))
    found = [item for item in sample.read("csv", "labels") if isinstance(item, AnnotatedImage)]
    assert [(i.image_name, [(o.label, o.difficult, o.is_crowd) for o in i.objects]) for i in found] == [
        ("x.jpg", [("cat", True, False), ("ant", False, True)]),
        ("y.jpg", [("dog", False, False)]),
    ]


def test_yolo_layouts(sample: Sample) -> None:
    """Ultralytics' folders: labels/train/a.txt for images/train/a.jpg; sets by folder or by a list of images."""
    for split in ("train", "val"):
        sample.image(f"images/{split}/a.jpg")
        sample.write(f"labels/{split}/a.txt", "1 0.5 0.5 0.2 0.4 0.9\n")
    sample.write("data.yaml", "names: {0: cat, 1: dog}\n")
    assert sample.names("yolo") == ["images/train/a.jpg", "images/val/a.jpg"]
    assert sample.names("yolo", "val") == ["images/val/a.jpg"]
    assert [(item.label, corners(item)) for item in sample.objects("yolo", "val")] == [("dog", (40, 15, 60, 35))]
    sample.write("test.txt", "images/val/a.jpg\n")
    assert len(sample.names("yolo", "test")) == 2
    with pytest.raises(AnnotationError, match="there is no image set 'dev'"):
        sample.read("yolo", "dev")


def test_labelme_shapes(sample: Sample) -> None:
    """A circle becomes the square around it; a line has no area."""
    shapes = [
        {"label": "cat", "shape_type": "circle", "points": [[50, 20], [53, 24]], "flags": {"difficult": True}},
        {"label": "dog", "points": [[1, 2], [9, 2], [9, 8]], "flags": None},
        {"label": "ant", "shape_type": "line", "points": [[1, 2], [9, 2]]},
    ]
    sample.write("x.json", json.dumps({"shapes": shapes, "imagePath": "elsewhere/x.jpg"}))
    cat, dog = sample.objects("labelme")
    assert (corners(cat), cat.difficult) == ((45, 15, 55, 25), True)
    assert (corners(dog), dog.difficult) == ((1, 2, 9, 8), False)
    left_out = [item for item in sample.read("labelme") if isinstance(item, LeftOut)]
    assert left_out == [LeftOut(reason="LabelMe shapes without an area (line)", boxes=1)]


def test_cvat_shapes(sample: Sample) -> None:
    """A turned box, an ellipse; subsets."""
    sample.write(
        "a.xml",
        '<annotations><image name="x.jpg" subset="Train"><box label="a" xtl="40" ytl="20" xbr="60" ybr="30" '
        'rotation="90"/><ellipse label="b" cx="50" cy="25" rx="10" ry="5"/></image></annotations>',
    )
    assert [corners(item) for item in sample.objects("cvat", "Train")] == [(45, 15, 55, 35), (40, 20, 60, 30)]
    with pytest.raises(AnnotationError, match=r"there is no image set 'Test'\. The image sets here: Train\."):
        sample.read("cvat", "Test")


def test_cvat_video(sample: Sample) -> None:
    """Boxes of tracks by frame, without those that are outside."""
    boxes = "".join(
        f'<box frame="{frame}" outside="{outside}" occluded="{frame % 2}" xtl="{frame}" ytl="2" xbr="30" ybr="40"/>'
        for frame, outside in ((3, 0), (4, 0), (5, 1))
    )
    sample.write("a.xml", f'<annotations><track label="cat">{boxes}</track></annotations>')
    for frame in (3, 4, 5):
        sample.image(f"frame_{frame:06d}.png")
    found = [item for item in sample.read("cvat") if isinstance(item, AnnotatedImage)]
    assert [(i.image_id, [(o.label, o.occluded) for o in i.objects]) for i in found] == [
        ("frame_000003", [("cat", True)]),
        ("frame_000004", [("cat", False)]),
    ]


def test_kitti_flags(sample: Sample) -> None:
    """Truncated above 0, occluded at 1 and 2; 3 is unknown. A score may follow."""
    numbers = "-1.57 1 2 30 40 2.85 2.63 12.34 0.47 1.49 69.44 -1.56"
    lines = [f"Car {truncated} {occluded} {numbers}" for truncated, occluded in ((0, 0), (0.3, 1), (1, 2), (0, 3))]
    sample.write("x.txt", "\n".join([*lines, f"Van 0 0 {numbers} 0.95"]))
    flags = [(item.truncated, item.occluded) for item in sample.objects("kitti")]
    assert flags == [(False, False), (True, True), (True, True), (False, False), (False, False)]


def test_bdd100k_variants(sample: Sample) -> None:
    """A list, a list under `frames`, and a file for one image with `objects`."""
    label = {"category": "car", "box2d": {"x1": 1, "y1": 2, "x2": 30, "y2": 40}}
    for content in (
        [{"name": "x.jpg", "labels": [label]}],
        {"frames": [{"name": "x.jpg", "labels": [label]}], "config": {}},
        {"name": "x", "frames": [{"timestamp": 10000, "objects": [label, {"category": "lane", "poly2d": []}]}]},
    ):
        path = sample.write("a.json", json.dumps(content))
        assert recognise(sample.annotations) == "bdd100k"
        assert [(item.label, corners(item)) for item in sample.objects("bdd100k")] == [("car", (1, 2, 30, 40))]
        assert recognise(path) == "bdd100k"


def test_recognise(sample: Sample) -> None:
    """No file, one format among other files, and two formats."""
    with pytest.raises(AnnotationError, match="no annotation file is here"):
        recognise(sample.annotations)
    sample.write("readme.txt", "cats\n")
    sample.write("package.json", "{}")
    sample.write("prices.csv", "name,price\ncat,3\n")
    sample.write("a.xml", "<annotation/>")
    assert recognise(sample.annotations) == "voc"
    sample.write("a.csv", "filename,class,xmin,ymin,xmax,ymax\n")
    sample.write("b.xml", "<annotation/>")
    with pytest.raises(UsageError) as caught:
        recognise(sample.annotations)
    assert str(caught.value) == (
        f"{sample.annotations} has files of several formats: csv in 1 file (a.csv) and voc in 2 files (a.xml, ...). "
        "Name the format to read with --format, or the folder of one with --annotations."
    )


def test_what_a_file_lacks(sample: Sample) -> None:
    """For each format that is close, what the files have and lack; equal reasons are one line with a count."""
    sample.write("a.csv", "filename,x1,y1,x2,y2\n")
    sample.write("b.csv", "filename,x1,y1,x2,y2\n")
    sample.write("c.json", '{"pictures": [{"id": 1, "boxes": []}], "info": {"year": 2020}}')
    sample.write("d.xml", "<?xml version='1.0'?><!-- a --><doc/>")
    sample.write("e.txt", "0,0.5,0.5,0.1,0.1\n")
    sample.write("f.txt", "Car 1 2 3 4\n")
    sample.write("labels.csv", "ImageID,Source,LabelName,Confidence\n")
    sample.write("readme.txt", "cats\n")
    folder = sample.annotations
    with pytest.raises(Problems) as caught:
        recognise(folder)
    keys = "the keys that it begins with are"
    assert str(caught.value).splitlines() == [
        f"{folder}: no file here has a format that make_records recognises.",
        f"{folder}/d.xml: is not cvat: its root is <doc>. It needs <annotations>.",
        f"{folder}/d.xml: is not voc: its root is <doc>. It needs <annotation>.",
        f"{folder}/c.json: is not bdd100k: {keys} pictures, info. It lacks name, labels.",
        f"{folder}/c.json: is not coco: {keys} pictures, info. It lacks images, annotations, categories.",
        f"{folder}/c.json: is not labelme: {keys} pictures, info. It lacks shapes, imagePath.",
        f"{folder}/a.csv: is not csv: its first line is 'filename,x1,y1,x2,y2'. It has no column for the class. "
        "(and 1 more like this)",
        f"{folder}/labels.csv: is not open_images: its columns are ImageID, Source, LabelName, Confidence. "
        "It lacks XMin, XMax, YMin, YMax.",
        f"{folder}/e.txt: is not yolo: its first line is '0,0.5,0.5,0.1,0.1'. It needs a class number "
        "and at least 4 numbers, separated by spaces.",
        f"{folder}/f.txt: is not kitti: its first line has 5 values. It needs a class and 14 or 15 numbers, "
        "separated by one space.",
        "Known formats: bdd100k, coco, csv, cvat, kitti, labelme, open_images, voc, yolo. Correct the files, or "
        "name one with --format.",
    ]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("kaggle_dataset/image_csv_det/ann.csv", "csv"),
        ("kaggle_dataset/image_csv_det/ann2.csv", "csv"),
        ("cvat_dataset/for_images/export_project", "cvat"),
        ("cvat_dataset/for_video", "cvat"),
        ("kitti_dataset/kitti_detection", "kitti"),
        ("yolo_dataset/strict", "yolo"),
        ("yolo_dataset/labels", "yolo"),
        ("roboflow_dataset/yolo", "yolo"),
        ("roboflow_dataset/coco", "coco"),
        ("vott_csv_dataset/dataset", "csv"),
        ("voc_dataset/voc_dataset1", "voc"),
        ("open_images_dataset/v6", "open_images"),
        ("coco_dataset/coco", "coco"),
    ],
)
def test_published_samples_are_recognised(shared_data: Path, folder: str, name: str) -> None:
    assert recognise(shared_data / "zoo_datumaro_assets" / "tests" / "assets" / folder) == name


def test_image_ids(tmp_path: Path) -> None:
    """The stem where it is the only one, else the whole name."""
    folder = Sample(tmp_path)
    folder.image("a/y.jpg")
    folder.image("b/y.jpg")
    images = ImageFolder(folder.images)
    assert [images.image_id(name) for name in images.names()] == ["a/y.jpg", "b/y.jpg", "x"]
