"""What is no plain file where a file is read: a pipe, a socket, a device, a folder, a link in a circle."""

from __future__ import annotations

import os
import random
import shutil
import socket
from collections.abc import Iterator
from functools import partial

from campaigns.attack.case import Case
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples

_PLANTS = (
    "fifo",
    "socket",
    "device",
    "endless device",
    "folder",
    "link to itself",
    "dangling link",
    "link to its folder",
)


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Each of them in place of each file that a command reads, and one more beside them."""
    make = ["make_records", "--annotations=voc", "--output=out"]
    check = ["check_config", "--config=sample.config", "--records=records"]
    commands: dict[str, list[str]] = {
        "voc/pet3.png": make,
        "voc/pet3.xml": make,
        "voc/more.png": [*make, "--on_problem=skip"],
        "voc/more.xml": [*make, "--on_problem=skip"],
        "voc/data.yaml": make,
        "map.pbtxt": [*make, "--label_map=map.pbtxt"],
        "records/train.record-00000-of-00002": ["inspect_records", "--records=records"],
        "records/manifest.json": [
            "make_config",
            "--template=ssd_mobilenet_v2_300x300",
            "--records=records",
            "--output=out.config",
        ],
        "records/label_map.pbtxt": check,
        "sample.config": check,
        "job.yaml": ["submit", "plan", "--job=job.yaml", "--backend=vertex"],
        "legacy.yaml": ["submit", "import-legacy", "--from=legacy.yaml"],
        "patch.yaml": ["make_config", "--from=sample.config", "--patch=patch.yaml", "--output=out.config"],
        "model/ckpt-1.index": ["check_config", "--config=sample.config", "--checkpoint=model/ckpt-1"],
        "photos/more.jpg": ["predict", "--model=model", "--images=photos", "--output=out", "--dry_run"],
        "model/frozen_inference_graph.pb": ["predict", "--model=model", "--images=photos", "--output=out", "--dry_run"],
        "model/pipeline.config": ["evaluate", "--model_dir=model", "--dry_run"],
        "out.config": [
            "make_config",
            "--template=ssd_mobilenet_v2_300x300",
            "--records=records",
            "--output=out.config",
        ],
        "out": make,
        "lists.txt": ["make_label_map", "--from=lists.txt"],
    }
    for name, argv in commands.items():
        for how in _PLANTS:
            if how != "link to its folder" or "/" in name:
                prepare = partial(_prepare, samples=samples, name=name, how=how)
                yield Case(about=f"{name} is a {how}", argv=argv, prepare=prepare)
    for argument in ("/dev/stdin", "/dev/zero", "/dev/null", "/proc/self/mem", "/dev/full", "/proc/self/fd/0", "-"):
        for argv in (
            ["make_label_map", f"--from={argument}"],
            ["check_config", f"--config={argument}"],
            ["inspect_records", f"--records={argument}"],
            ["submit", "plan", f"--job={argument}", "--backend=vertex"],
            ["make_records", f"--annotations={argument}", "--output=out"],
            ["make_config", "--template=ssd_mobilenet_v2_300x300", "--records=records", f"--output={argument}"],
        ):
            if argument in ("-", "/dev/stdin", "/dev/zero", "/dev/null", "/dev/full") and argv[0] == "make_config":
                continue  # A command that replaced a device would harm this machine.
            yield Case(
                about=f"{argument} as a file", argv=argv, prepare=partial(_prepare, samples=samples, name="", how="")
            )


def _prepare(place: Place, samples: Samples, name: str, how: str) -> None:
    place.copy(samples.voc, "voc")
    place.copy(samples.voc / "pet0.png", "photos/a.png")
    place.copy(samples.records, "records")
    place.copy(samples.config, "sample.config")
    place.write("model/frozen_inference_graph.pb", b"")
    place.copy(samples.records / "label_map.pbtxt", "model/label_map.pbtxt")
    place.copy(samples.config, "model/pipeline.config")
    if not name:
        return
    path = place.work / name
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if how == "fifo":
        os.mkfifo(path)
    elif how == "socket":
        before = os.open(".", os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(f"/proc/self/fd/{_opened(path.parent)}/{path.name}")
        os.close(before)
    elif how == "folder":
        path.mkdir()
    else:
        targets = {
            "device": "/dev/null",
            "endless device": "/dev/zero",
            "link to itself": path.name,
            "dangling link": "not there",
        }
        path.symlink_to(targets.get(how, "."))


def _opened(folder: os.PathLike[str]) -> int:
    """A descriptor of a folder: a socket's path has at most 107 bytes. It stays open, as the test ends soon."""
    return os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
