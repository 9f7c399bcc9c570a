"""One scene as each format writes it: an image of 200x120 with two cats, the second of which bears a flag or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from PIL import Image

SIZE = (200, 120)
PLAIN, FLAGGED = (20, 20, 60, 60), (80, 20, 180, 100)
SIDES = ("xmin", "ymin", "xmax", "ymax")
# The area of the flagged cat itself, where a format gives one: small to COCO, as its box is not.
AREA = 500


def voc(flag: str, on: int) -> dict[str, str]:
    """`annotations/a.xml`."""
    objects = ""
    for box, value in ((PLAIN, 0), (FLAGGED, on)):
        corners = "".join(f"<{side}>{number}</{side}>" for side, number in zip(SIDES, box, strict=True))
        objects += f"<object><name>cat</name><{flag}>{value}</{flag}><bndbox>{corners}</bndbox></object>"
    return {"a.xml": f"<annotation><filename>a.png</filename>{objects}</annotation>"}


def open_images(flag: str, on: int) -> dict[str, str]:
    """A table of boxes, and one of labels: no dog is on the image, as a person (or, if not `on`, a machine) says.

    A second image has a dog.
    """
    columns = {"occluded": 0, "truncated": 1, "group_of": 2, "depiction": 3, "inside": 4}
    rows = [
        "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
    ]
    for image, mid, box, value in (("a", "/m/cat", PLAIN, 0), ("a", "/m/cat", FLAGGED, on), ("b", "/m/dog", PLAIN, 0)):
        flags = ["0"] * len(columns)
        if flag in columns:
            flags[columns[flag]] = str(value)
        sides = (box[0] / SIZE[0], box[2] / SIZE[0], box[1] / SIZE[1], box[3] / SIZE[1])
        rows.append(",".join([image, "xclick", mid, "1", *(f"{side:.9f}" for side in sides), *flags]))
    confidence = 0 if on or flag != "labels" else 0.3
    return {
        "train-annotations-bbox.csv": "\n".join(rows) + "\n",
        "train-labels.csv": f"ImageID,Source,LabelName,Confidence\na,verification,/m/dog,{confidence}\n",
        "class-descriptions.csv": "/m/cat,cat\n/m/dog,dog\n",
    }


def coco(flag: str, on: int) -> dict[str, str]:
    """`instances.json`."""
    annotations = []
    for box, value in ((PLAIN, 0), (FLAGGED, on)):
        left, top, right, bottom = box
        extent = (right - left) * (bottom - top)
        annotations.append(
            {
                "image_id": 1,
                "category_id": 1,
                "bbox": [left, top, right - left, bottom - top],
                "iscrowd": value if flag == "is_crowd" else 0,
                "area": AREA if flag == "area" and value else extent,
            }
        )
    images = [{"id": 1, "file_name": "a.png", "width": SIZE[0], "height": SIZE[1]}]
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]}
    return {"instances.json": json.dumps(content)}


def csv(flag: str, on: int) -> dict[str, str]:
    """`boxes.csv`."""
    rows = (f"a.png,cat,{','.join(map(str, box))},{value}" for box, value in ((PLAIN, 0), (FLAGGED, on)))
    return {"boxes.csv": "\n".join([f"filename,class,{','.join(SIDES)},{flag}", *rows]) + "\n"}


def labelme(flag: str, on: int) -> dict[str, str]:
    """`a.json`, with flags as somebody may set them up."""
    name = {"is_crowd": "crowd"}.get(flag, flag)
    shapes = [
        {"label": "cat", "shape_type": "rectangle", "points": [box[:2], box[2:]], "flags": {name: bool(value)}}
        for box, value in ((PLAIN, 0), (FLAGGED, on))
    ]
    return {"a.json": json.dumps({"imagePath": "a.png", "shapes": shapes})}


def cvat(flag: str, on: int) -> dict[str, str]:
    """`annotations.xml`; all but `occluded` are attributes."""
    boxes = ""
    name = {"is_crowd": "crowd"}.get(flag, flag)
    for box, value in ((PLAIN, 0), (FLAGGED, on)):
        corners = " ".join(f'{side}="{n}"' for side, n in zip(("xtl", "ytl", "xbr", "ybr"), box, strict=True))
        occluded = value if flag == "occluded" else 0
        attribute = f'<attribute name="{name}">{"true" if value else "false"}</attribute>'
        boxes += f'<box label="cat" occluded="{occluded}" {corners}>{attribute}</box>'
    image = f'<image name="a.png" width="{SIZE[0]}" height="{SIZE[1]}">{boxes}</image>'
    return {"annotations.xml": f"<annotations>{image}</annotations>"}


def kitti(flag: str, on: int) -> dict[str, str]:
    """`a.txt`; to be truncated is a fraction, to be occluded a grade."""
    lines = []
    for box, value in ((PLAIN, 0), (FLAGGED, on)):
        truncated, occluded = (0.4 * value, 0) if flag == "truncated" else (0.0, 2 * value)
        lines.append(f"cat {truncated:.2f} {occluded} 0 {' '.join(map(str, box))} 1 1 1 1 1 1 0")
    return {"a.txt": "\n".join(lines) + "\n"}


def bdd100k(flag: str, on: int) -> dict[str, str]:
    """`labels.json`."""
    name = {"is_crowd": "crowd"}.get(flag, flag)
    labels = [
        {
            "category": "cat",
            "attributes": {name: bool(value)},
            "box2d": dict(zip(("x1", "y1", "x2", "y2"), box, strict=True)),
        }
        for box, value in ((PLAIN, 0), (FLAGGED, on))
    ]
    return {"labels.json": json.dumps([{"name": "a.png", "labels": labels}])}


Writer = Callable[[str, int], dict[str, str]]
# The flags of each format that has some: those of the table in docs/records.md.
FORMATS: dict[str, tuple[Writer, tuple[str, ...]]] = {
    "voc": (voc, ("difficult", "truncated", "occluded")),
    "open_images": (open_images, ("occluded", "truncated", "group_of", "depiction", "inside", "labels")),
    "coco": (coco, ("is_crowd", "area")),
    "csv": (csv, ("difficult", "truncated", "occluded", "is_crowd", "group_of")),
    "labelme": (labelme, ("difficult", "truncated", "occluded", "is_crowd")),
    "cvat": (cvat, ("occluded", "difficult", "truncated", "is_crowd")),
    "kitti": (kitti, ("truncated", "occluded")),
    "bdd100k": (bdd100k, ("truncated", "occluded", "is_crowd")),
}


def write(folder: Path, name: str, flag: str, *, on: bool) -> None:
    """The scene in the format `name`, below `folder`."""
    (folder / "annotations").mkdir(parents=True)
    (folder / "images").mkdir()
    for file, text in FORMATS[name][0](flag, int(on)).items():
        (folder / "annotations" / file).write_text(text)
    for number, stem in enumerate("ab" if name == "open_images" else "a"):
        Image.new("RGB", SIZE, (number, 90, 90)).save(folder / "images" / f"{stem}.png")
