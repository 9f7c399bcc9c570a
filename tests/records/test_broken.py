"""Broken input of every format: each has its finding, word for word, and the counts reconcile all the same.

A case is files next to a good image of the same format. The expected lines are in tests/data/records/broken.json; a
case that is not there fails and shows what was said.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tfod_tools import app, make_records

EXPECTED = Path(__file__).parents[1] / "data" / "records" / "broken.json"
OI = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
CSV = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
KITTI = " 0.00 0 -1.57 {} 2.85 2.63 12.34 0.47 1.49 69.44 -1.56\n"

Files = dict[str, str | bytes]

GOOD: dict[str, Files] = {
    "voc": {"good.xml": "<annotation><object><name>cat</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax>"
            "<ymax>40</ymax></bndbox></object><filename>good.jpg</filename></annotation>"},
    "csv": {"good.csv": CSV + "good.jpg,100,50,cat,1,2,30,40\n"},
    "coco": {"good.json": json.dumps({
        "images": [{"id": 1, "file_name": "good.jpg"}], "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 29, 38]}]})},
    "yolo": {"good.txt": "0 0.5 0.5 0.2 0.2\n", "obj.names": "cat\ndog\n"},
    "labelme": {"good.json": json.dumps({"imagePath": "good.jpg", "shapes": [
        {"label": "cat", "shape_type": "rectangle", "points": [[1, 2], [30, 40]]}]})},
    "cvat": {"good.xml": '<annotations><image name="good.jpg" width="100" height="50">'
             '<box label="cat" xtl="1" ytl="2" xbr="30" ybr="40"/></image></annotations>'},
    "kitti": {"good.txt": "Car" + KITTI.format("1 2 30 40")},
    "bdd100k": {"good.json": json.dumps([{"name": "good.jpg", "labels": [
        {"category": "cat", "box2d": {"x1": 1, "y1": 2, "x2": 30, "y2": 40}}]}])},
    "open_images": {"train-good.csv": OI + "good,xclick,/m/cat,1,0.1,0.3,0.1,0.5,0,0,0,0,0\n"},
}  # fmt: skip


def voc(objects: str = "", name: str = "x.jpg", before: str = "") -> Files:
    return {"x.xml": f"{before}<annotation>\n<filename>{name}</filename>\n{objects}\n</annotation>"}


def marked(xmin: object, ymin: object, xmax: object, ymax: object, name: str = "<name>cat</name>") -> str:
    sides = f"<xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax>"
    return f"<object>{name}<bndbox>{sides}</bndbox></object>"


def coco(**changes: object) -> Files:
    """One annotation of x.jpg with changes; `images` and `categories` replace those lists."""
    content = {"images": changes.pop("images", [{"id": 1, "file_name": "x.jpg", "width": 100, "height": 50}]),
               "categories": changes.pop("categories", [{"id": 1, "name": "cat"}]),
               "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 29, 38]} | changes]}  # fmt: skip
    return {"x.json": json.dumps(content)}


def labelme(*shapes: object, **others: object) -> Files:
    return {"x.json": json.dumps({"imagePath": "x.jpg", "shapes": list(shapes)} | others)}


def cvat(body: str, image: str = 'name="x.jpg" width="100" height="50"') -> Files:
    return {"x.xml": f"<annotations>\n<image {image}>\n{body}\n</image>\n</annotations>"}


def bdd(*labels: object, name: object = "x.jpg") -> Files:
    return {"x.json": json.dumps([{"name": name, "labels": list(labels)}])}


def oi(*rows: str) -> Files:
    return {"train-x.csv": OI + "".join(f"{row}\n" for row in rows)}


BOMB = '<!DOCTYPE annotation [<!ENTITY a "' + "a" * 1000 + '">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)) + "]>"  # fmt: skip
OUTSIDE = '<!DOCTYPE annotation [<!ENTITY a SYSTEM "../../secret.txt">]>'
RECTANGLE = {"label": "cat", "shape_type": "rectangle", "points": [[1, 2], [30, 40]]}
BOX2D = {"x1": 1, "y1": 2, "x2": 30, "y2": 40}
RLE = {"size": [50, 100], "counts": [4000, 20, 980]}

CASES: dict[str, tuple[str, Files]] = {
    "voc: not XML": ("voc", {"x.xml": "<annotation><object>"}),
    "voc: empty file": ("voc", {"x.xml": ""}),
    "voc: binary file": ("voc", {"x.xml": bytes(range(256))}),
    "voc: another root": ("voc", {"x.xml": "<html><annotation/></html>"}),
    "voc: entities without end": ("voc", voc(marked(1, 2, 3, 4, "<name>&j;</name>"), before=BOMB)),
    "voc: external entity": ("voc", voc(marked(1, 2, 30, 40, "<name>&a;</name>"), before=OUTSIDE)),
    "voc: path out of the folder": ("voc", {"y.xml": "<annotation><filename>../../secret.jpg</filename></annotation>"}),
    "voc: absolute path": ("voc", {"y.xml": "<annotation><filename>/etc/passwd</filename></annotation>"}),
    "voc: name with a zero byte": ("voc", {"y.xml": "<annotation><filename>x&#0;.jpg</filename></annotation>"}),
    "voc: inverted box": ("voc", voc(marked(30, 2, 1, 40))),
    "voc: box without extent": ("voc", voc(marked(5, 2, 5, 40))),
    "voc: box outside": ("voc", voc(marked(200, 2, 230, 40))),
    "voc: box of less than a pixel": ("voc", voc(marked(5, 5, 5.5, 40))),
    "voc: not a number": ("voc", voc(marked("nan", 2, 30, 40))),
    "voc: infinite": ("voc", voc(marked(1, 2, "1e999", 40))),
    "voc: decimal comma": ("voc", voc(marked("1,5", 2, 30, 40))),
    "voc: no name": ("voc", voc(marked(1, 2, 30, 40, ""))),
    "voc: no box": ("voc", voc("<object><name>cat</name></object>")),
    "voc: other flag": ("voc", voc(marked(1, 2, 30, 40, "<name>cat</name><difficult>2</difficult>"))),
    "voc: other size": ("voc", voc("<size><width>10</width><height>5</height></size>" + marked(1, 2, 3, 4))),
    "voc: sides exchanged by EXIF": ("voc", voc("<size><width>50</width><height>100</height></size>")),
    "voc: image is missing": ("voc", {"y.xml": "<annotation><filename>y.jpg</filename></annotation>"}),
    "voc: annotated twice": ("voc", {**voc(marked(1, 2, 30, 40)), "z.xml": voc()["x.xml"]}),
    "image: cut off": ("voc", voc(marked(1, 2, 30, 40), name="cut.jpg")),
    "image: empty": ("voc", voc(marked(1, 2, 30, 40), name="empty.jpg")),
    "image: GIF called JPEG": ("voc", voc(marked(1, 2, 30, 40), name="gif.jpg")),
    "image: text": ("voc", voc(marked(1, 2, 30, 40), name="text.jpg")),
    "image: no pixels": ("voc", voc(marked(1, 2, 30, 40), name="flat.png")),
    "image: two of a name": ("voc", voc(marked(1, 2, 30, 40), name="twin")),
    "csv: no columns": ("csv", {"x.csv": "x.jpg,100,50,cat,1,2,30,40\n"}),
    "csv: too few values": ("csv", {"x.csv": CSV + "x.jpg,100,50,cat,1,2\n"}),
    "csv: too many values": ("csv", {"x.csv": CSV + "x.jpg,100,50,cat,1,2,30,40,9\n"}),
    "csv: no file name": ("csv", {"x.csv": CSV + ",100,50,cat,1,2,30,40\n"}),
    "csv: no class": ("csv", {"x.csv": CSV + "x.jpg,100,50,,1,2,30,40\n"}),
    "csv: not a number": ("csv", {"x.csv": CSV + "x.jpg,100,50,cat,one,2,30,40\n"}),
    "csv: inverted box": ("csv", {"x.csv": CSV + "x.jpg,100,50,cat,30,2,1,40\n"}),
    "csv: other size": ("csv", {"x.csv": CSV + "x.jpg,10,50,cat,1,2,3,4\n"}),
    "csv: latin-1": ("csv", {"x.csv": (CSV + "x.jpg,100,50,caf\xe9,1,2,30,40\n").encode("latin-1")}),
    "csv: byte order mark and CRLF": ("csv", {"x.csv": (CSV + "x.jpg,,,cat,1,2,30,x\n").replace("\n", "\r\n").encode(
        "utf-8-sig")}),
    "csv: a value of 200,000 characters": ("csv", {"x.csv": CSV + "x.jpg,,," + "a" * 200_000 + ",1,2,3,4\n"}),
    "csv: a first line of 200,000 characters": ("csv", {"x.csv": "a" * 200_000}),
    "csv: quote without end": ("csv", {"x.csv": CSV + '"x.jpg,100,50,cat,1,2,30,40\n'}),
    "coco: not JSON": ("coco", {"x.json": '{"images": [\n'}),
    "coco: latin-1": ("coco", {"x.json": b'{"images": "\xe9"}'}),
    "coco: brackets without end": ("coco", {"x.json": '{"images": ' + "[" * 100_000}),
    "coco: a number of 5000 digits": ("coco", {"x.json": '{"images": ' + "1" * 5000 + "}"}),
    "coco: lists are missing": ("coco", {"x.json": '{"images": {}, "annotations": []}'}),
    "coco: half a character": ("coco", coco(categories=[{"id": 1, "name": "\ud800"}])),
    "coco: numbers beyond all images": ("coco", coco(bbox=[1, 2, 1e30, 4])),
    "coco: keypoint of visibility 7": ("coco", coco(keypoints=[1, 2, 7], categories=[
        {"id": 1, "name": "cat", "keypoints": ["nose"]}])),
    "coco: keypoint of a very large visibility": ("coco", coco(keypoints=[1, 2, 10**20], categories=[
        {"id": 1, "name": "cat", "keypoints": ["nose"]}])),
    "labelme: half a character": ("labelme", labelme(RECTANGLE | {"label": "c\udfff"})),
    "bdd100k: half a character": ("bdd100k", bdd({"category": "c\ud912", "box2d": BOX2D})),
    "yolo: outline in pixels": ("yolo", {"x.txt": "0 0.1 0.1 0.5 0.1 50 40\n"}),
    "coco: unknown image": ("coco", coco(image_id=2)),
    "coco: unknown category": ("coco", coco(category_id=2**40)),
    "coco: image id given twice": ("coco", coco(images=[{"id": 1, "file_name": "x.jpg"}, {"id": 1, "file_name": "y"}])),
    "coco: image without name": ("coco", coco(images=[{"id": 1, "file_name": "x.jpg"}, {"id": 2}, 7])),
    "coco: box of three": ("coco", coco(bbox=[1, 2, 3])),
    "coco: box is missing": ("coco", coco(bbox=None)),
    "coco: not a number": ("coco", coco(bbox=[1, 2, float("nan"), 4])),
    "coco: a very large number": ("coco", coco(bbox=[1, 2, 10**400, 4])),
    "coco: negative width": ("coco", coco(bbox=[30, 2, -29, 38])),
    "coco: crowd of two": ("coco", coco(iscrowd=2)),
    "coco: polygon of two points": ("coco", coco(segmentation=[[1, 2, 3, 4]])),
    "coco: outline of another size": ("coco", coco(segmentation=RLE | {"size": [100, 50]})),
    "coco: runs of too few pixels": ("coco", coco(segmentation=RLE | {"counts": [1, 2]})),
    "coco: runs that are none": ("coco", coco(segmentation=RLE | {"counts": "~~"})),
    "coco: keypoints of another number": ("coco", coco(keypoints=[1, 2], categories=[
        {"id": 1, "name": "cat", "keypoints": ["nose"]}])),
    "yolo: no names": ("yolo", {"obj.names": "", "x.txt": "0 0.5 0.5 0.2 0.2\n"}),
    "yolo: a name twice": ("yolo", {"obj.names": "cat\ncat\n", "x.txt": "0 0.5 0.5 0.2 0.2\n"}),
    "yolo: unknown class": ("yolo", {"x.txt": "7 0.5 0.5 0.2 0.2\n"}),
    "yolo: class of 5000 digits": ("yolo", {"x.txt": "1" * 5000 + " 0.5 0.5 0.2 0.2\n"}),
    "yolo: names that are lists": ("yolo", {"data.yaml": "names: [[cat], dog]\n"}),
    "yolo: names with an impossible date": ("yolo", {"data.yaml": "names: [2001-99-99]\n"}),
    "yolo: class name": ("yolo", {"x.txt": "cat 0.5 0.5 0.2 0.2\n"}),
    "yolo: four values": ("yolo", {"x.txt": "\n0 0.5 0.5 0.2\n"}),
    "yolo: pixels": ("yolo", {"x.txt": "0 50 25 20 20\n"}),
    "yolo: not a number": ("yolo", {"x.txt": "0 0.5 0.5 0.2 ?\n"}),
    "yolo: no extent": ("yolo", {"x.txt": "0 0.5 0.5 0 0.2\n"}),
    "yolo: not text": ("yolo", {"x.txt": b"\xff\xfe\x00"}),
    "yolo: image is missing": ("yolo", {"y.txt": "0 0.5 0.5 0.2 0.2\n"}),
    "labelme: not JSON": ("labelme", {"x.json": "{"}),
    "labelme: no shapes": ("labelme", {"x.json": '{"imagePath": "x.jpg"}'}),
    "labelme: no label": ("labelme", labelme(RECTANGLE | {"label": ""})),
    "labelme: one point": ("labelme", labelme(RECTANGLE | {"points": [[1, 2]]})),
    "labelme: a point of three": ("labelme", labelme(RECTANGLE | {"points": [[1, 2, 3], [4, 5]]})),
    "labelme: not a number": ("labelme", labelme(RECTANGLE | {"points": [[1, None], [4, 5]]})),
    "labelme: other size": ("labelme", labelme(RECTANGLE, imageWidth=10, imageHeight=10)),
    "labelme: shape is a number": ("labelme", labelme(3)),
    "cvat: not XML": ("cvat", {"x.xml": "<annotations>"}),
    "cvat: another root": ("cvat", {"x.xml": "<annotation/>"}),
    "cvat: no image name": ("cvat", cvat('<box label="cat" xtl="1" ytl="2" xbr="3" ybr="4"/>', 'width="1"')),
    "cvat: no label": ("cvat", cvat('<box xtl="1" ytl="2" xbr="30" ybr="40"/>')),
    "cvat: not a number": ("cvat", cvat('<box label="cat" xtl="a" ytl="2" xbr="30" ybr="40"/>')),
    "cvat: inverted": ("cvat", cvat('<box label="cat" xtl="30" ytl="2" xbr="1" ybr="40"/>')),
    "cvat: polygon of two points": ("cvat", cvat('<polygon label="cat" points="1,2;3,4"/>')),
    "cvat: frame of a video": ("cvat", {
        "x.xml": '<annotations><track label="cat"><box frame="x"/></track></annotations>'}),
    "cvat: entity in a track": ("cvat", {"x.xml": OUTSIDE.replace("annotation ", "annotations ")
                                         + '<annotations><track>&a;<box frame="x"/></track></annotations>'}),
    "cvat: external entity": ("cvat", {"x.xml": OUTSIDE.replace("annotation ", "annotations ")
                                       + '<annotations><image name="&a;"/></annotations>'}),
    "kitti: too few values": ("kitti", {"x.txt": "Car 0.00 0 -1.57 1 2 30 40\n"}),
    "kitti: not a number": ("kitti", {"x.txt": "Car" + KITTI.format("1 2 30 x")}),
    "kitti: inverted": ("kitti", {"x.txt": "Car" + KITTI.format("30 2 1 40")}),
    "kitti: not text": ("kitti", {"x.txt": b"\xff"}),
    "bdd100k: not JSON": ("bdd100k", {"x.json": "[{]"}),
    "bdd100k: a number": ("bdd100k", {"x.json": "7"}),
    "bdd100k: no name": ("bdd100k", bdd({"category": "cat", "box2d": BOX2D}, name=None)),
    "bdd100k: no category": ("bdd100k", bdd({"box2d": BOX2D})),
    "bdd100k: not a number": ("bdd100k", bdd({"category": "cat", "box2d": BOX2D | {"x1": "left"}})),
    "bdd100k: label is a number": ("bdd100k", bdd(5)),
    "open_images: unknown class": ("open_images", {
        **oi("x,xclick,/m/dog,1,0.1,0.3,0.1,0.5,0,0,0,0,0"), "class-descriptions.csv": "/m/cat,Cat\n"}),
    "open_images: not a number": ("open_images", oi("x,xclick,/m/cat,1,left,0.3,0.1,0.5,0,0,0,0,0")),
    "open_images: pixels": ("open_images", oi("x,xclick,/m/cat,1,10,30,10,50,0,0,0,0,0")),
    "open_images: inverted": ("open_images", oi("x,xclick,/m/cat,1,0.3,0.1,0.1,0.5,0,0,0,0,0")),
    "open_images: other flag": ("open_images", oi("x,xclick,/m/cat,1,0.1,0.3,0.1,0.5,7,0,0,0,0")),
    "open_images: too few values": ("open_images", oi("x,xclick,/m/cat,1,0.1")),
    "open_images: image is missing": ("open_images", oi("y,xclick,/m/cat,1,0.1,0.3,0.1,0.5,0,0,0,0,0")),
    "open_images: no id": ("open_images", oi(",xclick,/m/cat,1,0.1,0.3,0.1,0.5,0,0,0,0,0")),
    "open_images: path as id": ("open_images", oi("../../x,xclick,/m/cat,1,0.1,0.3,0.1,0.5,0,0,0,0,7")),
    "open_images: latin-1": ("open_images", {"train-x.csv": OI.encode() + b"x,xclick,\xe9,1,0,1,0,1,0,0,0,0,0\n"}),
    "open_images: description of three": ("open_images", {"class-descriptions.csv": "/m/cat,Cat\n/m/dog,Dog,Hound\n"}),
    "open_images: descriptions with old line ends": ("open_images", {
        "class-descriptions.csv": "/m/cat,Cat\r/m/dog,Dog\r"} | oi("x,xclick,/m/emu,1,0.1,0.3,0.1,0.5,0,0,0,0,0")),
    "open_images: description twice": ("open_images", {"class-descriptions.csv": "/m/cat,Cat\n/m/cat,Dog\n"}),
    "open_images: hierarchy is none": ("open_images", {"hierarchy.json": "[]"}),
    "open_images: hierarchy without end": ("open_images", {
        "hierarchy.json": '{"LabelName": "/m/a", "Subcategory": [' * 150 + '{"LabelName": "/m/b"}' + "]}" * 150}),
    "open_images: hierarchy without name": ("open_images", {"hierarchy.json": '{"Subcategory": [{}]}'}),
}  # fmt: skip


def make_images(folder: Path) -> None:
    folder.mkdir()
    for name in ("good.jpg", "x.jpg", "cut.jpg", "twin.jpg", "twin.png"):
        Image.new("RGB", (100, 50)).save(folder / name)
    content = (folder / "cut.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(content[: len(content) - 40])
    (folder / "empty.jpg").write_bytes(b"")
    Image.new("RGB", (100, 50)).save(folder / "gif.jpg", format="GIF")
    (folder / "text.jpg").write_text("an image\n")
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 0, 50)
    (folder / "flat.png").write_bytes(start)


def run(*arguments: str) -> int:
    for name in make_records.FLAGS:
        make_records.FLAGS[name].unparse()
    return app.status(make_records.main, make_records.FLAGS, make_records.__doc__, ["make_records", *arguments])


@pytest.fixture
def said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], list[str]]:
    """What make_records says of a case, with its exit code as the first line."""
    monkeypatch.chdir(tmp_path)
    make_images(tmp_path / "images")
    (tmp_path / "secret.txt").write_text("a secret")
    Image.new("RGB", (100, 50)).save(tmp_path / "secret.jpg")

    def of(name: str) -> list[str]:
        format_name, files = CASES[name]
        folder = tmp_path / "annotations"
        folder.mkdir()
        for file, content in {**GOOD[format_name], **files}.items():
            (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        arguments = ["--annotations=annotations", "--images=images", "--output=out", "--val_fraction=0", "--masks"]
        code = run(f"--format={format_name}", *arguments, "--on_problem=skip")
        return [f"exit code {code}", *capsys.readouterr().err.splitlines()]

    return of


@pytest.mark.parametrize("name", CASES)
def test_the_finding(said: Callable[[str], list[str]], name: str) -> None:
    """Is the expected one, and what was found is what was written and what was not."""
    lines = said(name)
    assert "Traceback" not in " ".join(lines)
    if os.environ.get("TFOD_UPDATE_EXPECTED"):
        found = json.loads(EXPECTED.read_text()) if EXPECTED.exists() else {}
        EXPECTED.parent.mkdir(parents=True, exist_ok=True)
        EXPECTED.write_text(json.dumps(dict(sorted((found | {name: lines}).items())), indent=1) + "\n")
    assert lines == json.loads(EXPECTED.read_text())[name]
    if lines[0] != "exit code 3":
        assert not Path("out").exists()
        return
    manifest = json.loads(Path("out/manifest.json").read_text())
    for kind, total in (("images", "annotated"), ("boxes", "found")):
        counts = manifest[kind]
        assert counts[total] == counts["written"] + counts["left_out"] + counts["dropped"]
    assert manifest["images"]["written"] >= 1
    assert manifest["dropped"]


def test_every_expectation_has_a_case() -> None:
    assert sorted(json.loads(EXPECTED.read_text())) == sorted(CASES)
