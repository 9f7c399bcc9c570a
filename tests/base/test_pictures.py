"""Boxes are drawn where they are, in the image as people see it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from record_builders.images.pictures import LabelledBox, draw

GREY = (128, 128, 128)
EXIF_ORIENTATION = 0x0112


def box(xmin: float, ymin: float, xmax: float, ymax: float, *, caption: str = "", label_id: int = 1) -> LabelledBox:
    return LabelledBox(caption=caption, label_id=label_id, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax)


def drawn(folder: Path, boxes: list[LabelledBox], size: tuple[int, int] = (200, 100)) -> Image.Image:
    """The picture of a grey image with `boxes`."""
    source, target = folder / "source.png", folder / "new" / "target.jpg"
    Image.new("RGB", size, GREY).save(source)
    draw(source, boxes, target)
    with Image.open(target) as picture:
        assert picture.format == "JPEG"
        picture.load()
        return picture


def difference(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    return max(abs(x - y) for x, y in zip(a, b, strict=True))


def coloured(picture: Image.Image, x: int, y: int) -> bool:
    """Whether a pixel is not the background; a JPEG is never exact."""
    return difference(picture.getpixel((x, y)), GREY) > 40


def extent(picture: Image.Image) -> tuple[int, int, int, int]:
    """The smallest box around all that is not background."""
    found = [(x, y) for x in range(picture.width) for y in range(picture.height) if coloured(picture, x, y)]
    xs, ys = {x for x, _ in found}, {y for _, y in found}
    return min(xs), min(ys), max(xs), max(ys)


def test_the_edges_are_on_the_box(tmp_path: Path) -> None:
    picture = drawn(tmp_path, [box(50, 40, 150, 90)])
    for x, y in [(50, 60), (150, 60), (100, 40), (100, 90), (50, 40), (150, 90)]:
        assert coloured(picture, x, y), (x, y)
    for x, y in [(100, 65), (45, 65), (155, 65), (100, 95), (55, 45), (145, 85)]:
        assert not coloured(picture, x, y), (x, y)


def test_the_size_stays(tmp_path: Path) -> None:
    assert drawn(tmp_path, []).size == (200, 100)


def test_classes_have_colours_of_their_own(tmp_path: Path) -> None:
    boxes = [box(10 + 40 * number, 40, 30 + 40 * number, 90, label_id=number) for number in range(4)]
    picture = drawn(tmp_path, boxes)
    colours = [picture.getpixel((10 + 40 * number, 65)) for number in range(4)]
    assert all(difference(a, b) > 60 for index, a in enumerate(colours) for b in colours[:index])


def test_the_first_box_is_on_top(tmp_path: Path) -> None:
    first, second = box(50, 40, 150, 90, label_id=1), box(50, 40, 150, 90, label_id=2)
    alone = drawn(tmp_path, [first]).getpixel((50, 60))
    assert difference(drawn(tmp_path, [first, second]).getpixel((50, 60)), alone) < 10
    assert difference(drawn(tmp_path, [second, first]).getpixel((50, 60)), alone) > 60


def test_a_caption_is_above_its_box(tmp_path: Path) -> None:
    picture = drawn(tmp_path, [box(50, 40, 150, 90, caption="ball 0.97")])
    assert not coloured(picture, 100, 65)
    assert coloured(picture, 51, 38)
    left, top, _, _ = extent(picture)
    assert left >= 48
    assert 15 <= top < 38


@pytest.mark.parametrize(
    "where",
    [
        pytest.param((2, 0, 60, 50), id="top left"),
        pytest.param((150, 0, 199, 50), id="top right"),
        pytest.param((190, 60, 199, 99), id="bottom right"),
        pytest.param((-20, -20, 40, 40), id="beyond the corner"),
    ],
)
def test_captions_stay_inside(tmp_path: Path, where: tuple[float, float, float, float]) -> None:
    """The whole caption shows: as many black pixels as in the middle of a large image."""
    caption = "ball 0.97"
    middle = drawn(tmp_path, [box(80, 40, 190, 90, caption=caption)])
    edge = drawn(tmp_path, [box(*where, caption=caption)])
    assert black(edge) == pytest.approx(black(middle), rel=0.2)
    assert black(middle) > 30


def black(picture: Image.Image) -> int:
    return sum(picture.convert("L").histogram()[:60])


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_rotated_image_is_drawn_upright(tmp_path: Path, orientation: int) -> None:
    """Upright, the image has a white top left quarter; boxes are in upright pixels."""
    upright = Image.new("RGB", (200, 100))
    upright.paste((255, 255, 255), (0, 0, 100, 50))
    turns = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = upright.transpose(turns[orientation]) if orientation in turns else upright
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    stored.save(tmp_path / "photo.jpg", exif=exif, quality=95)
    draw(tmp_path / "photo.jpg", [box(120, 60, 180, 90, label_id=0)], tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as picture:
        assert picture.size == (200, 100)
        assert picture.getexif().get(EXIF_ORIENTATION, 1) == 1
        assert difference(picture.getpixel((50, 25)), (255, 255, 255)) < 10
        assert difference(picture.getpixel((150, 25)), (0, 0, 0)) < 10
        red, green, blue = picture.getpixel((120, 75))
        assert red > 150 > max(green, blue)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_image(tmp_path: Path, mode: str) -> None:
    source = tmp_path / ("source.tif" if mode == "CMYK" else "source.png")
    Image.new(mode, (60, 40)).save(source)
    draw(source, [box(5, 20, 50, 35, caption="ball")], tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as picture:
        assert (picture.mode, picture.size) == ("RGB", (60, 40))


@pytest.mark.parametrize(
    "edges", [(20, 20, 20, 20), (20, 20, 21, 60), (-50, -50, 500, 500), (150.4, 50.6, 150.5, 50.7)]
)
def test_boxes_of_any_size(tmp_path: Path, edges: tuple[float, float, float, float]) -> None:
    assert drawn(tmp_path, [box(*edges, caption="ball")]).size == (200, 100)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for _ in range(2):
        drawn(tmp_path, [box(50, 40, 150, 90, caption="ball 0.97")])
        written.append((tmp_path / "new" / "target.jpg").read_bytes())
    assert written[0] == written[1]
