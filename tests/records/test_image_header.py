"""Headers read without decoding agree with Pillow, and images the engine cannot decode are refused."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from record_builders.images.image_header import ImageHeader, read_header
from tfod_tools.base.errors import ImageError


def encoded(format: str, mode: str = "RGB", size: tuple[int, int] = (33, 21), **options: object) -> bytes:
    """An image file of noise."""
    buffer = io.BytesIO()
    Image.effect_noise(size, 90).convert(mode).save(buffer, format, **options)
    return buffer.getvalue()


def header_of(path: Path, data: bytes) -> ImageHeader:
    """The header of a file with this content."""
    path.write_bytes(data)
    return read_header(path)


@pytest.mark.parametrize(
    ("format", "mode", "options"),
    [
        ("JPEG", "RGB", {}),
        ("JPEG", "RGB", {"progressive": True}),
        ("JPEG", "L", {}),
        ("JPEG", "CMYK", {}),
        ("JPEG", "RGB", {"comment": b"x" * 60_000}),
        ("PNG", "RGBA", {}),
        ("PNG", "1", {}),
        ("BMP", "RGB", {}),
        ("BMP", "L", {}),
    ],
)
def test_reads_what_pillow_wrote(tmp_path: Path, format: str, mode: str, options: dict[str, object]) -> None:
    """Width, height and format, whatever the file is called."""
    found = header_of(tmp_path / "image.dat", encoded(format, mode, **options))
    assert (found.width, found.height, found.format) == (33, 21, format.lower())
    stat = (tmp_path / "image.dat").stat()
    assert (found.size_bytes, found.modified_ns) == (stat.st_size, stat.st_mtime_ns)


def test_the_thumbnail_within_a_photo_is_passed_over(tmp_path: Path) -> None:
    """A JPEG in an APP1 segment has a frame header and an end of its own."""
    photo, thumbnail = encoded("JPEG"), encoded("JPEG", size=(8, 8))
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    with_thumbnail = photo[:2] + segment + photo[2:]
    assert header_of(tmp_path / "a.jpg", with_thumbnail).width == 33
    with pytest.raises(ImageError, match="ends early"):
        header_of(tmp_path / "b.jpg", with_thumbnail[:-2])


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_data_after_the_end_is_no_fault(tmp_path: Path, format: str) -> None:
    """Phones append data of their own, here more than is searched for the end at first."""
    assert header_of(tmp_path / "a", encoded(format) + b"junk" * 50_000).height == 21


@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP"])
def test_every_cut_is_noticed(tmp_path: Path, format: str) -> None:
    """The engine stops in mid-training on each of these."""
    data = encoded(format)
    for length in range(len(data)):
        with pytest.raises(ImageError):
            header_of(tmp_path / "cut", data[:length])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty, but the engine reads only JPEG, PNG and BMP"),
        (encoded("GIF"), "the file is a GIF, but the engine reads only JPEG, PNG and BMP. Convert it to JPEG or PNG."),
        (encoded("TIFF"), "the file is a TIFF"),
        (encoded("WEBP"), "the file is a WebP"),
        (encoded("BMP", "1"), "the BMP has 1 bits per pixel"),
        (b"<html>", "unknown kind (it starts with 3c 68 74 6d 6c 3e)"),
        (b"\xff\xd8\xff\xd9", "no frame header"),
        (b"\xff\xd8\xff\xe0\x00\x00junk", "a marker is missing"),
    ],
)
def test_says_what_it_found(tmp_path: Path, data: bytes, message: str) -> None:
    """One line with the file, what was found and what to do."""
    with pytest.raises(ImageError) as caught:
        header_of(tmp_path / "image", data)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path / 'image'}: ")


def test_missing_file(tmp_path: Path) -> None:
    """An ImageError, not an OSError."""
    with pytest.raises(ImageError, match="No such file"):
        read_header(tmp_path / "none.jpg")


def test_real_photos(shared_data: Path) -> None:
    """Every photo of the shared VOC sets has the size that Pillow sees."""
    paths = [path for path in shared_data.glob("voc_*/**/*") if path.suffix.lower() in (".jpg", ".png")]
    assert len(paths) > 500
    for path in paths:
        with Image.open(path) as image:
            found = read_header(path)
            assert (found.width, found.height, found.format) == (*image.size, (image.format or "").lower())
