"""Pascal VOC: one XML file for each image. labelImg, Roboflow and CVAT write it.

    <annotation>
      <filename>a.jpg</filename>
      <size><width>650</width><height>417</height></size>
      <object>
        <name>raccoon</name> <difficult>0</difficult> <truncated>0</truncated>
        <bndbox><xmin>81</xmin><ymin>88</ymin><xmax>522</xmax><ymax>408</ymax></bndbox>
      </object>
    </annotation>

`<filename>` names the image. If there is no such file, the image with the stem of the XML file is used. Only `<name>`
and `<bndbox>` are required, as in the XML of ImageNet. Coordinates are used as they are. The devkit counts pixels from
1, but the engine's own dataset_tools/create_pascal_tf_record.py divides them by the size of the image without
subtracting 1.

Image sets are the lists in `ImageSets/Main`. `trainval` means the lists of all VOC folders below the annotations,
`VOC2007/trainval` the list of one folder. In a list of one class (`cat_train`), images marked -1 do not belong to the
set. Masks come from `SegmentationObject`: there, the number of a pixel is the number of its object. Not read: `<part>`
and its boxes, `<pose>`, actions.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from lxml import etree

from record_builders.annotations import AnnotatedImage, Box, Fault, Found, ObjectAnnotation, Wanted
from record_builders.images.image_header import ImageHeader, read_header
from record_builders.images.masks import IndexImage
from record_builders.sources import matching, xml_files
from record_builders.sources.folders import ImageFolder, files_below, head, last_part, names_below
from record_builders.sources.xml_files import Children
from tfod_tools.base import plugins
from tfod_tools.base.errors import AnnotationError, ImageError

_FLAGS = {"": False, "0": False, "false": False, "1": True, "true": True}
_OTHER_NAME = "Images found by the name of their XML file, because no image has the name in <filename>"


def recognises(path: Path) -> bool:
    """Whether `path` is an XML file whose root is <annotation>."""
    return path.suffix.lower() == ".xml" and re.search(rb"<annotation[\s/>]", head(path)) is not None


def why_not(path: Path) -> str:
    """Which root the XML file at `path` has."""
    return xml_files.other_root(path, "annotation")


def read(annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """The images that the XML files below `annotations` describe, and faults for what cannot be used.

    Raises:
      AnnotationError: `annotations` is not a folder, has no XML file, or lacks an image set.
    """
    paths, missing = files(annotations, wanted)
    yield from missing
    yield from read_files(paths, annotations, images, wanted)


def files(annotations: Path, wanted: Wanted) -> tuple[list[str], list[Fault]]:
    """The names of the XML files to read, below `annotations`, and a fault for each missing file of an image set.

    Raises:
      AnnotationError: as `read`.
    """
    faults: list[Fault] = []
    if wanted.image_sets:
        paths, faults = _of_sets(annotations, wanted.image_sets)
        names = [path.relative_to(annotations).as_posix() for path in paths]
    else:
        names = names_below(annotations, (".xml",))
    if not names:
        raise AnnotationError(
            "no XML file is here. Pascal VOC has one for each image. Name their folder with --annotations.",
            path=annotations,
        )
    return names, faults


def read_files(names: Sequence[str], annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """The images that the XML files `names` below `annotations` describe, and faults for what cannot be used."""
    prefix = str(annotations / "x")[:-1]
    for folder, in_folder in itertools.groupby(names, key=lambda name: name.rpartition("/")[0]):
        near = Path(folder)
        for name in in_folder:
            yield from _read_file(prefix + name, near, images, wanted)


def _of_sets(annotations: Path, names: tuple[str, ...]) -> tuple[list[Path], list[Fault]]:
    """The XML files that the image sets list, and a fault for each that does not exist."""
    lists = [path for path in files_below(annotations, (".txt",)) if path.parts[-3:-1] == ("ImageSets", "Main")]
    by_name: dict[str, list[Path]] = {}
    for path in lists:
        for name in (path.stem, f"{path.parts[-4]}/{path.stem}"):
            by_name.setdefault(name, []).append(path)
    for name in names:
        if name not in by_name:
            message = f"ImageSets/Main has no image set '{name}'. {plugins.suggestion(name, by_name)}"
            raise AnnotationError(message, path=annotations)
    paths: dict[Path, None] = {}
    faults = []
    for listing in dict.fromkeys(path for name in names for path in by_name[name]):
        for line, stem in _listed(listing):
            path = listing.parents[2] / "Annotations" / f"{stem}.xml"
            if path.is_file():
                paths[path] = None
            else:
                error = AnnotationError(
                    f"the file Annotations/{stem}.xml is missing. Add it, or remove this line.", path=listing, line=line
                )
                faults.append(Fault(error=error, image_name=stem, images=1))
    return sorted(paths), faults


def _listed(listing: Path) -> Iterator[tuple[int, str]]:
    """Line and stem of each image of the set."""
    for line, text in enumerate(listing.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        words = text.partition("#")[0].split()
        if words and words[1:] != ["-1"]:
            yield line, words[0]


def _read_file(path: str, near: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """What one XML file describes; `near` is its folder, relative to the folder of annotations."""
    stem = image_name = last_part(path).rpartition(".")[0]
    objects: list[ObjectAnnotation] = []
    errors: list[AnnotationError] = []
    found: AnnotatedImage | Fault
    try:
        root = xml_files.root(path, "annotation", "Pascal VOC")
        first = xml_files.children(root)
        objects, errors = _objects(root, path, _masks(Path(path)) if wanted.masks else None)
        image_name = named = _file_name(first)
        line = xml_files.line(first, "filename", root)
        shown = f"'{named or stem}' or '{stem}.*'"
        image_name = matching.image_name(images, (named, stem), near, path, line, shown=shown)
        header = _header(first, line, path, images, image_name)
        _check_masks(objects, header)
        notes = () if named.lower() == last_part(image_name).lower() else (_OTHER_NAME,)
        found = matching.annotated(images, image_name, header, tuple(objects), path, root.sourceline, notes=notes)
    except AnnotationError as error:
        found = Fault(
            error=error,
            image_name=image_name or stem,
            images=1,
            boxes=len(objects),
            missing=isinstance(error, matching.ImageNotThereError),
        )
    yield from (Fault(error=error, image_name=found.image_name, boxes=1) for error in errors)
    yield found


def _file_name(first: Children) -> str:
    """The file name of the image without folders, which may be written as on Windows; '' if not given."""
    return re.split(r"[/\\]", xml_files.text(first, "filename"))[-1]


def _header(first: Children, line: int, path: str, images: ImageFolder, image_name: str) -> ImageHeader:
    """The header of the image; `line` is the line that names the image."""
    size = first.get("size")
    stated = {} if size is None else xml_files.children(size)
    sides = (xml_files.text(stated, "width"), xml_files.text(stated, "height"))
    line = line if size is None else size.sourceline
    return matching.image_header(images, image_name, sides, path, line, what="<size>")


def _masks(path: Path) -> IndexImage | None:
    """The masks of all objects of the XML file at `path`, if there are any."""
    masks = path.parents[1] / "SegmentationObject" / f"{path.stem}.png"
    return IndexImage(path=str(masks), number=0, modified_ns=masks.stat().st_mtime_ns) if masks.is_file() else None


def _check_masks(objects: list[ObjectAnnotation], header: ImageHeader) -> None:
    for path in {item.mask.path for item in objects if isinstance(item.mask, IndexImage)}:
        try:
            mask = read_header(path)
        except ImageError as exc:
            raise AnnotationError(exc.message, path=path) from exc
        if (mask.width, mask.height) != (header.width, header.height):
            message = (
                f"the masks have {mask.width}x{mask.height} pixels, but the image has {header.width}x{header.height}."
            )
            raise AnnotationError(f"{message} Replace the file.", path=path)


def _objects(
    root: etree._Element, path: str, masks: IndexImage | None
) -> tuple[list[ObjectAnnotation], list[AnnotationError]]:
    """The objects that can be read, and an error for each other object."""
    objects, errors = [], []
    for index, element in enumerate(root.iterchildren("object"), start=1):
        try:
            objects.append(_object(element, path, masks._replace(number=index) if masks else None))
        except AnnotationError as error:
            errors.append(error)
    return objects, errors


def _object(element: etree._Element, path: str, mask: IndexImage | None) -> ObjectAnnotation:
    parts = xml_files.children(element)
    label = xml_files.text(parts, "name")
    if not label:
        message = "an <object> has no <name>. Add its class, or remove the object."
        raise AnnotationError(message, path=path, line=xml_files.line(parts, "name", element))
    if "bndbox" not in parts:
        message = f"the {label} has no <bndbox>. Add its box, or remove the object."
        raise AnnotationError(message, path=path, line=element.sourceline)
    corners = parts["bndbox"]
    sides = xml_files.children(corners)
    return ObjectAnnotation(
        label=label,
        box=Box(
            xmin=_pixels(sides, "xmin", corners, path),
            ymin=_pixels(sides, "ymin", corners, path),
            xmax=_pixels(sides, "xmax", corners, path),
            ymax=_pixels(sides, "ymax", corners, path),
        ),
        difficult=_flag(parts, "difficult", path),
        truncated=_flag(parts, "truncated", path),
        occluded=_flag(parts, "occluded", path),
        mask=mask,
        line=element.sourceline,
    )


def _pixels(sides: Children, side: str, corners: etree._Element, path: str) -> float:
    try:
        number = float(sides[side].text or "")
    except (KeyError, ValueError):
        number = math.nan
    if math.isfinite(number):
        return number
    text = xml_files.text(sides, side)
    found = f"is '{text}', not a number of pixels" if text else "is missing or empty"
    line = xml_files.line(sides, side, corners)
    raise AnnotationError(f"<{side}> {found}. Correct it.", path=path, line=line)


def _flag(parts: Children, name: str, path: str) -> bool:
    text = xml_files.text(parts, name)
    flag = _FLAGS.get(text.lower())
    if flag is None:
        message = f"<{name}> is '{text}', not 0 or 1. Correct it."
        raise AnnotationError(message, path=path, line=parts[name].sourceline)
    return flag
