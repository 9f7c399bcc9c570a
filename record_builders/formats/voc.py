"""Pascal VOC: one XML file for each image, as labelImg, Roboflow and CVAT write it.

    <annotation>
      <filename>a.jpg</filename>
      <size><width>650</width><height>417</height></size>
      <object>
        <name>raccoon</name> <difficult>0</difficult> <truncated>0</truncated>
        <bndbox><xmin>81</xmin><ymin>88</ymin><xmax>522</xmax><ymax>408</ymax></bndbox>
      </object>
    </annotation>

The image is the one that `<filename>` names or, where there is no such file, the one with the XML's own stem. Only
`<name>` and `<bndbox>` are required. Coordinates are used as they are: the devkit counts pixels from 1, yet the
engine's own dataset_tools/create_pascal_tf_record.py divides them by the image's size without subtracting 1. Not read:
`<part>` and its boxes, `<pose>`, `<occluded>`, actions, segmentation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from record_builders.annotations import AnnotatedImage, Box, Fault, ObjectAnnotation
from record_builders.folders import ImageFolder, files_below
from record_builders.image_header import ImageHeader, read_header
from tfod_tools.base.errors import AnnotationError, ImageError

_FLAGS = {"": False, "0": False, "false": False, "1": True, "true": True}
_OTHER_NAME = "Images found by the name of their XML file, as <filename> names none"


def read(annotations: Path, images: ImageFolder) -> Iterator[AnnotatedImage | Fault]:
    """The images that the XML files below `annotations` describe, and what is wrong with the others.

    Raises:
      AnnotationError: `annotations` is not a folder or holds no XML file.
    """
    paths = files_below(annotations, (".xml",))
    if not paths:
        raise AnnotationError("no XML file lies here, expected one for each image.", path=annotations)
    for path in paths:
        yield from _read_file(path, path.parent.relative_to(annotations), images)


def _read_file(path: Path, near: Path, images: ImageFolder) -> Iterator[AnnotatedImage | Fault]:
    """What one XML file describes; `near` is its folder below that of the annotations."""
    image_name = path.stem
    objects: list[ObjectAnnotation] = []
    errors: list[AnnotationError] = []
    found: AnnotatedImage | Fault
    try:
        root = _root(path)
        objects, errors = _objects(root, path)
        image_name = named = _file_name(root)
        image_path = _image_path(root, path, near, images)
        image_name = images.name(image_path)
        found = AnnotatedImage(
            image_id=image_path.stem,
            image_path=image_path,
            image_name=image_name,
            header=_header(root, path, image_path),
            objects=tuple(objects),
            source=path,
            line=root.sourceline,
            notes=() if named.lower() == image_path.name.lower() else (_OTHER_NAME,),
        )
    except AnnotationError as error:
        found = Fault(error=error, image_name=image_name or path.stem, images=1, boxes=len(objects))
    yield from (Fault(error=error, image_name=found.image_name, boxes=1) for error in errors)
    yield found


def _root(path: Path) -> etree._Element:
    # The defaults of lxml would follow external entities of a file that a stranger made.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(path.read_bytes(), parser)
    except OSError as exc:
        raise AnnotationError(f"cannot read the file: {exc.strerror}.", path=path) from exc
    except etree.XMLSyntaxError as exc:
        reason = re.sub(r", line \d+, column \d+$", "", exc.msg or "")
        raise AnnotationError(f"not readable as XML: {reason}. Repair the file.", path=path, line=exc.lineno) from exc
    if root.tag != "annotation":
        message = f"the root is <{root.tag}>, expected <annotation>. Is this another format than Pascal VOC?"
        raise AnnotationError(message, path=path, line=root.sourceline)
    return root


def _file_name(root: etree._Element) -> str:
    """The image's file name without folders, which some tools write in the way of Windows; '' if not given."""
    return re.split(r"[/\\]", root.findtext("filename", "").strip())[-1]


def _image_path(root: etree._Element, path: Path, near: Path, images: ImageFolder) -> Path:
    name = _file_name(root)
    try:
        found = (images.find(name, near) if name else None) or images.find(path.stem, near)
    except ImageError as exc:
        raise AnnotationError(exc.message, path=path, line=_line(root, "filename")) from exc
    if found is None:
        message = (
            f"no image is called '{name or path.stem}' or '{path.stem}.*' below {images.folder.name or 'the folder'}. "
            "Add it, or name the folder of images with --images."
        )
        raise AnnotationError(message, path=path, line=_line(root, "filename"))
    return found


def _header(root: etree._Element, path: Path, image_path: Path) -> ImageHeader:
    """The image's own header, which must agree with `<size>` as far as that is given."""
    try:
        header = read_header(image_path)
    except ImageError as exc:
        message = f"its image {image_path.name}: {exc.message}"
        raise AnnotationError(message, path=path, line=_line(root, "filename")) from exc
    stated = tuple(root.findtext(f"size/{side}", "").strip() for side in ("width", "height"))
    true = (header.width, header.height)
    agrees = [text in ("", "0") or _number(text) == size for text, size in zip(stated, true, strict=True)]
    if not all(agrees):
        swapped = stated == (str(header.height), str(header.width))
        message = (
            f"<size> is {'x'.join(stated)}, but {image_path.name} has {header.width}x{header.height} pixels. "
            + ("The tool obeyed the photo's EXIF rotation, which the engine ignores: " if swapped else "")
            + ("turn the pixels themselves." if swapped else "Put back the image that was annotated, or annotate anew.")
        )
        raise AnnotationError(message, path=path, line=_line(root, "size"))
    return header


def _objects(root: etree._Element, path: Path) -> tuple[list[ObjectAnnotation], list[AnnotationError]]:
    """The objects that can be read, and what is wrong with the others."""
    objects, errors = [], []
    for element in root.findall("object"):
        try:
            objects.append(_object(element, path))
        except AnnotationError as error:
            errors.append(error)
    return objects, errors


def _object(element: etree._Element, path: Path) -> ObjectAnnotation:
    label = element.findtext("name", "").strip()
    if not label:
        message = "an <object> has no <name>, expected its class. Add it or remove the object."
        raise AnnotationError(message, path=path, line=_line(element, "name"))
    corners = element.find("bndbox")
    if corners is None:
        message = f"the {label} has no <bndbox>, expected its box. Add it or remove the object."
        raise AnnotationError(message, path=path, line=element.sourceline)
    return ObjectAnnotation(
        label=label,
        box=Box(**{side: _pixels(corners, side, path) for side in ("xmin", "ymin", "xmax", "ymax")}),
        difficult=_flag(element, "difficult", path),
        truncated=_flag(element, "truncated", path),
        line=element.sourceline,
    )


def _pixels(corners: etree._Element, side: str, path: Path) -> float:
    text = corners.findtext(side, "").strip()
    number = _number(text)
    if math.isfinite(number):
        return number
    found = f"is '{text}'" if text else "is missing or empty"
    raise AnnotationError(f"<{side}> {found}, expected pixels. Correct it.", path=path, line=_line(corners, side))


def _number(text: str) -> float:
    """The number that `text` writes; NaN where it writes none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _flag(element: etree._Element, name: str, path: Path) -> bool:
    text = element.findtext(name, "").strip()
    if text.lower() not in _FLAGS:
        message = f"<{name}> is '{text}', expected 0 or 1. Correct it."
        raise AnnotationError(message, path=path, line=_line(element, name))
    return _FLAGS[text.lower()]


def _line(element: etree._Element, child: str) -> int | None:
    """The line of the element's child, or its own where it has no such child."""
    found = element.find(child)
    line: int | None = element.sourceline if found is None else found.sourceline
    return line
