"""A run that was killed, and is repeated, ends in the bytes of an undisturbed one and keeps what was finished."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import random
import resource
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from record_builders.output import staging, writing
from record_builders.planning import build
from record_builders.planning.plan import Plan, Request
from tfod_tools.base.errors import ImageError, RecordError

if TYPE_CHECKING:
    from tests.records.conftest import VocFolder

IMAGES, SHARDS = 100, 6


@pytest.fixture(scope="module")
def photos(voc_folder: type[VocFolder], tmp_path_factory: pytest.TempPathFactory) -> VocFolder:
    """A hundred images of 40 kB."""
    voc = voc_folder(tmp_path_factory.mktemp("photos") / "voc")
    for number in range(IMAGES):
        voc.add(f"{number}", ("cat", 1, 2, 30, 40))
        with (voc.images / f"{number}.jpg").open("ab") as file:
            file.write(random.Random(number).randbytes(40_000))
    return voc


def plan(voc: VocFolder, output: Path, **options: object) -> Plan:
    wanted = {"shards": SHARDS, "val_fraction": 0.0} | options
    request = Request(format="voc", annotations=voc.annotations, images=voc.images, output=output, **wanted)  # type: ignore[arg-type]
    return build.plan(request)


def write(planned: Plan, processes: int = 1) -> None:
    writing.write(planned, lambda count: None, processes)


def content(folder: Path) -> dict[str, bytes]:
    """All files below a folder, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def undisturbed(voc: VocFolder, folder: Path, **options: object) -> dict[str, bytes]:
    write(plan(voc, folder / "undisturbed", **options))
    return content(folder / "undisturbed")


def in_another_process(work: Callable[[], None]) -> multiprocessing.process.BaseProcess:
    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    return process


def kill_after(seconds: float, planned: Plan, processes: int) -> None:
    """Begins to write in another process, and kills it."""
    process = in_another_process(lambda: write(planned, processes))
    time.sleep(seconds)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()


def wait_for_workers(output: Path) -> None:
    """Waits until the workers of a killed run have noticed: until then one may rename a shard."""
    if output.exists():
        with staging.locked(output):
            pass


def finished_shards(output: Path) -> dict[str, int]:
    """The number on the disk of each file that a killed run vouches for."""
    vouched = [path.name.removesuffix(".json") for path in (output / ".make_records").glob("train.*.json")]
    places = [(output / ".make_records" / name, output / name) for name in vouched]
    return {moved.name: next(path.stat().st_ino for path in (here, moved) if path.exists()) for here, moved in places}


@pytest.mark.parametrize("processes", [1, 3])
def test_killed_at_any_moment(photos: VocFolder, tmp_path: Path, processes: int) -> None:
    """Over the output of an earlier run, whose files are other ones; six times, or until a shard was finished."""
    expected = undisturbed(photos, tmp_path)
    earlier = undisturbed(photos, tmp_path / "earlier", shards=2, seed=1)
    began = time.monotonic()
    write(plan(photos, tmp_path / "timed"), processes)
    usual_s = time.monotonic() - began
    rng = random.Random(processes)
    kept = 0
    for number in range(60):
        if number >= 6 and kept:
            break
        output = tmp_path / f"killed{number}"
        shutil.copytree(tmp_path / "earlier" / "undisturbed", output)
        for _ in range(rng.randint(1, 2)):
            kill_after(rng.uniform(0, usual_s), plan(photos, output), processes)
        wait_for_workers(output)
        found = content(output)
        if (
            found["manifest.json"] != expected["manifest.json"]
            and not (output / ".make_records/manifest.json").exists()
        ):
            assert earlier.items() <= found.items()
        finished = finished_shards(output)
        kept += len(finished)
        write(plan(photos, output), processes)
        assert content(output) == expected
        assert {name: (output / name).stat().st_ino for name in finished} == finished
    assert kept


@pytest.fixture
def half_done(photos: VocFolder, tmp_path: Path) -> Path:
    """The output folder of a run that was killed when it had finished half of its shards."""
    output = tmp_path / "half_done"
    for attempt in range(50):
        shutil.rmtree(output, ignore_errors=True)
        kill_after(0.005 * attempt, plan(photos, output), 1)
        if 2 <= len(finished_shards(output)) < SHARDS and not (output / "manifest.json").exists():
            return output
    raise AssertionError("no kill hit a run in its middle")


@pytest.mark.parametrize(
    "options", [{"seed": 1}, {"shards": SHARDS + 1}, {"val_fraction": 0.5}, {"shards": 1}], ids=lambda o: next(iter(o))
)
def test_another_plan_takes_up_nothing(
    photos: VocFolder, half_done: Path, tmp_path: Path, options: dict[str, object]
) -> None:
    """And removes what the run that was killed left behind."""
    write(plan(photos, half_done, **options))
    assert content(half_done) == undisturbed(photos, tmp_path, **options)


def image_of_a_finished_shard(photos: VocFolder, half_done: Path) -> Path:
    (_, images), *_ = plan(photos, half_done).splits[0].files()
    return Path(images[0].image_path)


def other_image_of_the_same_size(photos: VocFolder, half_done: Path) -> None:
    path = image_of_a_finished_shard(photos, half_done)
    path.write_bytes(path.read_bytes()[:-1] + b"!")


def other_box(photos: VocFolder, half_done: Path) -> None:
    path = photos.annotations / f"{image_of_a_finished_shard(photos, half_done).stem}.xml"
    path.write_text(path.read_text().replace("<xmax>30", "<xmax>31"))


def damaged_shard(photos: VocFolder, half_done: Path) -> None:
    path = half_done / ".make_records" / min(finished_shards(half_done))
    path.write_bytes(path.read_bytes()[:-1] + b"!")


def damaged_shard_beside_a_good_one(photos: VocFolder, half_done: Path) -> None:
    name = min(finished_shards(half_done))
    shutil.copy(half_done / ".make_records" / name, half_done / name)
    damaged_shard(photos, half_done)
    write(plan(photos, half_done.parent / "whole"))  # whose manifest says that the good one is ours
    shutil.copy(half_done.parent / "whole" / "manifest.json", half_done)


def lost_shard(photos: VocFolder, half_done: Path) -> None:
    (half_done / ".make_records" / min(finished_shards(half_done))).unlink()


def damaged_voucher(photos: VocFolder, half_done: Path) -> None:
    (half_done / ".make_records" / f"{min(finished_shards(half_done))}.json").write_text('{"fingerprint":')


def foreign_voucher(photos: VocFolder, half_done: Path) -> None:
    (half_done / ".make_records" / f"{min(finished_shards(half_done))}.json").write_text("[1, 2]")


@pytest.mark.parametrize(
    "disturb",
    [
        other_image_of_the_same_size,
        other_box,
        damaged_shard,
        damaged_shard_beside_a_good_one,
        lost_shard,
        damaged_voucher,
        foreign_voucher,
    ],
)
def test_a_shard_is_not_trusted(
    photos: VocFolder, half_done: Path, tmp_path: Path, disturb: Callable[[VocFolder, Path], None]
) -> None:
    """Where what it is made of, or itself, is not as it was."""
    disturb(photos, half_done)
    write(plan(photos, half_done))
    assert content(half_done) == undisturbed(photos, tmp_path)


@pytest.mark.parametrize("moved", [0, 3, SHARDS])
@pytest.mark.parametrize("options", [{}, {"seed": 1, "shards": 2}], ids=["same", "another"])
def test_killed_while_files_move(photos: VocFolder, tmp_path: Path, moved: int, options: dict[str, object]) -> None:
    """The next run, whatever it is asked for, ends as if nothing had been."""
    expected, new = undisturbed(photos, tmp_path, **options), undisturbed(photos, tmp_path / "new")
    output = tmp_path / "output"
    shutil.copytree(tmp_path / "new" / "undisturbed", output)
    waiting = output / ".make_records"
    waiting.mkdir()
    for name in [*sorted(new)[2:][moved:], "manifest.json"]:
        (output / name).rename(waiting / name)
    write(plan(photos, output, **options))
    assert content(output) == expected


def test_an_image_that_changes_in_mid_run_is_an_error(photos: VocFolder, tmp_path: Path) -> None:
    """And of the images that were opened ahead, none stays open."""
    planned = plan(photos, tmp_path / "out")
    os.utime(photos.images / "7.jpg")
    with pytest.raises(ImageError, match=r"7\.jpg: the image changed while the command was running"):
        write(planned)
    assert not content(tmp_path / "out")
    assert not [file for file in psutil.Process().open_files() if file.path.endswith(".jpg")]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_full_disk_leaves_the_earlier_output(photos: VocFolder, tmp_path: Path, processes: int) -> None:
    """Here a limit on the size of files, which the system enforces just so."""
    earlier = undisturbed(photos, tmp_path, shards=SHARDS)
    planned = plan(photos, tmp_path / "undisturbed", shards=2)

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        try:
            write(planned, processes)
        except RecordError as error:
            os._exit(7 if str(error).endswith("undisturbed: cannot write the records: File too large.") else 8)

    process = in_another_process(work)
    process.join()
    assert process.exitcode == 7
    assert content(tmp_path / "undisturbed") == earlier


def test_one_run_at_a_time(photos: VocFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "_PATIENCE_S", 0.05)
    with pytest.raises(RecordError, match="another make_records is writing here"):
        folder = os.open(tmp_path, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            write(plan(photos, tmp_path))
        finally:
            os.close(folder)
    assert not content(tmp_path)
