"""Images that the engine cannot read come out as it reads them, with boxes, masks and keypoints where they belong."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from record_builders.annotations import AnnotatedImage, Box, Keypoint, ObjectAnnotation
from record_builders.images import conversion
from record_builders.images.image_header import Conversion, ImageHeader, header_of
from record_builders.images.masks import Polygons, to_png
from record_builders.output import manifest, writing
from record_builders.planning import build
from record_builders.planning.plan import Plan, Request
from record_builders.records import example, tfrecord
from record_builders.records.example import ExampleContent
from tfod_tools.base.errors import ImageError

if TYPE_CHECKING:
    from tests.records.conftest import VocFolder

SIZE = (40, 30)
RED, GREEN = (200, 30, 40), (20, 180, 60)


def plan(voc: VocFolder, **options: Any) -> Plan:
    wanted = {"convert": True, "val_fraction": 0.0} | options
    return build.plan(
        Request(format="voc", annotations=voc.annotations, images=voc.images, output=voc.root / "out", **wanted)
    )


def written(voc: VocFolder) -> tuple[manifest.Manifest, list[ExampleContent]]:
    found = writing.write(plan(voc), lambda count: None)
    return found, [example.parse(data) for data in tfrecord.read(voc.root / "out" / "train.record-00000-of-00001")]


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def plain(mode: str = "RGB") -> Image.Image:
    return Image.new("RGB", SIZE, RED).convert(mode)


def png_of_16_bits(channels: int, values: tuple[int, ...]) -> bytes:
    """A PNG of one colour; Pillow does not write those of three channels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", *SIZE, 16, {1: 0, 3: 2}[channels], 0, 0, 0)
    row = b"\0" + struct.pack(f">{channels}H", *values) * SIZE[0]
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", zlib.compress(row * SIZE[1])) + chunk(b"IEND", b"")


def half_transparent() -> Image.Image:
    image = Image.new("RGBA", SIZE, (*RED, 255))
    image.paste((*GREEN, 0), (0, 0, 20, 30))
    return image


def sixteen_bits(format: str) -> bytes:
    return saved(Image.new("I;16", SIZE, 200 * 256 + 77), format)


CASES: dict[str, tuple[Callable[[], bytes], str, str, tuple[int, ...]]] = {
    "GIF": (lambda: saved(plain(), "GIF"), "GIF", "png", RED),
    "animation": (
        lambda: saved(plain(), "GIF", save_all=True, append_images=[Image.new("RGB", SIZE, GREEN)]), "GIF", "png", RED),
    "WebP": (lambda: saved(plain(), "WEBP", lossless=True), "WEBP", "png", RED),
    "transparent WebP": (lambda: saved(half_transparent(), "WEBP", lossless=True), "WEBP", "png", RED),
    "TIFF": (lambda: saved(plain(), "TIFF"), "TIFF", "png", RED),
    "TIFF of 16 bits": (lambda: sixteen_bits("TIFF"), "TIFF", "png", (200,)),
    "TIFF with CMYK": (lambda: saved(plain("CMYK"), "TIFF"), "TIFF", "png", RED),
    "bitmap of one bit": (lambda: saved(plain().convert("1"), "BMP"), "BMP", "png", (0,)),
    "JPEG with CMYK": (lambda: saved(plain("CMYK"), "JPEG", quality=100), "JPEG with CMYK", "jpeg", RED),
    "grey PNG of 16 bits": (lambda: sixteen_bits("PNG"), "PNG with 16 bits", "png", (200,)),
    "PNG of 16 bits": (
        lambda: png_of_16_bits(3, (51200, 7680, 10240)), "PNG with 16 bits", "png", (200, 30, 40)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_colours_and_size(voc: VocFolder, name: str) -> None:
    """The image that is written is one that the engine reads, with the colours that it had."""
    make, kind, new_format, colour = CASES[name]
    voc.image("b.jpg")
    voc.add("a", ("cat", 1, 2, 30, 20))
    (voc.images / "a.jpg").write_bytes(make())
    found, (record,) = written(voc)
    assert found["converted"] == {kind: 1}
    header = header_of(record.encoded)
    assert (header.width, header.height, header.format) == (*SIZE, new_format) == (
        record.width, record.height, record.format)  # fmt: skip
    with Image.open(io.BytesIO(record.encoded)) as image:
        assert image.mode in ("L", "RGB")
        pixel = image.getpixel((35, 15))
        tolerance = 3 if new_format == "jpeg" else 0
        values = pixel if isinstance(pixel, tuple) else (pixel,)
        assert all(abs(a - b) <= tolerance for a, b in zip(values, colour, strict=True)), pixel
        if "transparent" in name:
            assert image.getpixel((5, 15)) == (255, 255, 255)


@pytest.mark.parametrize(
    "damaged",
    [
        saved(plain(), "JPEG")[:-20],
        saved(Image.effect_noise(SIZE, 90), "GIF")[:200],
        saved(Image.new("F", SIZE, 0.5), "TIFF"),
        b"nothing",
        b"",
    ],
    ids=["JPEG", "GIF", "floats", "text", "empty"],
)
def test_what_stays_a_problem(voc: VocFolder, damaged: bytes) -> None:
    """With the same words as without conversion."""
    for stem in ("a", "b"):
        voc.add(stem, ("cat", 1, 2, 30, 20))
    (voc.images / "a.jpg").write_bytes(damaged)
    assert [str(fault.error) for fault in plan(voc).faults] == [
        str(fault.error) for fault in plan(voc, convert=False).faults
    ]
    assert len(plan(voc).faults) == 1


def test_other_images_are_copied(voc: VocFolder) -> None:
    """Also those in 8 bits with transparency or a palette, which the engine reads."""
    for name, image in {"a.png": half_transparent(), "b.png": plain("P"), "c.bmp": plain()}.items():
        image.save(voc.images / name)
        voc.xml(f"{name}.xml", f"<filename>{name}</filename>{voc.marked('cat', 1, 2, 30, 20)}")
    found, records = written(voc)
    assert found["converted"] == {}
    assert {r.filename: r.encoded for r in records} == {p.name: p.read_bytes() for p in voc.images.iterdir()}


# Where a green mark lies in the stored pixels.
MARK = (4, 2, 14, 8)


def turned_photo(orientation: int) -> bytes:
    image = Image.new("RGB", SIZE, RED)
    image.paste(GREEN, MARK)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(image, "PNG", exif=exif)


def green_box(image: Image.Image) -> tuple[int, ...]:
    """The extent of all green in an image, as box corners."""
    return tuple(image.convert("RGB").getchannel("G").point(lambda value: 255 * (value > 100)).getbbox() or ())


def pixels_of(record: ExampleContent) -> tuple[int, ...]:
    (box,) = record.boxes
    corners = (box.xmin * record.width, box.ymin * record.height, box.xmax * record.width, box.ymax * record.height)
    return tuple(round(corner) for corner in corners)


@pytest.mark.parametrize("stated", ["", "stored", "upright"])
@pytest.mark.parametrize("orientation", range(2, 9))
def test_boxes_turn_with_the_image(voc: VocFolder, orientation: int, stated: str) -> None:
    """Annotated on the stored pixels, or, as the size may say, on the upright image: the box is around the mark."""
    (voc.images / "a.png").write_bytes(turned_photo(orientation))
    with Image.open(voc.images / "a.png") as image:
        upright = conversion.pixels.turned(image, orientation)
    corners = green_box(upright) if stated == "upright" and orientation >= 5 else MARK
    width, height = upright.size if stated == "upright" else SIZE
    size = f"<size><width>{width}</width><height>{height}</height></size>" if stated else ""
    voc.xml("a.xml", f"<filename>a.png</filename>{size}{voc.marked('cat', *corners)}")
    found, (record,) = written(voc)
    assert found["converted"] == {f"PNG with EXIF orientation {orientation}": 1}
    with Image.open(io.BytesIO(record.encoded)) as image:
        assert image.size == upright.size == (record.width, record.height)
        assert not image.getexif().get(0x0112)
        assert pixels_of(record) == green_box(image)
    unsure = conversion.UNSURE in plan(voc).images[0].notes
    assert unsure == (not stated or orientation < 5)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_upright_is_what_pillow_shows(orientation: int) -> None:
    """Its own reading of EXIF is the yardstick."""
    from PIL import ImageOps

    with Image.open(io.BytesIO(turned_photo(orientation))) as image:
        shown = ImageOps.exif_transpose(image)
        assert conversion.pixels.turned(image, orientation).tobytes() == shown.tobytes()


@pytest.mark.parametrize("orientation", range(2, 9))
def test_masks_and_keypoints_turn_too(orientation: int) -> None:
    x1, y1, x2, y2 = MARK
    image = AnnotatedImage(
        image_id="a",
        image_path="a.png",
        image_name="a.png",
        header=ImageHeader(width=40, height=30, format="png", conversion=Conversion(kind="", orientation=orientation)),
        objects=(
            ObjectAnnotation(
                label="cat",
                box=Box(xmin=x1, ymin=y1, xmax=x2, ymax=y2),
                mask=Polygons(rings=((x1, y1, x2, y1, x2, y2, x1, y2),)),
                keypoints=(Keypoint(name="nose", x=x1, y=y1, visibility=2),),
            ),
        ),
        source="a.xml",
    )
    found = conversion.turned(image)
    assert isinstance(found, AnnotatedImage)
    (item,) = found.objects
    with Image.open(io.BytesIO(to_png(item.mask, found.header.width, found.header.height))) as mask:
        assert mask.size == (found.header.width, found.header.height)
        box = item.box
        assert mask.getbbox() == (box.xmin, box.ymin, box.xmax, box.ymax)
    (nose,) = item.keypoints
    corner = {2: "tr", 3: "br", 4: "bl", 5: "tl", 6: "tr", 7: "br", 8: "bl"}[orientation]
    assert (nose.x, nose.y) == (box.xmin if "l" in corner else box.xmax, box.ymin if "t" in corner else box.ymax)
    assert conversion.turned(found) == found


def test_a_photo_whose_size_was_stated_upright(voc: VocFolder) -> None:
    """A JPEG; without conversion it is a problem."""
    image = Image.new("RGB", SIZE, RED)
    exif = Image.Exif()
    exif[0x0112] = 6
    (voc.images / "a.jpg").write_bytes(saved(image, "JPEG", exif=exif))
    size = "<size><width>30</width><height>40</height></size>"
    voc.xml("a.xml", f"<filename>a.jpg</filename>{size}{voc.marked('cat', 1, 2, 29, 39)}")
    voc.add("b", ("cat", 1, 2, 30, 20))
    (fault,) = plan(voc, convert=False).faults
    assert "or add --on_problem=fix" in fault.error.message
    found, records = written(voc)
    assert found["converted"] == {"JPEG with EXIF orientation 6": 1}
    assert {(record.width, record.height, record.format) for record in records} == {(30, 40, "jpeg"), (100, 50, "jpeg")}


def test_verify(voc: VocFolder) -> None:
    """Pixels that cannot be decoded are a problem only where they are looked at; several processes say the same."""
    for number in range(120):
        voc.add(f"{number}", ("cat", 1, 2, 30, 20), ("cat", 1, 2, 3, 4))
    damaged = saved(Image.effect_noise(SIZE, 90), "PNG")
    for stem in ("7", "110"):
        (voc.images / f"{stem}.jpg").write_bytes(damaged[:60] + bytes(len(damaged) - 80) + damaged[-20:])
    assert not plan(voc, convert=False).faults
    told: list[int] = []
    for processes in (1, 2):
        request = Request(
            format="voc", annotations=voc.annotations, images=voc.images, output=voc.root / "out", verify=True
        )
        faults = build.plan(request, processes, lambda total: contextlib.nullcontext(told.append)).faults
        assert [(fault.image_name, fault.images, fault.boxes) for fault in faults] == [
            ("110.jpg", 1, 2), ("7.jpg", 1, 2)]  # fmt: skip
        assert all("the image cannot be decoded: " in fault.error.message for fault in faults)
    assert sum(told) == 2 * 120


def test_an_image_that_cannot_be_decoded_any_more() -> None:
    with pytest.raises(ImageError, match="cannot be decoded"):
        conversion.convert(b"none", ImageHeader(width=1, height=1, format="png", conversion=Conversion(kind="GIF")))
