"""Annotations, images and label maps read through fsspec: the same records as from this machine."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from record_builders import formats
from record_builders.annotations import Wanted
from record_builders.output import writing
from record_builders.planning import build
from record_builders.planning.plan import Plan, Request
from record_builders.sources import inputs, mirror
from record_builders.sources.inputs import Inputs
from record_builders.sources.mirror import Mirror, Stamp
from tfod_tools.base import buckets, plugins
from tfod_tools.base.errors import AnnotationError, MissingPackageError, Problems, RecordError, TfodError, UsageError

if TYPE_CHECKING:
    from tests.records.conftest import VocFolder

fsspec = pytest.importorskip("fsspec", reason="fsspec is in the extras gcs and s3")
from fsspec.implementations.memory import MemoryFileSystem  # noqa: E402

SAMPLES = Path(__file__).parents[2] / "formats"
FORMATS = plugins.names(Path(formats.__file__).parent)


@pytest.fixture(autouse=True)
def tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where fetched files come to lie: below the test's folder."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def pets(voc: VocFolder) -> VocFolder:
    """Six annotated images, and one that is not."""
    for number in range(6):
        voc.add(f"pet{number}", ("cat", 1, 2, 30, 40))
    voc.image("stray.jpg")
    return voc


def uploaded(folder: Path, url: str) -> str:
    """`url`, where the content of `folder` now lies."""
    remote = buckets.folder(url)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            remote.system.pipe_file(f"{remote.root}/{path.relative_to(folder).as_posix()}", path.read_bytes())
    return url


def bar(total: int) -> contextlib.AbstractContextManager[Any]:
    return contextlib.nullcontext(lambda count: None)


@contextlib.contextmanager
def opened(
    annotations: str,
    images: str | None = None,
    label_map: str | None = None,
    *,
    masks: bool = False,
    keep: bool = False,
) -> Iterator[Inputs]:
    with inputs.opened(annotations, images, label_map, "out", masks=masks, keep=keep, bar=bar) as given:
        yield given


def made(output: Path, annotations: str, images: str | None = None, **options: Any) -> dict[str, bytes]:
    """The content of the folder of records made of these paths or URLs."""
    written(output, annotations, images, **options)
    return {path.name: path.read_bytes() for path in output.iterdir()}


def written(
    output: Path, annotations: str, images: str | None = None, *, name: str = "auto", masks: bool = True, **options: Any
) -> Plan:
    with opened(annotations, images, options.pop("label_map", None), masks=masks) as given:
        request = Request(
            format=name, annotations=given.annotations, images=given.images, image_names=given.image_names,
            label_map=given.label_map, output=output, wanted=Wanted(masks=masks), **options,
        )  # fmt: skip
        given.fetch_images(request)
        plan = build.plan(request)
        writing.write(plan, lambda count: None)
    return plan


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_records(name: str, tmp_path: Path, tmp: Path) -> None:
    """With masks; nothing of it stays here."""
    local = made(tmp_path / "local", *(str(SAMPLES / name / part) for part in ("annotations", "images")), name=name)
    urls = [uploaded(SAMPLES / name / part, f"memory://{tmp_path}/{part}") for part in ("annotations", "images")]
    assert made(tmp_path / "remote", *urls, name=name) == local
    assert not list(tmp.iterdir())


@pytest.mark.parametrize("name", ["coco", "csv", "cvat", "bdd100k", "open_images"])
def test_a_file_gives_the_same_records(name: str, tmp_path: Path) -> None:
    """With what lies beside it, where the format reads that. Images are by default looked for there."""
    folder = tmp_path / name
    for part in ("annotations", "images"):
        for path in (path for path in (SAMPLES / name / part).rglob("*") if path.is_file()):
            copy = folder / path.relative_to(SAMPLES / name / part)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    [file, *_] = [path.name for path in sorted(folder.iterdir()) if path.suffix in (".json", ".csv", ".xml")]
    if name == "open_images":
        file = next(path.name for path in folder.iterdir() if "bbox" in path.name and path.suffix == ".csv")
    local = made(tmp_path / "local", str(folder / file), name=name)
    url = uploaded(folder, f"memory://{tmp_path}/{name}")
    assert made(tmp_path / "remote", f"{url}/{file}", name=name) == local


def test_years_image_sets_and_masks_of_voc(tmp_path: Path, voc_folder: type[VocFolder]) -> None:
    """The names of folders count; masks lie beside the annotations."""
    year = tmp_path / "VOC2012"
    pets = voc_folder(tmp_path / "pets")
    for stem in ("a", "b", "c"):
        pets.add(stem, ("cat", 1, 2, 30, 40))
    year.mkdir()
    pets.annotations.rename(year / "Annotations")
    pets.images.rename(year / "JPEGImages")
    (year / "SegmentationObject").mkdir()
    Image.new("P", (100, 50), 1).save(year / "SegmentationObject" / "a.png")
    (year / "ImageSets" / "Main").mkdir(parents=True)
    (year / "ImageSets" / "Main" / "train.txt").write_text("a\nb\n")
    url = uploaded(year, f"memory://{tmp_path}/VOC2012")
    for below, options in {"": {"image_sets": ("VOC2012/train",)}, "/Annotations": {}}.items():
        results = []
        for number, root in enumerate((str(year), url)):
            output = tmp_path / f"out{number}{len(below)}"
            with opened(f"{root}{below}", f"{root}/JPEGImages", masks=True) as given:
                request = Request(
                    format="voc", annotations=given.annotations, images=given.images, image_names=given.image_names,
                    output=output, wanted=Wanted(masks=True, **options),
                )  # fmt: skip
                given.fetch_images(request)
                plan = build.plan(request)
                assert sum(bool(item.mask) for image in plan.images for item in image.objects) == 1
                writing.write(plan, lambda count: None)
            results.append({path.name: path.read_bytes() for path in output.iterdir()})
        assert results[0] == results[1]


def test_annotations_here_and_images_there(pets: VocFolder, tmp_path: Path) -> None:
    local = made(tmp_path / "local", str(pets.annotations), str(pets.images))
    urls = [uploaded(folder, f"memory://{folder}") for folder in (pets.annotations, pets.images)]
    assert made(tmp_path / "images", str(pets.annotations), urls[1]) == local
    assert made(tmp_path / "annotations", urls[0], str(pets.images)) == local


def test_a_label_map_there(pets: VocFolder, tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "my.pbtxt").write_text("item { id: 7 name: 'cat' }\n")
    url = uploaded(tmp_path / "maps", f"memory://{tmp_path}/maps")
    plan = written(tmp_path / "out", str(pets.annotations), str(pets.images), label_map=f"{url}/my.pbtxt")
    assert plan.label_map.ids_by_name() == {"cat": 7}


def asked(given: Inputs, output: Path) -> Request:
    """For records of Pascal VOC made of what `given` names."""
    return Request(
        format="voc",
        annotations=given.annotations,
        images=given.images,
        image_names=given.image_names,
        output=output,
    )


def test_only_annotated_images_are_fetched_and_none_twice(pets: VocFolder, tmp_path: Path) -> None:
    """But one that has changed is; what was fetched stays for the next run if it is to be kept."""
    url = uploaded(pets.root, f"memory://{tmp_path}/voc")
    seen = []
    for _ in range(3):
        with opened(url, keep=True) as given:
            request = asked(given, tmp_path / "out")
            given.fetch_images(request)
            here = {path.name: path.stat() for path in given.images.rglob("*.jpg")}
            plan = build.plan(request)
        assert sorted(here) == [f"pet{number}.jpg" for number in range(6)]
        assert (len(plan.images), plan.unannotated_images) == (6, 1)
        seen.append({name: (stat.st_ino, stat.st_mtime_ns) for name, stat in here.items()})
        if len(seen) == 2:
            remote = buckets.folder(url)
            remote.system.pipe_file(f"{remote.root}/images/pet3.jpg", pets.image("pet3.jpg", (100, 60)).read_bytes())
    assert seen[0] == seen[1]
    assert seen[1]["pet3.jpg"] != seen[2]["pet3.jpg"]


def test_annotations_that_are_there_no_more(pets: VocFolder, tmp_path: Path) -> None:
    url = uploaded(pets.root, f"memory://{tmp_path}/voc")
    with opened(url, keep=True):
        pass
    remote = buckets.folder(url)
    remote.system.rm_file(f"{remote.root}/annotations/pet3.xml")
    with opened(url) as given:
        assert sorted(path.stem for path in given.annotations.rglob("*.xml")) == [f"pet{n}" for n in (0, 1, 2, 4, 5)]


def test_without_times_of_change_nothing_is_kept(tmp_path: Path) -> None:
    """A file of the same size may be another one."""
    remote = buckets.folder(f"memory://{tmp_path}")
    of, stamp = Mirror.of(remote, tmp_path), Stamp(3, 0)
    for content in (b"one", b"two"):
        remote.system.pipe_file(f"{remote.root}/a.txt", content)
        of.fetch({"a.txt": stamp}, bar)
        assert (of.path / "a.txt").read_bytes() == content


def test_names_that_lead_elsewhere_are_passed_over(tmp_path: Path) -> None:
    remote = buckets.folder(f"memory://{tmp_path}/images")
    store = remote.system.store
    remote.system.pipe_file(f"{remote.root}/x.txt", b"x")
    for name in ("b/x.jpg", "b.jpg", "a//x.jpg", "../x.jpg", "b/../../x.jpg", ".hidden/x.jpg", "b/.x.jpg", "B.JPG"):
        store[f"{remote.root}/{name}"] = store[f"{remote.root}/x.txt"]
    assert list(mirror.listed(remote, (".jpg",))) == ["B.JPG", "b/x.jpg", "b.jpg"]


class Fragile(MemoryFileSystem):
    """Refuses some files, and serves several at once."""

    protocol = "fragile"
    async_impl = True
    store: dict[str, Any] = {}  # noqa: RUF012 - fsspec's own way
    refused: tuple[str, ...] = ()
    at_once: int = 0
    most_at_once: int = 0
    seconds: float = 0.02
    lock = threading.Lock()

    def get_file(self, rpath: str, lpath: str, **options: Any) -> None:
        """As others, but slowly."""
        with self.lock:
            Fragile.at_once += 1
            Fragile.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if rpath.endswith(self.refused or ("\0",)):
                logging.getLogger("gcsfs").warning("refused, as Google's own implementation would log it")
                raise PermissionError(13, "Access Denied")
            time.sleep(self.seconds)
            super().get_file(rpath, lpath, **options)
        finally:
            with self.lock:
                Fragile.at_once -= 1


@pytest.fixture
def fragile() -> Iterator[type[Fragile]]:
    """A file system that works, to begin with."""
    fsspec.register_implementation("fragile", Fragile, clobber=True)
    Fragile.store.clear()
    Fragile.refused, Fragile.most_at_once, Fragile.seconds = (), 0, 0.02
    yield Fragile
    Fragile.refused = ()


def test_several_are_on_the_way_at_once(pets: VocFolder, tmp_path: Path, fragile: type[Fragile]) -> None:
    url = uploaded(pets.root, f"fragile://{tmp_path}/voc")
    assert made(tmp_path / "remote", url) == made(tmp_path / "local", str(pets.root))
    assert fragile.most_at_once > 2


@pytest.mark.parametrize("name", ["images/pet3.jpg", "annotations/pet3.xml"])
def test_a_file_that_is_refused(
    name: str, pets: VocFolder, tmp_path: Path, fragile: type[Fragile], caplog: pytest.LogCaptureFixture
) -> None:
    """One line with its URL, and no other; the run that follows goes on."""
    url = uploaded(pets.root, f"fragile://{tmp_path}/voc")
    fragile.refused = (name,)
    with pytest.raises(RecordError) as caught:
        made(tmp_path / "out", url)
    assert str(caught.value) == f"{url}/{name}: cannot read the file: Access Denied."
    assert not caplog.records
    assert not (tmp_path / "out").exists()
    fragile.refused = ()
    assert made(tmp_path / "out", url) == made(tmp_path / "local", str(pets.root))


def test_killed_while_it_fetches(pets: VocFolder, tmp_path: Path, tmp: Path, fragile: type[Fragile]) -> None:
    """What was fetched by then is not fetched again, and what was half fetched does no harm."""
    for number in range(6, 100):
        pets.add(f"pet{number}", ("cat", 1, 2, 30, 40))
    url = uploaded(pets.root, f"fragile://{tmp_path}/voc")
    fragile.seconds = 0.25
    process = multiprocessing.get_context("fork").Process(target=made, args=(tmp_path / "out", url))
    process.start()
    while len(list(tmp.rglob("*.jpg"))) < 20:
        assert process.is_alive()
        time.sleep(0.005)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    fetched = {path.name: path.stat().st_ino for path in tmp.rglob("*.jpg") if not path.name.startswith(".")}
    assert len(fetched) < 100
    fragile.seconds = 0
    with opened(url, keep=True) as given:
        request = asked(given, tmp_path / "out")
        given.fetch_images(request)
        here = {path.name: path.stat().st_ino for path in given.images.rglob("pet*.jpg")}
    assert fetched.items() <= here.items()
    assert made(tmp_path / "out", url) == made(tmp_path / "local", str(pets.root))


def test_errors_name_the_url(pets: VocFolder, tmp_path: Path) -> None:
    pets.xml("pet3.xml", pets.marked("cat", 1, 2, "x", 40))
    url = uploaded(pets.root, f"memory://{tmp_path}/voc")
    with opened(url) as given:
        request = asked(given, tmp_path / "out")
        given.fetch_images(request)
        problems = Problems(fault.error for fault in build.plan(request).faults)
        assert given.named(str(problems)).startswith(
            f"{url}/annotations/pet3.xml:2: <xmax> is 'x', not a number of pixels."
        )
    with pytest.raises(Problems) as caught, opened(url):
        raise problems
    assert str(caught.value).startswith(f"{url}/annotations/pet3.xml:2: ")


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        ("memory://nowhere/voc", RecordError, "memory://nowhere/voc: cannot look into the folder: no such bucket"),
        ("memory://here/x.json", RecordError, "memory://here/x.json: cannot look into the folder: no such bucket"),
        ("memory://here", AnnotationError, "memory://here: no annotation file is here"),
        (
            "nowhere://a/b",
            UsageError,
            "nowhere://a/b cannot be used: Protocol not known: nowhere. Pass a URL that fsspec knows",
        ),
        ("gs://a/b", MissingPackageError, "gcsfs is not installed. Run: pip install 'tfod-tools[gcs]'"),
        ("s3://a/b", MissingPackageError, "s3fs is not installed. Run: pip install 'tfod-tools[s3]'"),
    ],
)
def test_urls_without_annotations(url: str, error: type[TfodError], message: str, tmp_path: Path) -> None:
    package = {"gs": "gcsfs", "s3": "s3fs"}.get(url.partition("://")[0])
    if package and importlib.util.find_spec(package):
        pytest.skip(f"{package} is installed")
    buckets.folder("memory://here").system.pipe_file("/here/readme.md", b"nothing")
    with pytest.raises(error) as caught:
        made(tmp_path / "out", url)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_label_map_that_is_not_there(pets: VocFolder) -> None:
    with pytest.raises(
        RecordError, match=r"^memory://no/map.pbtxt: cannot read the file: no such bucket, folder or file\.$"
    ):
        opened(str(pets.root), label_map="memory://no/map.pbtxt").__enter__()


def test_no_room(tmp_path: Path) -> None:
    of = Mirror.of(buckets.folder("memory://big"), tmp_path)
    with pytest.raises(RecordError, match=r"1000000000000 MB must be fetched, but there is room for only \d+ MB"):
        of.fetch({"a.jpg": Stamp(10**18, 0)}, bar)


def test_a_folder_of_somebody_else(pets: VocFolder, tmp: Path) -> None:
    url = uploaded(pets.root, f"memory://{tmp}/voc")
    with opened(url, keep=True):
        [home] = tmp.iterdir()
    home.rename(tmp / "elsewhere")
    home.symlink_to(tmp / "elsewhere")
    with pytest.raises(RecordError, match="the folder belongs to another user"):
        opened(url).__enter__()


def test_the_command(pets: VocFolder, tmp_path: Path, tmp: Path) -> None:
    """All of them there, and one wrong box in a file that is left out."""
    pets.xml("pet3.xml", pets.marked("cat", 1, 2, "x", 40))
    (pets.root / "my.pbtxt").write_text("item { id: 7 name: 'cat' }\n")
    environment = {**os.environ, "TMPDIR": str(tmp), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    outputs = []
    for number, scheme in enumerate(("", "local://")):
        root, output = f"{scheme}{pets.root}", tmp_path / f"out{number}"
        places = {"annotations": "annotations", "images": "images", "label_map": "my.pbtxt"}
        places = {flag: f"{root}/{name}" for flag, name in places.items()} | {"output": f"{scheme}{output}"}
        command = [sys.executable, "-m", "tfod_tools.make_records", "--on_problem=skip", "--shards=2"]
        done = subprocess.run(
            [*command, *(f"--{flag}={place}" for flag, place in places.items())],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 3, done.stderr
        assert done.stderr.startswith(f"{root}/annotations/pet3.xml:2: ")
        outputs.append({path.name: path.read_bytes() for path in output.iterdir()})
    assert outputs[0] == outputs[1]
    assert not list(tmp.iterdir())
    refused = subprocess.run(
        [*command, f"--annotations={pets.root}", f"--images=local://{pets.images}", "--download", "--output=no"],
        env=environment, capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "--download saves images on this machine, but --images is a URL" in refused.stderr


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Amazon's S3 as moto serves it on this machine, and s3fs to talk to it."""
    s3fs = pytest.importorskip("s3fs", reason="s3fs is in the extra s3")
    servers = pytest.importorskip("moto.server", reason="moto[server] plays S3; it is in no extra")
    server = servers.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "one")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "two")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    s3fs.S3FileSystem.clear_instance_cache()
    yield s3fs
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_s3(pets: VocFolder, tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a bucket and to a bucket; what is not there, or nobody may see, is told in a line."""
    system = s3.S3FileSystem()
    system.mkdir("bucket")
    url = uploaded(pets.root, "s3://bucket/voc")
    local = made(tmp_path / "local", str(pets.root))
    assert made(tmp_path / "remote", url) == local
    assert made(tmp_path / "default", f"{url}/annotations", f"{url}/images") == local
    for place, message in {
        "s3://nowhere/voc": "s3://nowhere/voc: cannot look into the folder: no such bucket, folder or file.",
        "s3://bucket/no": "s3://bucket/no: cannot look into the folder: no such bucket, folder or file.",
    }.items():
        with pytest.raises(RecordError) as caught:
            made(tmp_path / "out", place)
        assert str(caught.value) == message
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    s3.S3FileSystem.clear_instance_cache()
    with pytest.raises(RecordError, match="cannot look into the folder: Unable to locate credentials"):
        made(tmp_path / "out", url)
