"""Names that a command takes for its own: hidden folders, temporary names, folders below TMPDIR."""

from __future__ import annotations

import hashlib
import os
import random
import stat
from collections.abc import Iterator
from functools import partial

from campaigns.attack.case import Case, Result
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples

_MAKE = ("make_records", "--annotations=voc", "--output=out")
_STAGING = "work/out/.make_records"
_OWN = ("manifest.json", "label_map.pbtxt", "train.record-00000-of-00001")
_PLANTS = ("link", "folder", "file", "fifo", "dangling link", "link to a file")


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Somebody else's file, folder or link under each name that can be foreseen."""
    for how in _PLANTS:
        for more in ((), ("--dry_run",), ("--shards=3",), ("--on_problem=skip",)):
            yield _case(f".make_records is a {how}", [*_MAKE, *more], samples, _STAGING, how)
    for name in (*_OWN, f"x{draw.randrange(100)}.txt"):
        for how in _PLANTS:
            yield _case(f".make_records/{name} is a {how}", list(_MAKE), samples, f"{_STAGING}/{name}", how)
    for scheme in ("memory", "local"):
        for place_name in (f"bucket{draw.randrange(1000)}", "a b", "ü"):
            url = f"{scheme}://tmp/{place_name}"
            waiting = f"tfod_tools-{os.getuid()}-{hashlib.sha256(url.encode()).hexdigest()[:16]}"
            for how in _PLANTS:
                argv = [
                    "make_records",
                    "--annotations=voc",
                    f"--output={url}",
                    "--dry_run" if scheme == "local" else "--seed=0",
                ]
                yield _case(f"TMPDIR/{waiting} is a {how}", argv, samples, f"tmp/{waiting}", how)
    for command, name in _temporary_names():
        for how in _PLANTS:
            yield _case(f"{name} is a {how}", command, samples, f"work/{name}", how)
    yield from _permissions(samples)


def _temporary_names() -> Iterator[tuple[list[str], str]]:
    template = "--template=ssd_mobilenet_v2_small_192x192"
    yield ["make_config", template, "--records=records", "--output=out.config"], ".out.config.partial"
    yield ["make_label_map", "--from=records/label_map.pbtxt", "--output=out.pbtxt"], ".out.pbtxt.partial"
    yield ["fit_anchors", "--config=sample.config", "--records=records", "--output=out.yaml"], ".out.yaml.partial"
    yield ["check_config", "--config=sample.config", "--fix=out.config"], ".out.config.partial"
    yield ["inspect_records", "--records=records", "--contact_sheet=out.png"], ".out.png.partial"


def _permissions(samples: Samples) -> Iterator[Case]:
    """TMPDIR of all: what waits there must be closed to others, and the folder this user's own."""
    for mode in (0o777, 0o1777, 0o755):
        url = f"memory://tmp/mode{mode:o}"
        waiting = f"tfod_tools-{os.getuid()}-{hashlib.sha256(url.encode()).hexdigest()[:16]}"
        argv = ["make_records", "--annotations=voc", f"--output={url}"]
        prepare = partial(_prepare, samples=samples, name=f"tmp/{waiting}", how=f"folder of mode {mode:o}")
        yield Case(about=f"TMPDIR/{waiting} is a folder of mode {mode:o}", argv=argv, prepare=prepare, may_leave=True)


def _case(about: str, argv: list[str], samples: Samples, name: str, how: str) -> Case:
    may_change: tuple[str, ...] = ()
    if name.startswith(f"{_STAGING}/"):
        may_change = (_STAGING.removeprefix("work/"),)
        if how != "folder" and name.removeprefix(f"{_STAGING}/") in _OWN:  # The command's, whatever bears this name.
            may_change += (name.removeprefix("work/"),)
    return Case(
        about=about,
        argv=argv,
        prepare=partial(_prepare, samples=samples, name=name, how=how),
        judge=partial(_still_there, name=name, how=how),
        may_leave=name.startswith("tmp"),
        may_change=may_change,
    )


def _prepare(place: Place, samples: Samples, name: str, how: str) -> None:
    place.copy(samples.voc, "voc")
    place.copy(samples.records, "records")
    place.write("sample.config", samples.config.read_text())
    place.write(place.others / "records/train.record-00000-of-00001", "records of others")
    place.write(place.others / "records/manifest.json", "{}")
    path = place.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if how == "link":
        path.symlink_to(place.others / "deep")
    elif how == "link to a file":
        path.symlink_to(place.others / "thesis.txt")
    elif how == "dangling link":
        path.symlink_to(place.others / "not there")
    elif how == "fifo":
        os.mkfifo(path)
    elif how == "file":
        path.write_text("mine\n")
    else:
        path.mkdir()
        (path / "mine.txt").write_text("mine\n")
        if "mode" in how:
            path.chmod(int(how.split()[-1], 8))


def _still_there(result: Result, name: str, how: str) -> str | None:
    """What lies outside of the folders that are compared anyway."""
    path = result.place.root / name
    if not name.startswith("tmp"):
        return None
    if not os.path.lexists(path):
        return f"{name} is gone"
    if how == "folder" and not (path / "mine.txt").exists():
        return f"{name}/mine.txt is gone"
    if how in ("file", "fifo") and stat.S_ISDIR(path.lstat().st_mode):
        return f"{name} has become a folder"
    return None
