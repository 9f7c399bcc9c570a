"""Pictures spoilt at random, and headers that lie, for make_records and predict."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from functools import partial
from io import BytesIO

from campaigns.attack.case import Case
from campaigns.attack.mutation import spoilt
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples, png, voc_xml

_RUNS = 70
_KINDS = (("jpg", "JPEG"), ("png", "PNG"), ("bmp", "BMP"), ("gif", "GIF"), ("webp", "WEBP"), ("tif", "TIFF"))
_MORE = (("--on_problem=fix",), ("--on_problem=fix", "--verify=decode"), ("--verify=decode",), ())


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Each kind of picture; then sizes that no picture has."""
    for _ in range(_RUNS):
        suffix, kind = draw.choice(_KINDS)
        what, content = spoilt(_picture(kind, draw), draw)
        yield _case(f"{suffix}: {what}", f"pet.{suffix}", content, draw.choice(_MORE))
    sides = (50_000, 100_000, 65_535, 2**31 - 1, 2**31, 2**32 - 1, 0)
    for width in sides:
        for height, more in ((width, _MORE[0]), (draw.choice(sides), _MORE[1]), (1, _MORE[2])):
            content = png(8, 8, said=(width, height))
            yield _case(f"a PNG that says {width}x{height}", "pet.png", content, more)
    for width, height in ((30_000, 30_000), (20_000, 16_000)):
        for more in _MORE:
            yield _case(f"{width}x{height} black pixels", "pet.png", _black(width, height), more)
    for width, height in ((65_535, 65_535), (40_000, 50_000)):
        for suffix, head in (("bmp", _bmp(width, height)), ("gif", b"GIF89a" + struct.pack("<HH", width, height))):
            content = head + b"\0" * 100
            yield _case(f"a {suffix} that says {width}x{height}", f"pet.{suffix}", content, _MORE[0])


def _picture(kind: str, draw: random.Random) -> bytes:
    from PIL import Image

    made = BytesIO()
    mode = draw.choice(("RGB", "L")) if kind != "GIF" else "P"
    image = Image.frombytes(mode, (40, 30), draw.randbytes(40 * 30 * len("RGB" if mode == "RGB" else "L")))
    image.save(made, kind)
    return made.getvalue()


def _black(width: int, height: int) -> bytes:
    """A whole PNG of so many pixels, in some hundred kB."""
    import zlib

    packer, rows = zlib.compressobj(9), b"\0" * (width // 8 + 1)
    data = b"".join(packer.compress(rows) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _bmp(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 1000, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


def _case(about: str, name: str, content: bytes, more: tuple[str, ...]) -> Case:
    return Case(
        about=about,
        argv=["make_records", "--annotations=given", "--output=out", "--val_fraction=0", *more],
        prepare=partial(_prepare, name=name, content=content),
    )


def _prepare(place: Place, name: str, content: bytes) -> None:
    place.write(f"given/{name}", content)
    place.write("given/pet.xml", voc_xml(name, "cat"))
