"""Images are fetched from a server of this machine that is slow, forgetful and in a bad mood."""

from __future__ import annotations

import http.server
import io
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from record_builders.formats.open_images import download
from record_builders.formats.open_images.download import Source
from tfod_tools import app, make_records
from tfod_tools.base.errors import UsageError


def jpeg(number: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (100, 50), (number % 256, 9, 9)).save(file, format="JPEG")
    return file.getvalue()


class Bucket(http.server.ThreadingHTTPServer):
    """Images by path; `moods` are what it does first on a path: a status, or 'cut' for half of the answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.images: dict[str, bytes] = {}
        self.moods: dict[str, list[int | str]] = {}
        self.asked: list[tuple[float, str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def times(self) -> Counter[str]:
        return Counter(path for _, path, _ in self.asked)


class Handler(http.server.BaseHTTPRequestHandler):
    server: Bucket

    def do_GET(self) -> None:
        span = self.headers.get("Range")
        self.server.asked.append((time.monotonic(), self.path, span))
        moods = self.server.moods.get(self.path, [])
        mood = moods.pop(0) if moods else 200
        body = self.server.images.get(self.path)
        if isinstance(mood, int) and mood != 200:
            self.send_error(mood)
            return
        if body is None:
            self.send_error(404)
            return
        start = int(span.removeprefix("bytes=").removesuffix("-")) if span else 0
        if start and start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : len(body) // 2] if mood == "cut" else body[start:])

    def log_message(self, *_: object) -> None:
        """Is silent."""


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with Bucket() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetch(bucket: Bucket, folder: Path, *names: str, per_second: float = 1000) -> list[str]:
    """Messages of what could not be had."""
    source = Source(url=bucket.url, per_second=per_second, pause_seconds=0.01)
    return [error.message for error in download.fetch(names, folder, source, lambda count: None)]


def test_images_arrive(bucket: Bucket, tmp_path: Path) -> None:
    """As they are, once; a second run asks for nothing."""
    names = [f"train/{number:016x}" for number in range(20)]
    bucket.images = {f"/{name}.jpg": jpeg(number) for number, name in enumerate(names)}
    for _ in range(2):
        assert fetch(bucket, tmp_path, *names) == []
    assert {f"/{path.relative_to(tmp_path)}": path.read_bytes() for path in tmp_path.rglob("*.*")} == bucket.images
    assert set(bucket.times().values()) == {1}


def test_another_try(bucket: Bucket, tmp_path: Path) -> None:
    """After an error of the server and an answer cut short, from where that ended."""
    body = jpeg(1) + bytes(100_000)
    bucket.images["/train/a.jpg"] = body
    bucket.moods["/train/a.jpg"] = [503, "cut", 429, 200]
    assert fetch(bucket, tmp_path, "train/a") == []
    assert (tmp_path / "train/a.jpg").read_bytes() == body
    assert [span for _, _, span in bucket.asked] == [None, None, *[f"bytes={len(body) // 2}-"] * 2]
    assert sorted(path.name for path in (tmp_path / "train").iterdir()) == ["a.jpg"]


def test_no_more_tries(bucket: Bucket, tmp_path: Path) -> None:
    """What does not exist is asked for once, what does not come five times; others arrive."""
    bucket.images = {"/train/c.jpg": jpeg(0), "/train/b.jpg": jpeg(1)}
    bucket.moods["/train/b.jpg"] = [500] * 9
    assert fetch(bucket, tmp_path, "train/a", "train/b", "train/c") == [
        f"the download failed: the server says {said}. Try again later, or add --on_problem=skip."
        for said in ("404 Not Found", "500 Internal Server Error")
    ]
    assert bucket.times() == {"/train/a.jpg": 1, "/train/b.jpg": 5, "/train/c.jpg": 1}
    assert [path.name for path in tmp_path.rglob("*.jpg")] == ["c.jpg"]


def test_a_run_that_was_stopped(bucket: Bucket, tmp_path: Path) -> None:
    """Goes on with what it had; what is longer than the image is thrown away."""
    bucket.images = {"/train/a.jpg": jpeg(1), "/train/b.jpg": jpeg(2)}
    (tmp_path / "train").mkdir()
    (tmp_path / "train/.a.jpg.partial").write_bytes(jpeg(1)[:200])
    (tmp_path / "train/.b.jpg.partial").write_bytes(bytes(5000))
    assert fetch(bucket, tmp_path, "train/a", "train/b") == []
    for name in "ab":
        assert (tmp_path / f"train/{name}.jpg").read_bytes() == bucket.images[f"/train/{name}.jpg"]
    assert ("/train/a.jpg", "bytes=200-") in {(path, span) for _, path, span in bucket.asked}


def test_rate(bucket: Bucket, tmp_path: Path) -> None:
    """Requests are apart, whatever the number of threads."""
    names = [f"train/{number}" for number in range(10)]
    bucket.images = {f"/{name}.jpg": jpeg(0) for name in names}
    assert fetch(bucket, tmp_path, *names, per_second=50) == []
    times = sorted(when for when, _, _ in bucket.asked)
    assert times[-1] - times[0] >= 9 / 50 - 0.02


def test_nobody_is_there(tmp_path: Path) -> None:
    """A refused connection is an error of one line; another address than HTTP is a wrong flag."""
    source = Source(url="http://127.0.0.1:9", pause_seconds=0, tries=2)
    (error,) = download.fetch(["train/a"], tmp_path, source, lambda count: None)
    assert error.message.startswith("the download failed: [Errno 111] Connection refused.")
    with pytest.raises(UsageError, match="does not begin with http"):
        download.fetch(["a"], tmp_path, Source(url="/etc"), lambda count: None)


@pytest.mark.parametrize("name", ["{outside}", "../outside", "train/../../outside", "train/a b", "train/a?x=1"])
def test_no_id_leads_elsewhere(name: str, bucket: Bucket, tmp_path: Path) -> None:
    """What an annotation calls its image is not taken for a path, nor for a part of an address."""
    name = name.format(outside=tmp_path / "outside")
    bucket.images = {f"/{name}.jpg": jpeg(0)}
    said = fetch(bucket, tmp_path / "images", name)
    assert said == [f"the ImageID '{name}' is not an id of Open Images, which has only letters and digits. Correct it."]
    assert not bucket.asked
    assert not list(tmp_path.iterdir())


def test_the_command(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lists what is missing, fetches it, and makes records of it."""
    monkeypatch.chdir(tmp_path)
    Path("oid").mkdir()
    Path("images").mkdir()
    header = (
        "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
    )
    rows = [f"{number:016x},xclick,/m/cat,1,0.1,0.5,0.1,0.5,0,0,0,0,0" for number in range(4)]
    Path("oid/validation-annotations-bbox.csv").write_text("\n".join([header, *rows]) + "\n")
    names = [f"validation/{number:016x}" for number in range(4)]
    bucket.images = {f"/{name}.jpg": jpeg(number) for number, name in enumerate(names[:3])}

    def run(*flags: str) -> int:
        for name in make_records.FLAGS:
            make_records.FLAGS[name].unparse()
        common = ["--annotations=oid", "--images=images", "--output=out", f"--download_from={bucket.url}"]
        return app.status(make_records.main, make_records.FLAGS, make_records.__doc__, ["x", *common, *flags])

    assert run("--missing_images=missing.txt") == 0
    assert Path("missing.txt").read_text().splitlines() == names
    assert run("--download", "--dry_run") == 0
    assert "Would download 4 images to images." in capsys.readouterr().out
    assert run("--download") == 2
    assert "images/validation/0000000000000003.jpg: the download failed: the server says 404" in capsys.readouterr().err
    assert run("--download", "--on_problem=skip") == 3
    assert "Downloaded 0 of 1 images to images." in capsys.readouterr().out
    assert Path("out/manifest.json").exists()
    assert run("--format=voc", "--download") == 1
    assert "--download works only for Open Images" in capsys.readouterr().err
