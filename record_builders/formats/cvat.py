"""CVAT: one XML file for many images ("CVAT for images 1.1"), or for the frames of a video ("CVAT for video 1.1").

    <annotations>
      <image name="a.jpg" width="650" height="417">
        <box label="raccoon" occluded="0" xtl="81" ytl="88" xbr="522" ybr="408"/>
      </image>
    </annotations>

Boxes (rotated ones too), polygons and ellipses become boxes. A polygon also becomes an outline. Attributes called
`difficult`, `truncated` and `crowd` are read as flags. In a video each `<box>` of a `<track>` belongs to the image of
its frame, such as `frame_000013`, unless it is marked as outside. Points and polylines are left out, because they have
no area; masks and cuboids are left out too. An image set is the `subset` of an image.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from lxml import etree

from record_builders.annotations import Box, Fault, Found, LeftOut, ObjectAnnotation, Wanted
from record_builders.images.image_header import ImageHeader
from record_builders.images.masks import Polygons
from record_builders.sources import matching, xml_files
from record_builders.sources.folders import ImageFolder, files_or_file, head
from record_builders.sources.matching import Entry, Mark
from tfod_tools.base.errors import AnnotationError

_AREAS = ("box", "polygon", "ellipse")
_OTHERS = ("points", "polyline", "mask", "cuboid", "skeleton")
_FRAME = re.compile(r"[0-9]{1,9}")
_TRUE = ("1", "true", "yes")


def recognises(path: Path) -> bool:
    """Whether `path` is an XML file whose root is <annotations>."""
    return path.suffix.lower() == ".xml" and b"<annotations" in head(path)


def why_not(path: Path) -> str:
    """Which root the XML file at `path` has."""
    return xml_files.other_root(path, "annotations")


def read(annotations: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    """The images that the XML files describe, and faults for what cannot be used.

    Raises:
      AnnotationError: there is no XML file, or an image set does not exist.
    """
    paths = files_or_file(annotations, (".xml",))
    if not paths:
        raise AnnotationError("no XML file is here. Name their folder with --annotations.", path=annotations)
    subsets: set[str] = set()
    for path in paths:
        try:
            root = xml_files.root(path, "annotations", "CVAT")
        except AnnotationError as error:
            yield Fault(error=error, image_name="")
            continue
        for element in root.findall("image"):
            subsets.add(element.get("subset", ""))
            if not wanted.image_sets or element.get("subset") in wanted.image_sets:
                yield from _image(element, path, images, wanted)
        yield from _video(root, path, images, wanted)
    if missing := sorted(set(wanted.image_sets) - subsets):
        known = ", ".join(sorted(filter(None, subsets))) or "none"
        raise AnnotationError(f"there is no image set '{missing[0]}'. The image sets here: {known}.", path=annotations)


def _image(element: etree._Element, path: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    name = element.get("name", "").strip()
    shapes = [shape for shape in element.iterchildren("*") if shape.tag in (*_AREAS, *_OTHERS)]
    if not name:
        error = AnnotationError("an <image> has no name. Add the name of its file.", path=path, line=element.sourceline)
        yield Fault(error=error, image_name="", images=1, boxes=len(shapes))
        return
    entry = Entry(
        names=(name, Path(name).stem),
        near=Path(element.get("subset", "")),
        source=path,
        marks=partial(_marks, [(shape, shape.get("label", "")) for shape in shapes], path, masks=wanted.masks),
        stated=(element.get("width"), element.get("height")),
        line=element.sourceline,
        what="the size of <image>",
    )
    yield from entry.found(images)


def _video(root: etree._Element, path: Path, images: ImageFolder, wanted: Wanted) -> Iterator[Found]:
    frames: dict[int, list[tuple[etree._Element, str]]] = {}
    for track in root.findall("track"):
        for shape in track.iterchildren("*"):
            number = shape.get("frame", "")
            if shape.get("outside") == "1":
                continue
            if not _FRAME.fullmatch(number):
                message = f"frame is '{number}', not a number. Correct it."
                error = AnnotationError(message, path=path, line=shape.sourceline)
                yield Fault(error=error, image_name="", boxes=1)
            else:
                frames.setdefault(int(number), []).append((shape, track.get("label", "")))
    for frame, shapes in sorted(frames.items()):
        entry = Entry(
            names=(f"frame_{frame:06d}",),
            near=Path(),
            source=path,
            marks=partial(_marks, shapes, path, masks=wanted.masks),
            line=shapes[0][0].sourceline,
        )
        yield from entry.found(images)


def _marks(shapes: list[tuple[etree._Element, str]], path: Path, header: ImageHeader, *, masks: bool) -> Iterator[Mark]:
    for shape, label in shapes:
        if shape.tag not in _AREAS:
            yield LeftOut(reason=f"CVAT shapes that are not read ({shape.tag})", boxes=1)
            continue
        try:
            yield _object(shape, label.strip(), path, masks=masks)
        except AnnotationError as error:
            yield error


def _object(shape: etree._Element, label: str, path: Path, *, masks: bool) -> ObjectAnnotation:
    if not label:
        message = f"a <{shape.tag}> has no label. Add its class, or remove the shape."
        raise AnnotationError(message, path=path, line=shape.sourceline)
    points = _polygon(shape, path) if shape.tag == "polygon" else _corners(shape, path)
    xs, ys = zip(*points, strict=True)
    ring = tuple(value for point in points for value in point)
    attributes = {item.get("name"): (item.text or "").strip().lower() in _TRUE for item in shape.findall("attribute")}
    return ObjectAnnotation(
        label=label,
        box=Box(xmin=min(xs), ymin=min(ys), xmax=max(xs), ymax=max(ys)),
        occluded=shape.get("occluded") == "1",
        difficult=attributes.get("difficult", False),
        truncated=attributes.get("truncated", False),
        is_crowd=attributes.get("crowd", False),
        mask=Polygons(rings=(ring,)) if masks and shape.tag == "polygon" else None,
        line=shape.sourceline,
    )


def _corners(shape: etree._Element, path: Path) -> list[tuple[float, float]]:
    """Corners of a box or of the one around an ellipse, turned as the shape is."""

    def value(name: str) -> float:
        return matching.finite(shape.get(name), name, path, shape.sourceline)

    if shape.tag == "ellipse":
        xmin, xmax = value("cx") - value("rx"), value("cx") + value("rx")
        ymin, ymax = value("cy") - value("ry"), value("cy") + value("ry")
    else:
        xmin, ymin, xmax, ymax = (value(name) for name in ("xtl", "ytl", "xbr", "ybr"))
    if not shape.get("rotation"):
        return [(xmin, ymin), (xmax, ymax)] if xmin <= xmax and ymin <= ymax else _inverted(shape, path)
    angle = math.radians(
        matching.finite(shape.get("rotation"), "rotation", path, shape.sourceline, "a number of degrees")
    )
    x, y = (xmin + xmax) / 2, (ymin + ymax) / 2
    across = (abs((xmax - xmin) * math.cos(angle)) + abs((ymax - ymin) * math.sin(angle))) / 2
    down = (abs((xmax - xmin) * math.sin(angle)) + abs((ymax - ymin) * math.cos(angle))) / 2
    return [(x - across, y - down), (x + across, y + down)]


def _inverted(shape: etree._Element, path: Path) -> list[tuple[float, float]]:
    message = (
        f"the <{shape.tag}> is inverted: xtl must be less than xbr, and ytl less than ybr. Correct it, or remove it."
    )
    raise AnnotationError(message, path=path, line=shape.sourceline)


def _polygon(shape: etree._Element, path: Path) -> list[tuple[float, float]]:
    points = [pair.split(",") for pair in shape.get("points", "").split(";")]
    if len(points) < 3 or any(len(point) != 2 for point in points):
        message = "points is not a list x,y;x,y of 3 or more points. Draw the polygon again."
        raise AnnotationError(message, path=path, line=shape.sourceline)
    line = shape.sourceline
    return [(matching.finite(x, "a point", path, line), matching.finite(y, "a point", path, line)) for x, y in points]
