"""VOC files are read as people and tools really write them, and every fault has a file, a line and a remedy."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from record_builders.annotations import AnnotatedImage, Box, Fault, Found, Wanted
from record_builders.formats import voc as voc_format
from record_builders.images.masks import IndexImage
from record_builders.sources.folders import ImageFolder
from tfod_tools.base.errors import AnnotationError

if TYPE_CHECKING:
    from tests.records.conftest import VocFolder

GOOD = "<object><name>cat</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox></object>"


def read(annotations: Path, images: Path) -> tuple[list[AnnotatedImage], list[Fault]]:
    """The images and the faults below the two folders."""
    found = list(voc_format.read(annotations, ImageFolder(images), Wanted()))
    return [i for i in found if isinstance(i, AnnotatedImage)], [f for f in found if isinstance(f, Fault)]


def read_one(voc: VocFolder, body: str) -> AnnotatedImage:
    """The only image of a folder with the 100x50 image a.jpg and a.xml of this content."""
    voc.image("a.jpg")
    voc.xml("a.xml", body)
    images, faults = read(voc.annotations, voc.images)
    assert not faults
    return images[0]


def test_all_that_is_read(voc: VocFolder) -> None:
    """Order within <bndbox>, parts, comments, entities, spaces and fractions make no difference."""
    image = read_one(
        voc,
        """<filename>C:\\photos\\a.jpg</filename> <size><height>50</height><width>100.0</width></size>
        <object> <name> salt &amp; pepper <!-- two --> </name> <pose>Left</pose>
          <part><name>lid</name><bndbox><xmin>9</xmin><ymin>9</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part>
          <truncated>1</truncated> <difficult>true</difficult>
          <bndbox><xmax>30.5</xmax><xmin> 1e1 </xmin><ymax>40</ymax><ymin>0</ymin></bndbox>
        </object>""",
    )
    (item,) = image.objects
    assert (item.label, item.difficult, item.truncated, item.line) == ("salt & pepper", True, True, 3)
    assert item.box == Box(xmin=10, ymin=0, xmax=30.5, ymax=40)
    assert (image.image_id, image.image_name, image.line) == ("a", "a.jpg", 1)
    assert image.source == str(voc.annotations / "a.xml")
    assert not image.notes


@pytest.mark.parametrize("size", ["", "<size/>", "<size><width>0</width><height>0</height></size>"])
def test_the_image_tells_its_size(voc: VocFolder, size: str) -> None:
    """Where the XML does not, or says 0."""
    header = read_one(voc, size + GOOD).header
    assert (header.width, header.height) == (100, 50)


@pytest.mark.parametrize("filename", ["", "<filename/>", "<filename>a.png</filename>", "<filename>x.jpg</filename>"])
def test_the_xml_has_the_name_of_the_image(voc: VocFolder, filename: str) -> None:
    """Where <filename> names no image; and that is noted."""
    image = read_one(voc, filename + GOOD)
    assert image.image_name == "a.jpg"
    assert len(image.notes) == 1


def test_case_and_folders(voc: VocFolder) -> None:
    """Upper case makes no difference; of two images of one name, that in the same folder is meant."""
    for folder in ("one", "two"):
        voc.image(f"{folder}/IMG.JPG", format="JPEG")
        voc.xml(f"{folder}/img.XML", "<filename>img.jpg</filename>" + GOOD)
    voc.xml("one/._img.xml", "left by an archive")
    images, faults = read(voc.annotations, voc.images)
    assert [image.image_name for image in images] == ["one/IMG.JPG", "two/IMG.JPG"]
    assert not faults


BAD_OBJECTS = {
    "<object><bndbox/></object>": "3: an <object> has no <name>. Add its class, or remove the object.",
    "<object>\n<name> </name></object>": "4: an <object> has no <name>",
    "<object>\n<name>cat</name></object>": "3: the cat has no <bndbox>. Add its box, or remove the object.",
    GOOD.replace("<xmax>30", "\n<xmax>abc"): "4: <xmax> is 'abc', not a number of pixels. Correct it.",
    GOOD.replace("30", "nan"): "3: <xmax> is 'nan', not a number of pixels.",
    GOOD.replace("30", "inf"): "3: <xmax> is 'inf', not a number of pixels.",
    GOOD.replace("30", "30,5"): "3: <xmax> is '30,5', not a number of pixels.",
    GOOD.replace("<ymin>2</ymin>", ""): "3: <ymin> is missing or empty.",
    GOOD.replace("<name>", "<difficult>maybe</difficult><name>"): "3: <difficult> is 'maybe', not 0 or 1.",
}


@pytest.mark.parametrize(("body", "message"), BAD_OBJECTS.items())
def test_a_bad_object_is_one_lost_box(voc: VocFolder, body: str, message: str) -> None:
    """The other box of the image stays."""
    voc.image("a.jpg")
    voc.xml("a.xml", f"{GOOD}\n{body}")
    images, (fault,) = read(voc.annotations, voc.images)
    assert (fault.images, fault.boxes, fault.image_name) == (0, 1, "a.jpg")
    assert str(fault.error).startswith(f"{voc.annotations / 'a.xml'}:{message}")
    assert [len(image.objects) for image in images] == [1]


SIZE = "<size><width>{}</width><height>{}</height></size>"
BAD_IMAGES = {
    "<filename>b.jpg</filename>": "2: no image below images has the name 'b.jpg' or 'x.*'. Add it, or name the folder",
    "\n<filename>a.gif</filename>": "3: its image a.gif: the file is a GIF, but the engine reads only",
    "<filename>cut.jpg</filename>": "2: its image cut.jpg: the JPEG ends early. Replace the file.",
    "<filename>a.jpg</filename>" + SIZE.format(50, 100): "2: <size> is 50x100, but a.jpg has 100x50 pixels. The "
    "annotation tool turned the photo as EXIF says, but the engine does not. Turn the pixels themselves, or add "
    "--on_problem=fix.",
    "<filename>a.jpg</filename>" + SIZE.format(200, 100): "2: <size> is 200x100, but a.jpg has 100x50 pixels. Put back",
    "<filename>a.jpg</filename>" + SIZE.format("?", 50): "2: <size> is ?x50, but a.jpg has 100x50 pixels.",
    "<filename>twin</filename>": "2: 'twin' fits several images: twin.jpg, twin.png. Rename or remove",
}


@pytest.mark.parametrize(("body", "message"), BAD_IMAGES.items())
def test_a_bad_image_is_lost_with_its_boxes(voc: VocFolder, body: str, message: str) -> None:
    """Also with those that have faults of their own, each counted once."""
    for name in ("a.jpg", "a.gif", "twin.jpg", "twin.png"):
        voc.image(name)
    cut = voc.image("cut.jpg")
    cut.write_bytes(cut.read_bytes()[:-2])
    voc.xml("x.xml", f"{body}{GOOD}{GOOD}{GOOD.replace('30', 'abc')}")
    images, faults = read(voc.annotations, voc.images)
    assert not images
    assert [(fault.images, fault.boxes) for fault in faults] == [(0, 1), (1, 2)]
    assert str(faults[-1].error).startswith(f"{voc.annotations / 'x.xml'}:{message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ":1: the file is not valid XML: Document is empty."),
        ("<annotation>\n<object>\n</annotation>", ":3: the file is not valid XML: Opening and ending tag mismatch"),
        ("\n<annotations/>", ":2: the root is <annotations>, not <annotation>. Is it really Pascal VOC"),
    ],
)
def test_unreadable_files(voc: VocFolder, content: str, message: str) -> None:
    """An image is lost; how many boxes, nobody knows."""
    voc.image("a.jpg")
    path = voc.annotations / "a.xml"
    path.write_text(content)
    _, (fault,) = read(voc.annotations, voc.images)
    assert (fault.images, fault.boxes) == (1, 0)
    assert str(fault.error).startswith(f"{path}{message}")


def test_external_entities_are_not_followed(voc: VocFolder) -> None:
    """An annotation from a stranger must not read files here."""
    secret = voc.root / "secret"
    secret.write_text("password")
    doctype = f'<!DOCTYPE annotation [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'
    voc.image("a.jpg")
    (voc.annotations / "a.xml").write_text(f"{doctype}<annotation>{GOOD.replace('cat', '&e;')}</annotation>")
    _, (fault,) = read(voc.annotations, voc.images)
    assert "no <name>" in str(fault.error)


def test_nothing_to_read(voc: VocFolder) -> None:
    """One line, for the folder."""
    with pytest.raises(AnnotationError, match="no XML file is here"):
        read(voc.annotations, voc.images)
    with pytest.raises(AnnotationError, match="this folder does not exist"):
        read(voc.root / "none", voc.images)


@pytest.mark.parametrize(
    ("annotations", "images", "image_count", "box_count"),
    [
        ("voc_raccoon/annotations", "voc_raccoon/images", 200, 217),
        ("voc_raccoon/annotations_2017-07-28_png_filenames", "voc_raccoon/images", 200, 217),
        ("voc_microcontrollers/images", "voc_microcontrollers/images", 149, 177),
        ("voc_playing_cards/images", "voc_playing_cards/images", 212, 338),
        ("zoo_globox_voc100/data/gts/pascalvoc_format", "zoo_globox_voc100/data/images", 100, 273),
        ("zoo_globox_voc100/data/gts/imagenet_format/Annotations", "zoo_globox_voc100/data/images", 100, 273),
    ],
)
def test_real_data(shared_data: Path, annotations: str, images: str, image_count: int, box_count: int) -> None:
    """Every image and box of the shared sets is read."""
    found, faults = read(shared_data / annotations, shared_data / images)
    assert not faults
    assert (len(found), sum(len(image.objects) for image in found)) == (image_count, box_count)


def test_equal_to_the_same_data_in_coco(shared_data: Path) -> None:
    """Box by box, for 100 images of 20 classes; COCO boxes are x, y, width, height."""
    zoo = shared_data / "zoo_globox_voc100" / "data"
    found, _ = read(zoo / "gts" / "pascalvoc_format", zoo / "images")
    ours = Counter((image.image_name, item.label, str(item.box)) for image in found for item in image.objects)
    for path in sorted((zoo / "gts").glob("coco_format_v*/*.json")):
        coco = json.loads(path.read_text())
        names = {image["id"]: image["file_name"] for image in coco["images"]}
        labels = {category["id"]: category["name"] for category in coco["categories"]}
        theirs: Counter[tuple[str, str, str]] = Counter()
        for marked in coco["annotations"]:
            x, y, width, height = marked["bbox"]
            box = Box(xmin=x, ymin=y, xmax=x + width, ymax=y + height)
            theirs[Path(names[marked["image_id"]]).name, labels[marked["category_id"]], str(box)] += 1
        assert theirs == ours


def devkit(voc: VocFolder) -> Path:
    """Two years with two images each, all of them in trainval, one of each also in test."""
    root = voc.root / "VOCdevkit"
    for year, stems in (("VOC2007", ("000001", "000002")), ("VOC2012", ("2012_000001", "2012_000002"))):
        for folder in ("Annotations", "JPEGImages", "ImageSets/Main", "SegmentationObject"):
            (root / year / folder).mkdir(parents=True)
        for stem in stems:
            Image.new("RGB", (100, 50)).save(root / year / "JPEGImages" / f"{stem}.jpg")
            Image.new("P", (100, 50), 1).save(root / year / "SegmentationObject" / f"{stem}.png")
            text = f"<annotation><filename>{stem}.jpg</filename>{GOOD}{GOOD}</annotation>"
            (root / year / "Annotations" / f"{stem}.xml").write_text(text)
        sets = root / year / "ImageSets" / "Main"
        (sets / "trainval.txt").write_text("".join(f"{stem}\n" for stem in stems))
        (sets / "test.txt").write_text(f"# one\n\n{stems[0]}\n")
        (sets / "cat_trainval.txt").write_text(f"{stems[0]} -1\n{stems[1]}  1\n")
    return root


def read_sets(root: Path, *sets: str, masks: bool = False) -> list[Found]:
    return list(voc_format.read(root, ImageFolder(root), Wanted(image_sets=sets, masks=masks)))


@pytest.mark.parametrize(
    ("sets", "stems"),
    [
        ((), ["000001", "000002", "2012_000001", "2012_000002"]),
        (("trainval",), ["000001", "000002", "2012_000001", "2012_000002"]),
        (("VOC2007/trainval", "VOC2012/test"), ["000001", "000002", "2012_000001"]),
        (("VOC2012/test", "VOC2012/trainval"), ["2012_000001", "2012_000002"]),
        (("cat_trainval",), ["000002", "2012_000002"]),
    ],
)
def test_image_sets(voc: VocFolder, sets: tuple[str, ...], stems: list[str]) -> None:
    """Of all years or of one; each image once. Masks are not taken for images."""
    found = read_sets(devkit(voc), *sets)
    assert [item.image_id for item in found if isinstance(item, AnnotatedImage)] == stems
    assert len(found) == len(stems)


def test_bad_image_sets(voc: VocFolder) -> None:
    """One that does not exist, and one that lists what does not exist."""
    root = devkit(voc)
    with pytest.raises(AnnotationError, match=r"ImageSets/Main has no image set 'trainva'\. Did you mean trainval"):
        read_sets(root, "trainva")
    (root / "VOC2007/Annotations/000001.xml").unlink()
    (root / "VOC2007/ImageSets/Main/test.txt").write_text("000001\n000002\n")
    fault = read_sets(root, "VOC2007/test")[0]
    assert isinstance(fault, Fault)
    listing = root / "VOC2007" / "ImageSets" / "Main" / "test.txt"
    message = "the file Annotations/000001.xml is missing. Add it, or remove this line."
    assert str(fault.error) == f"{listing}:1: {message}"


def test_masks(voc: VocFolder) -> None:
    """The number of a pixel is that of its object; a PNG of another size is an error."""
    root = devkit(voc)
    path = root / "VOC2007/SegmentationObject/000001.png"
    first = read_sets(root, masks=True)[0]
    assert isinstance(first, AnnotatedImage)
    changed = path.stat().st_mtime_ns
    assert [item.mask for item in first.objects] == [
        IndexImage(path=str(path), number=number, modified_ns=changed) for number in (1, 2)
    ]
    assert not any(item.mask for image in read_sets(root) for item in getattr(image, "objects", ()))
    Image.new("P", (10, 5)).save(path)
    fault = read_sets(root, masks=True)[0]
    assert isinstance(fault, Fault)
    assert str(fault.error) == f"{path}: the masks have 10x5 pixels, but the image has 100x50. Replace the file."


def test_imagenet(voc: VocFolder) -> None:
    """Floats, no extension, no flags but <occluded>."""
    box = "<bndbox><xmin>1.0</xmin><ymin>2.0</ymin><xmax>30.0</xmax><ymax>40.0</ymax></bndbox>"
    text = f"<filename>a</filename><object><name>n02</name><occluded>1</occluded>{box}</object>"
    (item,) = read_one(voc, text).objects
    assert (item.label, item.occluded, item.truncated, item.box.xmax) == ("n02", True, False, 30)
