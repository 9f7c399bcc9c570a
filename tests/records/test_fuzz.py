"""Whatever is done to a file, a reader finds something wrong with it or reads it, and nothing else happens."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from record_builders import formats
from record_builders.annotations import AnnotatedImage, Fault, LeftOut, Wanted
from record_builders.images import conversion
from record_builders.planning import stored_images
from record_builders.planning.checks import checked, of_classes
from record_builders.records import example
from record_builders.sources.folders import ImageFolder
from tfod_tools.base import plugins
from tfod_tools.base.errors import TfodError

FOLDER = Path(formats.__file__).parent
SAMPLES = Path(__file__).parents[1] / "formats"
EXAMPLES = int(os.environ.get("TFOD_FUZZ_EXAMPLES", "60"))
SECONDS = float(os.environ.get("TFOD_FUZZ_SECONDS", "600"))
EXAMPLES_OF_A_ROUND = 500
SECONDS_OF_AN_EXAMPLE = 30
# What is drawn for a mask takes a bit for each pixel, 16 of them while it is drawn.
MOST_PIXELS = 4_000_000

NUMBERS = [b"-1", b"0", b"1e999", b"-1e308", b"nan", b"inf", b"1e-320", b"99999999999999999999", b"9" * 5000, b"1_0"]
NUMBERS += [b"0x10", b"\xd9\xa3", b"true", b"null", b'""', b"[]", b"{}", b"1,5", b"--1", b"00", b"+7", b".", b"-"]
PIECES = [b"", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xe2\x80\xa8", b'"', b"'", b"<", b">", b"/>", b"&a;"]
PIECES += [
    b"&#0;",
    b"<![CDATA[",
    b"<!--",
    b"[",
    b"{",
    b"}",
    b"]",
    b",",
    b";",
    b":",
    b"\t",
    b"../",
    b"\\",
    b"C:\\",
    b"/",
]
PIECES += [b"\n", b"\r", b"\r\n", b" ", b"%s", b"\\ud800", b"[" * 3000, b"<a>" * 3000, b"x" * 300, *NUMBERS]
TEXTS = [
    b"",
    b"\\ud800",
    b"\\u0000",
    b"\\ud83d\\ude00",
    b"&#10;",
    b"\\n",
    b"a/b",
    b"..",
    b".",
    b"/",
    b"~",
    b"%",
    b"street",
    b"car",
]
TEXTS += [
    b"x" * 300,
    b"\xc3\xa9",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x98\x80",
    b"street.png",
    b"STREET.PNG",
    b"field",
    *NUMBERS,
]
NUMBER = re.compile(rb"-?\d+(\.\d+)?")
TEXT = re.compile(rb'(?<=")[^"]*(?=")|(?<=>)[^<>]+(?=<)|[A-Za-z_]+')

place, length = st.floats(0, 1), st.integers(0, 40)


def cut(content: bytes, where: float, size: int, piece: bytes) -> bytes:
    """Something else in place of `size` bytes."""
    start = int(where * len(content))
    return content[:start] + piece + content[start + size :]


def another(kind: re.Pattern[bytes], content: bytes, where: float, piece: bytes) -> bytes:
    """Something else in place of a number or a text."""
    found = list(kind.finditer(content))
    if not found:
        return content
    match = found[min(int(where * len(found)), len(found) - 1)]
    return content[: match.start()] + piece + content[match.end() :]


def copied(content: bytes, where: float, size: int, to: float, times: int) -> bytes:
    """Some bytes again, elsewhere."""
    start = int(where * len(content))
    return cut(content, to, 0, content[start : start + size] * times)


def lines(content: bytes, first: float, second: float, what: str) -> bytes:
    """Two lines exchanged, or one of them gone, or there twice."""
    found = content.split(b"\n")
    i, j = (min(int(where * len(found)), len(found) - 1) for where in (first, second))
    if what == "exchange":
        found[i], found[j] = found[j], found[i]
    elif what == "remove":
        del found[i]
    else:
        found.insert(j, found[i])
    return b"\n".join(found)


def ended(content: bytes, where: float) -> bytes:
    """A part of it only."""
    return content[: int(where * len(content))]


DAMAGE: st.SearchStrategy[Callable[[bytes], bytes]] = st.one_of(
    st.builds(lambda *values: lambda content: cut(content, *values), place, length, st.sampled_from(PIECES)),
    st.builds(lambda *values: lambda content: another(NUMBER, content, *values), place, st.sampled_from(NUMBERS)),
    st.builds(lambda *values: lambda content: another(TEXT, content, *values), place, st.sampled_from(TEXTS)),
    st.builds(
        lambda *values: lambda content: copied(content, *values),
        place, length, place, st.sampled_from([1, 2, 90]),
    ),
    st.builds(
        lambda *values: lambda content: lines(content, *values),
        place, place, st.sampled_from(["exchange", "remove", "repeat"]),
    ),
    st.builds(lambda where: lambda content: ended(content, where), place),
)  # fmt: skip


class Reader:
    """The reader of a format, with a copy of its sample to damage."""

    def __init__(self, name: str, folder: Path) -> None:
        """Copies the sample into `folder`."""
        self.module = plugins.load("record_builders.formats", FOLDER, name, "annotation format")
        self.folder = folder
        for part in ("annotations", "images"):
            shutil.copytree(SAMPLES / name / part, folder / part)
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        self.originals = {path: path.read_bytes() for path in paths}
        self.tried = 0

    def fuzz(self, examples: int, number: int | None) -> None:
        """Reads so many damaged samples, always the same of each `number`."""
        options = st.tuples(st.booleans(), st.booleans(), st.sampled_from(["", "train", "obj_train_data", "no"]))
        damage = st.lists(st.tuples(st.sampled_from(list(self.originals)), DAMAGE), min_size=1, max_size=4)
        phases = [phase for phase in Phase if number is None or phase is not Phase.reuse]

        @settings(
            max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), phases=phases,
            database=None, print_blob=True,
        )  # fmt: skip
        @given(damage, options)
        def read(damage: list[tuple[Path, Callable[[bytes], bytes]]], options: tuple[bool, bool, str]) -> None:
            self.tried += 1
            with self.damaged(damage), seconds(SECONDS_OF_AN_EXAMPLE):
                self.read(*options)

        (read if number is None else seed(number)(read))()

    @contextmanager
    def damaged(self, damage: list[tuple[Path, Callable[[bytes], bytes]]]) -> Iterator[None]:
        """For a while."""
        try:
            for path, change in damage:
                path.write_bytes(change(path.read_bytes()))
            yield
        finally:
            for path, _ in damage:
                path.write_bytes(self.originals[path])

    def read(self, convert: bool, some: bool, image_set: str) -> None:
        """What `make_records` does before it writes, and what is written of each image but the image itself."""
        images = ImageFolder(self.folder / "images", convert=convert)
        wanted = Wanted(masks=True, image_sets=(image_set,) if image_set else (), classes=("Lemon",) if some else ())
        try:
            found = self.module.read(self.folder / "annotations", images, wanted)
            if some and not getattr(self.module, "SELECTS_CLASSES", False):
                found = of_classes(found, ("car", "Lemon"))
            for item in checked(map(conversion.turned, found), None):
                assert isinstance(item, AnnotatedImage | Fault | LeftOut)
                if isinstance(item, Fault):
                    assert "\n" not in str(item.error)
                if isinstance(item, AnnotatedImage) and item.header.width * item.header.height < MOST_PIXELS:
                    image = stored_images.unpack(stored_images.pack(item))
                    assert image == item
                    example.serialize(image, b"", dict.fromkeys((each.label for each in image.objects), 1))
        except TfodError as error:
            assert "\n" not in str(error)


@contextmanager
def seconds(most: int) -> Iterator[None]:
    """No reader takes more time of the CPU."""

    def stop(number: int, frame: object) -> None:
        raise TimeoutError(f"not done after {most} seconds")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, most)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@pytest.mark.parametrize("name", plugins.names(FOLDER))
def test_damaged_samples(name: str, tmp_path: Path) -> None:
    """Files of a sample are damaged in up to four places."""
    Reader(name, tmp_path).fuzz(EXAMPLES, None)


@pytest.mark.long
@pytest.mark.parametrize("name", plugins.names(FOLDER))
def test_damaged_samples_for_long(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As long as TFOD_FUZZ_SECONDS says, other ones in each round."""
    reader, end, number = Reader(name, tmp_path), time.monotonic() + SECONDS, 0
    try:
        while time.monotonic() < end:
            reader.fuzz(EXAMPLES_OF_A_ROUND, number)
            number += 1
    finally:
        with capsys.disabled():
            print(f"\n{name}: {reader.tried} damaged samples read, the last of them with seed {number}")
