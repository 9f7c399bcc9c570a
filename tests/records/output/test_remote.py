"""Records published through fsspec: the same bytes, the manifest last, and taken up where that failed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from record_builders.output import writing
from record_builders.planning import build
from record_builders.planning.plan import Plan, Request
from tfod_tools.base import buckets
from tfod_tools.base.errors import MissingPackageError, RecordError, UsageError

if TYPE_CHECKING:
    from tests.records.conftest import VocFolder

pytest.importorskip("fsspec", reason="fsspec is in the extras gcs and s3")


@pytest.fixture
def pets(voc: VocFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> VocFolder:
    """Ten images; what waits to be published does so below the test's folder."""
    for number in range(10):
        voc.add(f"pet{number}", ("cat", 1, 2, 30, 40))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return voc


def plan(voc: VocFolder, url: str, **options: object) -> Plan:
    remote = buckets.folder(url)
    request = Request(
        format="voc", annotations=voc.annotations, images=voc.images, output=remote.antechamber, remote=remote,
        **({"shards": 3} | options),
    )  # type: ignore[arg-type]  # fmt: skip
    return build.plan(request)


def write(planned: Plan) -> None:
    writing.write(planned, lambda count: None)


def locally(voc: VocFolder, folder: Path, **options: object) -> dict[str, bytes]:
    request = Request(format="voc", annotations=voc.annotations, images=voc.images, output=folder, shards=3, **options)  # type: ignore[arg-type]
    write(build.plan(request))
    return content(folder)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def left_here(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "tmp").rglob("*"))


@pytest.mark.parametrize("scheme", ["local", "memory"])
def test_the_same_files(pets: VocFolder, tmp_path: Path, scheme: str) -> None:
    """Over an earlier run too, of which nothing stays; nothing stays here either."""
    expected = locally(pets, tmp_path / "local")
    url = f"{scheme}://{tmp_path}/bucket/records"
    write(plan(pets, url, shards=5))
    planned = plan(pets, url)
    assert len(planned.superseded) == 5
    write(planned)
    remote = buckets.folder(url)
    names = [Path(path).name for path in remote.system.find(remote.root)]
    assert {name: remote.read(name) for name in names} == expected
    assert not left_here(tmp_path)


def test_a_plan_writes_nothing(pets: VocFolder, tmp_path: Path) -> None:
    plan(pets, f"local://{tmp_path}/bucket")
    assert not left_here(tmp_path)
    assert not (tmp_path / "bucket").exists()


@pytest.mark.parametrize("name", ["label_map.pbtxt", "train.record-00001-of-00003"])
def test_files_of_others_are_not_overwritten(pets: VocFolder, tmp_path: Path, name: str) -> None:
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / name).write_text("mine")
    with pytest.raises(
        RecordError,
        match=f"local://.*bucket/{name}: is there already, and no manifest.json says that make_records wrote it",
    ):
        plan(pets, f"local://{tmp_path}/bucket")


def test_a_manifest_of_others(pets: VocFolder, tmp_path: Path) -> None:
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "manifest.json").write_text("{}")
    with pytest.raises(RecordError, match=r"local://.*bucket/manifest.json: not a manifest of records"):
        plan(pets, f"local://{tmp_path}/bucket")


@pytest.mark.parametrize("options", [{}, {"seed": 1}], ids=["same", "another"])
def test_what_could_not_be_published_is_by_the_next_run(
    pets: VocFolder, tmp_path: Path, options: dict[str, object]
) -> None:
    """Here a folder stands in the way of the second shard. The manifest of the earlier run stays until the end."""
    expected, url = locally(pets, tmp_path / "local", **options), f"local://{tmp_path}/bucket"
    write(plan(pets, url, shards=1))
    before = (tmp_path / "bucket" / "manifest.json").read_bytes()
    obstacle = tmp_path / "bucket" / "train.record-00001-of-00003"
    obstacle.mkdir()
    planned = plan(pets, url)
    with pytest.raises(RecordError, match=r"bucket/train.record-00001-of-00003: cannot write the file"):
        write(planned)
    assert (tmp_path / "bucket" / "manifest.json").read_bytes() == before
    obstacle.rmdir()
    write(plan(pets, url, **options))
    assert content(tmp_path / "bucket") == expected
    assert not left_here(tmp_path)


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        (
            "nowhere://a/b",
            UsageError,
            "nowhere://a/b cannot be used: Protocol not known: nowhere. Pass a URL that fsspec knows",
        ),
        ("gs://a/b", MissingPackageError, "gcsfs is not installed. Run: pip install 'tfod-tools[gcs]'"),
        ("s3://a/b", MissingPackageError, "s3fs is not installed. Run: pip install 'tfod-tools[s3]'"),
    ],
)
def test_urls_that_cannot_be_used(url: str, error: type[Exception], message: str) -> None:
    package = {"gs": "gcsfs", "s3": "s3fs"}.get(url.partition("://")[0])
    if package and importlib.util.find_spec(package):
        pytest.skip(f"{package} is installed")
    with pytest.raises(error) as caught:
        buckets.folder(url)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_command(pets: VocFolder, tmp_path: Path) -> None:
    """Says where it wrote."""
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "tfod_tools.make_records", "--shards=3", f"--output=local://{tmp_path}/bucket"]
    done = subprocess.run(
        [*command, f"--annotations={pets.root}"], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Wrote to local://{tmp_path}/bucket:" in done.stdout
    assert content(tmp_path / "bucket") == locally(pets, tmp_path / "local")
