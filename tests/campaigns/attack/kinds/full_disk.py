"""A disk that is full, or a limit on the size of files: one message, nothing half-written, nothing of others gone."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial

from campaigns.attack.case import Case
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples, png, voc_xml


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Limits from nothing to 100 kB; and a small disk, where this user may mount one."""
    for argv in _commands("out"):
        for limit in (0, draw.randrange(1, 300), 1000, draw.randrange(2000, 9000), draw.randrange(20_000, 100_000)):
            yield Case(
                about=f"no file above {limit} bytes",
                argv=argv,
                prepare=partial(_prepare, samples=samples),
                largest_file=limit,
                stdout="pipe",  # The limit holds for files of words too.
                stderr="pipe",
            )
    if not _may_mount():
        return
    for argv in _commands("out/disk"):
        for room in (0, 4, draw.randrange(5, 20) * 4):
            yield Case(
                about=f"a disk of {room} kB",
                argv=argv,
                prepare=partial(_mounted, samples=samples, room_kb=room),
                cleanup=_unmounted,
            )
    for argv in _commands("out"):
        yield Case(
            about="TMPDIR is full",
            argv=argv,
            prepare=partial(_full_tmp, samples=samples),
            cleanup=_unmounted,
            may_leave=True,
        )


def _commands(output: str) -> Iterator[list[str]]:
    yield ["make_records", "--annotations=voc", f"--output={output}/r"]
    yield ["make_records", "--annotations=voc", f"--output={output}/r", "--shards=3", "--workers=2"]
    yield ["make_records", "--annotations=voc", "--output=local://tmp/attack-not-written", "--dry_run"]
    yield ["make_config", "--template=ssd_mobilenet_v2_300x300", "--records=records", f"--output={output}/a.config"]
    yield ["check_config", "--config=sample.config", f"--fix={output}/a.config"]
    yield ["check_config", "--config=sample.config", f"--plot={output}/a.png"]
    yield ["fit_anchors", "--config=sample.config", "--records=records", f"--output={output}/a.yaml"]
    yield ["make_label_map", "--from=records/label_map.pbtxt", f"--output={output}/a.pbtxt"]
    yield ["inspect_records", "--records=records", "--extract=0", f"--output={output}"]
    yield ["inspect_records", "--records=records", f"--contact_sheet={output}/a.png"]
    yield ["submit", "plan", "--job=job.yaml", "--backend=vertex", f"--output={output}"]
    yield ["submit", "bundle", "--job=job.yaml", f"--output={output}"]


def _may_mount() -> bool:
    return (
        shutil.which("unshare") is not None
        and subprocess.run(
            ["unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=4k", "none", "/mnt"],
            capture_output=True,
            check=False,
        ).returncode
        == 0
    )


def _prepare(place: Place, samples: Samples) -> None:
    place.copy(samples.voc, "voc")
    for number in range(30):
        place.write(f"voc/more{number}.png", png(60, 40, number + 100))
        place.write(f"voc/more{number}.xml", voc_xml(f"more{number}.png", "cat"))
    place.copy(samples.records, "records")
    place.copy(samples.config, "sample.config")
    place.copy(samples.jobs["estimator"], "job.yaml")


def _mounted(place: Place, samples: Samples, room_kb: int) -> None:
    _prepare(place, samples)
    disk = place.work / "out/disk"
    disk.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room_kb + 4}k", "none", str(disk)], check=True)
    (disk / "filler").write_bytes(b"x" * (4096 if room_kb == 0 else 1))


def _full_tmp(place: Place, samples: Samples) -> None:
    _prepare(place, samples)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "none", str(place.tmp)], check=True)
    (place.tmp / "filler").write_bytes(b"x" * 4096)


def _unmounted(place: Place) -> None:
    for folder in (place.work / "out/disk", place.tmp):
        if folder.is_mount():
            subprocess.run(["umount", str(folder)], check=True)
